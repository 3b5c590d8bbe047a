"""A set of entries that gives back the room of those that have left."""

from __future__ import annotations

import sys

import pytest

from proxy.storage.memory.members import Members


def test_keeps_the_order_and_each_once() -> None:
    members = Members({})
    for entry in "abca":
        members.add(entry)
    members.discard("b")
    members.discard("unknown")
    assert list(members.entries) == ["a", "c"]
    assert members.pop() == "c"
    members.clear()
    with pytest.raises(KeyError):
        members.pop()


def test_the_last_of_many_does_not_keep_the_room_of_all() -> None:
    members = Members({})
    for entry in range(10_000):
        members.add(entry)
    full = sys.getsizeof(members.entries)
    for entry in range(9_990):
        members.discard(entry)
    assert list(members.entries) == list(range(9_990, 10_000))
    assert sys.getsizeof(members.entries) < full / 50


def test_popping_gives_room_back_too() -> None:
    members = Members({})
    for entry in range(10_000):
        members.add(entry)
    for _ in range(9_990):
        members.pop()
    assert list(members.entries) == list(range(10))
    assert sys.getsizeof(members.entries) < 10_000
