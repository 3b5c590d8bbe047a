"""Answers that a disk keeps: with memory before it, other processes beside it, other proxies behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.storage.contract import Entry, Recall
from proxy.storage.disk.store import DiskStore
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.selection import Selection
from proxy.storage.tiers.nearby import Nearby
from proxy.storage.tiers.store import Tiers
from tests.storage.lower import LowerStore
from tests.storage.putting import NOW, put

KEY = b"GET http://h/key"
NAME = bytes(32)
BUDGET = 8 << 20


def process(folder: Path, memory: int = 1 << 20) -> Tiers:
    """One of several that share a folder."""
    return Tiers(MemoryStore(memory, memory), DiskStore(folder, BUDGET, 1 << 20), News.at(folder))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Tiers]:
    store = process(tmp_path)
    yield store
    await store.close()


def answers(store: Tiers | Nearby) -> Recall:
    assert store.answers is not None
    return store.answers


async def remember(store: Tiers | Nearby) -> None:
    """Have an answer kept that was made from what is there."""
    found = store.at_hand(KEY)
    assert found
    states: list[tuple[Entry, object]] = [(entry, entry.state) for entry in found]
    answers(store).remember(NAME, KEY, states, found[0], b"answer")
    below = store.below if isinstance(store, Tiers) else store
    disk = below.disk if isinstance(below, Nearby) else below
    assert isinstance(disk, DiskStore)
    await disk.do(lambda change: None)


async def test_it_is_found_while_memory_has_a_copy_and_when_it_has_none(store: Tiers) -> None:
    await put(store, KEY, b"content")
    await remember(store)
    for _ in range(2):
        kept = answers(store).recall(NAME)
        assert kept is not None
        assert kept.content == b"content"
        for copy in store.memory.at_hand(KEY):
            store.memory.drop(copy)


async def test_not_while_memory_has_something_else(store: Tiers) -> None:
    await put(store, KEY, b"content")
    await remember(store)
    (copy,) = store.memory.at_hand(KEY)
    await store.memory.freshen(copy, replace(copy.stored, response_time=NOW + 9))
    assert answers(store).recall(NAME) is None


async def test_nor_while_memory_has_something_more(store: Tiers) -> None:
    await put(store, KEY, b"content")
    await remember(store)
    await put(store.memory, KEY, b"what the disk would not take")
    assert answers(store).recall(NAME) is None


@pytest.mark.parametrize(
    "wanted", [Selection(keys=(KEY,)), Selection(labels=(b"label",)), Selection(prefixes=(b"http://h/",))]
)
@pytest.mark.parametrize("soft", [None, NOW + 9])
async def test_what_another_process_purges_is_not_found(
    store: Tiers, tmp_path: Path, wanted: Selection, soft: float | None
) -> None:
    await put(store, KEY, b"content", labels=(b"label",))
    await remember(store)
    other = Tiers(MemoryStore(0, 0), store.below, News.at(tmp_path))
    await other.purge(wanted, soft=soft)
    assert answers(store).recall(NAME) is None
    other._told.close()


async def test_before_a_fleet_it_counts_once_that_has_confirmed_it(tmp_path: Path) -> None:
    fleet = LowerStore(MemoryStore(BUDGET, 1 << 20), slow=True)
    disk = DiskStore(tmp_path, BUDGET, 1 << 20)
    nearby = Nearby(disk, fleet)
    await put(nearby, KEY, b"content")
    await nearby.look_up(KEY)
    await remember(nearby)
    assert answers(nearby).recall(NAME) is not None
    again = Nearby(disk, fleet)  # as after a restart
    assert answers(again).recall(NAME) is None
    await again.look_up(KEY)
    assert answers(again).recall(NAME) is not None
    fleet.purged(Selection(everything=True))
    assert answers(again).recall(NAME) is None
    await disk.close()
    await fleet.held.close()


async def test_where_memory_is_full_only_what_is_used_often_is_copied(tmp_path: Path) -> None:
    store = process(tmp_path, 16 << 10)
    keys = [b"GET http://h/%d" % number for number in range(20)]
    for key in keys:
        await put(store, key, bytes(2000))
    held = [bool(store.memory.at_hand(key)) for key in keys]
    key = keys[held.index(False)]
    copied = []
    for _ in range(6):
        await store.look_up(key)
        copied.append(bool(store.memory.at_hand(key)))
    assert copied == [False, False, False, False, True, True]
    await store.close()


async def test_where_there_is_room_it_is_copied_when_it_is_used_again(store: Tiers) -> None:
    await put(store, KEY, b"content")
    store.memory.drop(store.memory.at_hand(KEY)[0])
    copied = []
    for _ in range(3):
        await store.look_up(KEY)
        copied.append(bool(store.memory.at_hand(KEY)))
    assert copied == [False, True, True]
