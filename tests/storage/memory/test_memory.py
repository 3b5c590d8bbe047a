"""The memory tier: what every tier does, and what is its own."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.selection import Selection
from tests.storage.store_contract import DIGEST, NOW, StoreContract, contents, put, read, response
from tests.storage.store_machine import StoreMachine


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[MemoryStore]:
        store = MemoryStore(self.BUDGET, self.OBJECT_LIMIT)
        yield store
        await store.close()
        assert store.figures().bytes == 0


class MemoryMachine(StoreMachine):
    VARIANTS = 3

    async def make(self) -> MemoryStore:
        return MemoryStore(1 << 20, 1 << 16, variants=self.VARIANTS)


MemoryMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHistories = MemoryMachine.TestCase


async def filled(count: int, *, labels: tuple[bytes, ...] = (), budget: int = 1 << 30) -> MemoryStore:
    store = MemoryStore(budget, 1 << 20)
    for number in range(count):
        await put(store, b"%d" % number, labels=labels)
    return store


async def test_what_was_used_stays_and_what_was_not_goes() -> None:
    store = MemoryStore(20_000, 10_000)
    keys = [b"%d" % number for number in range(8)]
    for key in keys:
        await put(store, key, bytes(1000))
    (wanted,) = await store.look_up(b"0")
    assert store.figures().evicted == 0
    for number in range(100, 106):
        await put(store, b"%d" % number, bytes(1000))
        await read(wanted)
    assert len(await store.look_up(b"0")) == 1
    assert sum([len(await store.look_up(key)) for key in keys]) < 8


async def test_of_several_variants_the_one_that_is_read_stays() -> None:
    store = MemoryStore(4 * 2000, 10_000)
    wanted = await put(store, b"key", bytes(1000))
    await put(store, b"key", bytes(1000))
    for number in range(12):
        for entry in await store.look_up(b"key"):
            if entry is wanted:
                await read(entry)
        await put(store, b"%d" % number, bytes(1000))
    assert await store.look_up(b"key") == (wanted,)


async def test_variants_are_bounded_and_the_oldest_goes() -> None:
    store = MemoryStore(1 << 20, 1 << 10, variants=3)
    for number in range(10):
        await put(store, b"key", b"%d" % number)
    assert await contents(store, b"key") == [b"7", b"8", b"9"]
    assert store.figures().evicted == 7


async def test_an_announcement_alone_pushes_nothing_out() -> None:
    store = MemoryStore(100_000, 100_000)
    for number in range(10):
        await put(store, b"%d" % number, bytes(5000))
    writer = store.begin(b"key", (), (), 90_000)
    assert writer is not None
    assert store.figures().evicted == 0
    assert store.begin(b"other", (), (), 50_000) is None  # promised already
    assert writer.write(bytes(90_000))
    assert store.figures().evicted > 5
    writer.abort()


async def test_what_is_announced_fits_until_its_end() -> None:
    store = MemoryStore(100_000, 100_000)
    announced = store.begin(b"announced", (), (), 60_000)
    unknown = store.begin(b"unknown", (), (), None)
    assert announced is not None
    assert unknown is not None
    taken = 0
    while unknown.write(bytes(1000)):
        taken += 1000
    assert 30_000 < taken < 40_000
    assert all(announced.write(bytes(1000)) for _ in range(60))
    assert await announced.commit(response(60_000), DIGEST) is not None


async def test_a_head_that_does_not_fit_is_not_kept() -> None:
    store = MemoryStore(10_000, 10_000)
    old = await put(store, b"key", b"old")
    writer = store.begin(b"key", (b"label",), (old,), 3)
    assert writer is not None
    writer.write(b"new")
    huge = Response(200, Fields([(b"X", bytes(10_000))]))
    stored = StoredResponse(Request(b"GET", b"/"), huge, NOW, NOW, 3)
    assert await writer.commit(stored, DIGEST) is None
    assert await contents(store, b"key") == [b"old"]
    await store.freshen(old, stored)
    assert store.figures().entries == 0
    assert await store.labelled(b"label", 1) == []


async def test_a_label_with_many_entries_is_softened_without_going_through_them() -> None:
    store = await filled(20_000, labels=(b"all",))
    (entry,) = await store.look_up(b"77")
    head = entry.head
    assert await store.purge(Selection(labels=(b"all",)), soft=NOW + 1) == {"memory": 20_000}
    assert entry.head is head
    assert entry.stored.stale_from == NOW + 1
    assert entry.state is entry.state is not head
    assert await store.purge(Selection(labels=(b"all",))) == {"memory": 20_000}
    assert store.figures().entries > 19_000
    assert list(await store.look_up(b"78")) == []


async def test_a_label_with_many_entries_is_invalidated_without_going_through_them() -> None:
    store = await filled(2000, labels=(b"all",))
    assert await store.invalidate([], [b"all"]) == 2000
    assert store.figures().entries > 1500  # their memory is given back later
    assert await store.look_up(b"1") == []
    assert await store.labelled(b"all", 10) == []
    assert await store.invalidate([], [b"all"]) == 0
    await put(store, b"1", b"new", labels=(b"all",))
    assert await contents(store, b"1") == [b"new"]
    while await store.expire(0.0):
        pass
    assert (store.figures().entries, store.figures().evicted, store.figures().expired) == (1, 0, 0)


async def test_what_is_invalid_makes_room_before_anything_is_evicted() -> None:
    store = MemoryStore(2_000_000, 1 << 20)
    await put(store, b"kept")
    for number in range(1500):
        await put(store, b"%d" % number, bytes(100), labels=(b"all",))
    await store.invalidate([], [b"all"])
    await put(store, b"large", bytes(1_000_000))
    assert len(await store.look_up(b"kept")) == 1
    assert store.figures().evicted == 0


async def test_many_that_expire_at_once_go_a_few_at_a_time() -> None:
    store = MemoryStore(1 << 30, 1 << 20)
    for number in range(1000):
        await put(store, b"%d" % number, expires=NOW + 10)
    counts = []
    while count := await store.expire(NOW + 12):
        counts.append(count)
    assert sum(counts) == 1000
    assert max(counts) < 500


async def test_an_entry_tells_whether_what_was_made_of_it_still_holds() -> None:
    store = await filled(300, labels=(b"all",))
    (entry,) = await store.look_up(b"0")
    state = entry.state
    assert state is not None
    assert entry.state is state
    await store.freshen(entry, response(7, at=NOW + 1))
    assert entry.state is not state
    assert entry.state is not None
    await store.invalidate([], [b"all"])
    assert entry.state is None
    other = await put(store, b"other")
    await store.remove(other)
    assert other.state is None


async def test_tells_of_every_entry_that_has_left() -> None:
    gone: list[MemoryEntry] = []
    store = MemoryStore(50_000, 50_000, let_go=gone.append)
    entries = [await put(store, b"%d" % number, bytes(5000), labels=(b"x",)) for number in range(4)]
    await store.remove(entries[0])
    await put(store, b"1", bytes(2), replaces=(entries[1],))
    await store.invalidate([], [b"x"])
    await put(store, b"large", bytes(30_000))
    await put(store, b"larger", bytes(49_000))
    assert gone[:2] == entries[:2]
    assert set(gone[2:4]) == set(entries[2:])
    assert [entry.key for entry in gone[4:]] == [b"large", b"1"]
    assert all(not entry.usable for entry in gone)


async def test_after_close_nothing_is_there_and_writers_keep_nothing() -> None:
    store = await filled(3)
    writer = store.begin(b"key", (), (), None)
    assert writer is not None
    (entry,) = await store.look_up(b"1")
    await store.close()
    assert not writer.write(b"x")
    await store.remove(entry)
    assert store.figures().entries == 0
    assert store.figures().bytes == 0


def typical(number: int) -> StoredResponse:
    """A response of 1 KB as an API gives it, with what was asked."""
    request = Request(
        b"GET",
        b"/items/%d?page=2" % number,
        Fields([(b"Host", b"api.example.org"), (b"Accept", b"*/*"), (b"Accept-Encoding", b"gzip, br")]),
        authority=b"api.example.org",
    )
    fields = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"1024"),
        (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (b"Cache-Control", b"public, max-age=3600"),
        (b"ETag", b'"%032x"' % number),
        (b"Vary", b"Accept-Encoding"),
        (b"Server", b"gunicorn"),
    ]
    return StoredResponse(request, Response(200, Fields(fields), b"OK"), NOW + number, NOW + number, 1024)


@pytest.mark.parametrize("labels", [(), (b"one",), (b"one", b"two", b"three")])
async def test_the_cost_that_is_counted_is_what_the_entries_take(labels: tuple[bytes, ...]) -> None:
    count = 3000
    store = MemoryStore(1 << 30, 1 << 20)
    chance = random.Random(1)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            writer = store.begin(b"GET http api.example.org /items/%d?page=2" % number, labels, (), 1024)
            assert writer is not None
            writer.write(chance.randbytes(1024))
            await writer.commit(typical(number), DIGEST, NOW + number + 90_000)
        del writer
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    counted = store.figures().bytes
    assert 0.85 < counted / taken < 1.15
    if len(labels) < 2:
        assert counted / count * 1_000_000 < 2 << 30, "a million of these fit into 2 GiB"


async def test_the_garbage_collector_has_nothing_to_go_through() -> None:
    store = await filled(10, labels=(b"label",))
    (entry,) = await store.look_up(b"3")
    gc.collect()
    hidden = (entry, entry.place, entry.groups, entry.groups[0], entry.groups[0].entries, store._newest)
    assert not any(gc.is_tracked(thing) for thing in hidden)


async def test_a_store_that_is_dropped_gives_its_memory_back() -> None:
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        store = MemoryStore(1 << 30, 1 << 20)
        for number in range(20):
            await put(store, b"%d" % number, bytes(100_000), labels=(b"x", b"%d" % (number % 3)))
        await store.invalidate([], [b"1"])
        assert tracemalloc.get_traced_memory()[0] - before > 1_000_000
        del store
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 200_000
    finally:
        tracemalloc.stop()
