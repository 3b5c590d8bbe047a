"""Answers that a disk keeps, below memory and before what other proxies share: given only where all agree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from proxy.storage.contract import Entry, Kept
from proxy.storage.disk.store import DiskStore
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News, Purged
from proxy.storage.selection import Selection
from proxy.storage.tiers.nearby import Nearby
from proxy.storage.tiers.store import Tiers
from tests.storage.lower import LowerStore
from tests.storage.putting import NOW, put, response
from tests.storage.tiers.test_tiers_coherent import KEY, MEANT

NAME = bytes(range(32))


class Place:
    """A machine with memory before a disk; where it is `shared`, before what other proxies have too."""

    def __init__(self, folder: Path, *, shared: bool) -> None:
        self.news = News.unnamed()
        self.disk = DiskStore(folder, 8 << 20, 1 << 20)
        self.fleet = LowerStore(MemoryStore(8 << 20, 1 << 20), slow=True)
        heard = News.of(self.news.fileno())
        memory = MemoryStore(1 << 20, 1 << 20)
        if shared:
            below = Nearby(self.disk, self.fleet)
            self.store = Tiers(memory, below, heard, fleet=below, alone=10.0)
        else:
            self.store = Tiers(memory, self.disk, heard)

    async def close(self) -> None:
        await self.store.close()
        await self.fleet.held.close()
        self.news.close()

    def seen(self) -> list[tuple[Entry, object]]:
        return [(entry, entry.state) for entry in self.store.at_hand(KEY) or ()]

    async def keep(self) -> None:
        """Store something, and have an answer kept beside it."""
        await put(self.store, KEY, b"content", labels=(b"l",))
        for _ in range(2):
            await self.store.look_up(KEY)
        await self.remember(self.seen())
        assert self.recalled() is not None

    async def remember(self, seen: Sequence[tuple[Entry, object]]) -> None:
        assert self.store.answers is not None
        self.store.answers.remember(NAME, KEY, seen, seen[0][0], b"answer")
        await self.disk.do(lambda change: None)

    def recalled(self) -> Kept | None:
        assert self.store.answers is not None
        return self.store.answers.recall(NAME)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path, shared=False)
    yield place
    await place.close()


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path, shared=True)
    yield place
    await place.close()


async def test_what_memory_alone_has_is_not_passed_over(place: Place) -> None:
    """The disk could not take it."""
    await place.keep()
    copy = await put(place.store.memory, KEY, b"newer", at=NOW + 1)
    assert place.recalled() is None
    await place.store.memory.remove(copy)
    assert place.recalled() is not None


async def test_what_memory_knows_better_is_not_passed_over(place: Place) -> None:
    await place.keep()
    (copy,) = place.store.memory.at_hand(KEY)
    await place.store.memory.freshen(copy, response(7, at=NOW + 60))
    assert place.recalled() is None


async def test_an_answer_from_what_has_changed_since_is_not_kept(place: Place) -> None:
    await put(place.store, KEY, b"content")
    before = place.seen()
    await place.store.freshen(before[0][0], response(7, at=NOW + 60))
    await place.remember(before)
    assert place.recalled() is None


@pytest.mark.parametrize("wanted", MEANT)
@pytest.mark.parametrize("soft", [None, NOW + 5])
async def test_what_is_purged_is_not_answered_from(
    place: Place, wanted: Selection, soft: float | None
) -> None:
    await place.keep()
    await place.store.purge(wanted, soft=soft)
    assert place.recalled() is None


async def test_before_what_is_shared_only_what_is_believed_is_answered_from(shared: Place) -> None:
    await shared.keep()
    shared.fleet.changed(KEY)
    assert shared.recalled() is None
    for _ in range(2):
        await shared.store.look_up(KEY)
    assert shared.recalled() is not None, "the shared store has said that it holds the same"
    shared.fleet.epoch += 1
    assert shared.recalled() is None


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_another_process_has_told_is_heard_first(shared: Place, wanted: Selection) -> None:
    """It has purged this, but can't reach the shared store."""
    await shared.keep()
    shared.news.tell(Purged(wanted, owed=True))
    assert shared.recalled() is None


async def test_out_of_touch_for_too_long_nothing_is_answered(shared: Place) -> None:
    await shared.keep()
    shared.fleet.in_touch = False
    await shared.store.expire(NOW)
    assert shared.recalled() is not None
    await shared.store.expire(NOW + 11)
    assert shared.recalled() is None
