"""The disk tier: what every tier does, and what is left for the next process."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from proxy.storage.contract import NotInvalidated
from proxy.storage.disk.store import DiskStore
from proxy.storage.selection import Selection
from tests.storage.putting import NOW, contents, put, read, response
from tests.storage.store_contract import StoreContract
from tests.storage.store_machine import StoreMachine

BUDGET = 8 << 20


class TestDiskStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[DiskStore]:
        said: list[str] = []
        store = DiskStore(tmp_path / "cache", self.BUDGET, self.OBJECT_LIMIT, say=said.append)
        yield store
        await store.close()
        assert said == []


class DiskMachine(StoreMachine):
    VARIANTS = 3

    async def make(self) -> DiskStore:
        self.folder = tempfile.TemporaryDirectory()
        return DiskStore(self.folder.name, BUDGET, 1 << 16, variants=self.VARIANTS)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


DiskMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
TestHistories = DiskMachine.TestCase


def on_disk(folder: Path) -> int:
    """The bytes of all files there, as the file system has put them down."""
    return sum(path.stat().st_blocks * 512 for path in files_in(folder))


async def again(store: DiskStore, folder: Path) -> DiskStore:
    await store.close()
    said: list[str] = []
    after = DiskStore(folder, BUDGET, 1 << 20, say=said.append)
    assert said == []
    return after


async def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    large = os.urandom(200_000)
    await put(store, b"small", b"content", labels=(b"label",), expires=NOW + 50)
    await put(store, b"large", large, labels=(b"label",))
    await put(store, b"gone", b"x", labels=(b"other",))
    await put(store, b"soft", b"y", labels=(b"softly",))
    await store.invalidate([], [b"other"])
    await store.purge(Selection(labels=(b"softly",)), soft=NOW + 5)
    before = store.figures()
    store = await again(store, tmp_path)
    assert store.figures() == before
    assert await contents(store, b"small") == [b"content"]
    assert await contents(store, b"large") == [large]
    assert await contents(store, b"gone") == []
    assert store.at_hand(b"soft")[0].stored.stale_from == NOW + 5
    assert [entry.key for entry in store.labelled_at_hand(b"label", 9)] == [b"large", b"small"]
    assert await store.expire(NOW + 60) == 1
    assert await store.invalidate([], [b"label"]) == 1
    await store.close()


async def test_what_was_used_is_kept_through_a_restart(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    for number in range(12):
        await put(store, b"used %d" % number, bytes(300_000))
    for _ in range(3):
        for number in range(12):
            await read(store.at_hand(b"used %d" % number)[0])
    store = await again(store, tmp_path)
    for number in range(40):
        await put(store, b"once %d" % number, bytes(300_000))
    kept = sum(len(store.at_hand(b"used %d" % number)) for number in range(12))
    assert kept >= 10
    assert store.figures().evicted >= 20
    await store.close()


@pytest.mark.parametrize("size", [1000, 10_000, 200_000])
async def test_all_that_is_on_disk_stays_within_the_budget(tmp_path: Path, size: int) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    for number in range(16_000_000 // (size + 3000)):
        await put(store, b"%d" % number, os.urandom(size), labels=(b"%d" % (number % 7),))
    assert on_disk(tmp_path) <= BUDGET
    figures = store.figures()
    assert figures.evicted > 0
    assert figures.entries * size > BUDGET // 3
    await store.close()


async def test_large_ones_get_their_room_after_small_ones_and_the_other_way_round(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    for number in range(1200):
        await put(store, b"small %d" % number, os.urandom(8000))
    for number in range(12):
        await put(store, b"large %d" % number, os.urandom(500_000))
        assert len(store.at_hand(b"large %d" % number)) == 1
        assert on_disk(tmp_path) <= BUDGET
    for number in range(400):
        await put(store, b"more %d" % number, os.urandom(8000))
        assert len(store.at_hand(b"more %d" % number)) == 1
    assert on_disk(tmp_path) <= BUDGET
    await store.close()


async def test_variants_are_bounded_and_the_oldest_goes(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 10, variants=3)
    for number in range(10):
        await put(store, b"key", b"%d" % number)
    assert await contents(store, b"key") == [b"7", b"8", b"9"]
    assert store.figures().evicted == 7
    await store.close()


async def test_a_state_lasts_while_nothing_changes_and_no_longer(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    entry = await put(store, b"key", labels=(b"label",))
    (found,) = store.at_hand(b"key")
    states = entry.state, found.state
    assert None not in states
    await put(store, b"other")
    assert (entry.state is states[0], found.state is states[1]) == (True, True)
    await store.freshen(entry, response(7, at=NOW + 60))
    assert entry.state is not states[0]
    assert found.state not in (None, states[1])
    assert found.stored.request_time == NOW + 60
    await store.invalidate([], [b"label"])
    assert (entry.state, found.state) == (None, None)
    await store.close()


async def test_an_entry_is_of_no_use_after_the_end(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    entry = await put(store, b"key")
    await store.close()
    await store.close()
    assert entry.state is None
    assert list(await store.look_up(b"key")) == []
    assert store.begin(b"key", (), (), 5) is None


async def test_many_invalidations_take_little_room(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 1 << 20, 1 << 16)
    early = store.begin(b"early", (), (), 1)
    assert early is not None
    for number in range(600):
        await store.invalidate([b"%d" % number], [b"label %d" % number])
    late = store.begin(b"late", (b"label 3",), (), 1)
    assert late is not None
    for writer in (early, late):
        assert writer.write(b"x")
    assert await early.commit(response(1), "") is None  # nobody knows any more what came between
    assert await late.commit(response(1), "") is not None
    assert on_disk(tmp_path) <= 1 << 20
    await store.close()


async def test_what_is_read_as_it_comes_need_not_be_in_memory(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 64 << 20, 16 << 20)
    content = os.urandom(8 << 20)
    writer = store.begin(b"key", (), (), None)
    assert writer is not None
    for at in range(0, len(content), 50_000):
        assert writer.write(content[at : at + 50_000])
    at, held = 0, b""
    while at < len(content):
        piece = writer.pieces.take(at)
        held += piece
        at += len(piece)
    assert held == content
    entry = await writer.commit(response(len(content)), "digest")
    assert entry is not None
    assert await read(entry) == content
    await store.close()


async def test_what_is_not_kept_leaves_no_file_even_when_nobody_waits_for_it(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    writer = store.begin(b"key", (b"label",), (), 100_000)
    assert writer is not None
    assert writer.write(bytes(100_000))
    await store.invalidate([], [b"label"])
    committing = asyncio.create_task(writer.commit(response(100_000), "digest"))
    await asyncio.sleep(0)
    committing.cancel()
    await store.expire(0)
    await store.close()
    assert [path for path in files_in(tmp_path) if path.parent.parent.name == "contents"] == []


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_once_closed_it_says_that_nothing_was_invalidated(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    await put(store, b"a", b"still there for others")
    await store.close()
    with pytest.raises(NotInvalidated):
        await store.invalidate([b"a"], [])
    for wanted in (Selection(keys=(b"a",)), Selection(everything=True), Selection(prefixes=(b"http",))):
        with pytest.raises(NotInvalidated):
            await store.purge(wanted)
        with pytest.raises(NotInvalidated):
            await store.purge(wanted, soft=NOW)


async def test_what_is_closed_while_it_goes_through_all_says_so(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    for number in range(450):
        await put(store, b"GET http://a/%d" % number)
    purging = asyncio.ensure_future(store.purge(Selection(patterns=(b"/449$",))))
    while store.figures().evicted == 0 and not purging.done():
        await asyncio.sleep(0)
        store._closed = True  # as `close` has it first of all
    with pytest.raises(NotInvalidated):
        await purging
    store._closed = False
    await store.close()
