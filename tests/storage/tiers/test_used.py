"""What is used in memory alone is kept on disk as well, so that it is there when memory is not any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from proxy.storage.disk.store import DiskStore
from proxy.storage.memory.store import MemoryStore
from proxy.storage.tiers.store import Tiers
from tests.storage.putting import NOW, put

BUDGET = 1 << 20
WANTED = [b"wanted %d" % number for number in range(40)]
OTHERS = [b"other %d" % number for number in range(40)]


async def answer(store: Tiers, keys: list[bytes]) -> None:
    for key in keys:
        (entry,) = await store.look_up(key)
        store.touch(entry)


def held(disk: DiskStore, keys: list[bytes]) -> int:
    return sum(len(disk.at_hand(key)) for key in keys)


async def test_what_is_used_in_memory_stays_on_disk_though_that_is_told_of_none_of_it(tmp_path: Path) -> None:
    said: list[str] = []
    disk = DiskStore(tmp_path, BUDGET, 1 << 20, say=said.append)
    store = Tiers(MemoryStore(1 << 20, 1 << 20), disk, None, ordered=disk.uses)
    for key in [*WANTED, *OTHERS]:
        await put(store, key, bytes(1000))
    for first in range(0, 800, 50):
        await answer(store, WANTED)
        for number in range(first, first + 50):
            await put(store, b"passing %d" % number, bytes(1000))
    assert (held(disk, WANTED), held(disk, OTHERS)) == (len(WANTED), 0)
    await store.close()
    after = DiskStore(tmp_path, BUDGET, 1 << 20, say=said.append)
    assert (held(after, WANTED), said) == (len(WANTED), [])
    await after.close()


class Order:
    """Hears of uses as the disk's order does."""

    def __init__(self) -> None:
        self.asks: Callable[[bytes, int], int] = lambda key, number: 0
        self.noted: Counter[int] = Counter()

    def note(self, number: int, times: int) -> None:
        self.noted[number] += times


class Copied:
    """A store with copies in memory of three entries, and their numbers on disk."""

    def __init__(self, store: Tiers, order: Order, numbers: dict[bytes, int]) -> None:
        self.store = store
        self.order = order
        self.numbers = numbers


@pytest.fixture
async def copied(tmp_path: Path) -> AsyncIterator[Copied]:
    disk, order = DiskStore(tmp_path, BUDGET, 1 << 20), Order()
    store = Tiers(MemoryStore(100_000, 100_000), disk, None, ordered=order)
    for key in WANTED[:3]:
        await put(store, key)
    yield Copied(store, order, {key: disk.at_hand(key)[0].number for key in WANTED[:3]})
    await store.close()


async def test_now_and_then_it_is_told_of_each_copy_that_was_used_since(copied: Copied) -> None:
    store, order, numbers = copied.store, copied.order, copied.numbers
    await store.expire(NOW)
    assert order.noted == {}
    await answer(store, WANTED[:2])
    await answer(store, WANTED[:1])
    for _ in range(3):
        await store.expire(NOW)
    assert order.noted == {numbers[WANTED[0]]: 2, numbers[WANTED[1]]: 1}
    await answer(store, WANTED[2:3])
    assert order.asks(WANTED[2], numbers[WANTED[2]]) == 1
    assert order.asks(WANTED[2], numbers[WANTED[2]]) == 0
    assert order.asks(WANTED[0], numbers[WANTED[2]]) == 0


@pytest.mark.parametrize("pressed", [True, False], ids=["makes room", "ends"])
async def test_it_is_told_when_memory_lets_go(copied: Copied, pressed: bool) -> None:
    store, order = copied.store, copied.order
    await answer(store, WANTED[:2])
    if pressed:
        await put(store, b"large", bytes(98_500))
    else:
        await store.close()
    assert order.noted == {copied.numbers[key]: 1 for key in WANTED[:2]}
