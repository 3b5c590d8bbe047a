"""Entries come out once their time has passed: never early, and late by no more than is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.storage.memory.deadlines import Deadlines

NOW = 1_700_000_000.0


def due(deadlines: Deadlines[str], now: float) -> list[str]:
    found = []
    while (entry := deadlines.pop_due(now)) is not None:
        found.append(entry)
    return found


def test_in_the_order_of_their_time() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for name, lifetime in (("c", 30), ("a", 10), ("b", 20)):
        deadlines.add(name, NOW + lifetime, NOW)
    assert due(deadlines, NOW + 9) == []
    assert due(deadlines, NOW + 25) == ["a", "b"]
    assert due(deadlines, NOW + 25) == []
    assert due(deadlines, NOW + 31) == ["c"]


def test_what_is_discarded_never_comes() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for name in ("a", "b"):
        together = deadlines.add(name, NOW + 10, NOW)
    assert together is not None
    together.discard("a")
    together.discard("a")
    assert due(deadlines, NOW + 100) == ["b"]
    together.discard("b")


@pytest.mark.parametrize("expires", [None, float("inf"), float("nan"), 1e300])
def test_what_never_ends(expires: float | None) -> None:
    deadlines: Deadlines[str] = Deadlines()
    assert deadlines.add("a", expires, NOW) is None
    assert due(deadlines, 1e18) == []


@pytest.mark.parametrize("expires", [-5.0, 0.0, NOW - 1e6])
def test_what_has_ended_already_comes_at_once(expires: float) -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.add("a", expires, NOW)
    assert due(deadlines, NOW) == ["a"]


@settings(max_examples=200, deadline=None)
@given(st.floats(1000, 1e9), st.floats(-100, 1e8))
def test_law_not_early_and_not_much_too_late(since: float, lifetime: float) -> None:
    deadlines: Deadlines[str] = Deadlines()
    expires = since + lifetime
    deadlines.add("a", expires, since)
    assert due(deadlines, expires - 0.001) == []
    assert due(deadlines, expires + max(lifetime, 0) / 64 + 1.001) == ["a"]


def test_few_distinct_times_are_kept() -> None:
    deadlines: Deadlines[int] = Deadlines()
    for number in range(20_000):
        deadlines.add(number, NOW + number * 97.3, NOW)
    assert len(deadlines._heap) < 1500
