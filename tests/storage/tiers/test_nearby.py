"""A disk in front of a store that other proxies share: what is on disk is never believed for too long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from proxy.storage.memory.store import MemoryStore
from proxy.storage.selection import Selection
from proxy.storage.tiers.nearby import Nearby
from tests.storage.lower import LowerStore
from tests.storage.putting import NOW, contents, put

KEY = b"GET https://api.example.org/items"
WANTED = (Selection(keys=(KEY,)), Selection(labels=(b"l",)), Selection(everything=True))


class Place:
    """A machine with a disk, before what other proxies share."""

    def __init__(self) -> None:
        self.disk = LowerStore(MemoryStore(8 << 20, 1 << 20))
        self.fleet = LowerStore(MemoryStore(8 << 20, 1 << 20), slow=True)
        self.store = Nearby(self.disk, self.fleet)

    async def confirmed(self) -> None:
        """Have the same in both, and the disk believed."""
        await put(self.store, KEY, b"old", labels=(b"l",))
        await self.store.look_up(KEY)
        assert self.store.at_hand(KEY)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    yield place
    await place.disk.held.close()
    await place.fleet.held.close()


@pytest.mark.parametrize("wanted", WANTED)
async def test_what_another_proxy_purges_softly_is_stale_on_disk_too(place: Place, wanted: Selection) -> None:
    await place.confirmed()
    await place.fleet.purge(wanted, soft=NOW + 9)
    place.fleet.purged(wanted)
    for _ in range(3):
        assert [entry.stored.stale_from for entry in await place.store.look_up(KEY)] == [NOW + 9]
    (entry,) = place.store.at_hand(KEY) or ()
    assert entry.stored.stale_from == NOW + 9, "the disk is believed again"


def _purged_here(place: Place, wanted: Selection) -> Callable[[], None]:
    """What this process does itself while it reads: both tiers, and what it notes first and last."""

    def purge() -> None:
        purging = place.store.purge(wanted)
        try:
            while True:
                purging.send(None)  # type: ignore[attr-defined]
        except StopIteration:
            pass

    return purge


@pytest.mark.parametrize("wanted", WANTED)
async def test_what_is_purged_here_while_it_is_read_does_not_come_back_by_the_disk(
    place: Place, wanted: Selection
) -> None:
    await put(place.fleet, KEY, b"old", labels=(b"l",))
    await place.store.look_up(KEY)  # from now on it is copied
    place.fleet.found = _purged_here(place, wanted)
    await place.store.look_up(KEY)
    assert list(place.disk.held.at_hand(KEY)) == []
    assert place.store.at_hand(KEY) is None
    assert await contents(place.store, KEY) == []


@pytest.mark.parametrize("wanted", WANTED)
async def test_what_another_process_purges_while_it_is_read_is_not_copied(
    place: Place, wanted: Selection
) -> None:
    await put(place.fleet, KEY, b"old", labels=(b"l",))
    await place.store.look_up(KEY)
    place.fleet.found = lambda: place.store.heard(wanted, None, owed=False)
    await place.store.look_up(KEY)
    assert list(place.disk.held.at_hand(KEY)) == []
    assert place.store.at_hand(KEY) is None


@pytest.mark.parametrize("wanted", WANTED)
async def test_what_another_process_has_purged_is_asked_for_once_more(
    place: Place, wanted: Selection
) -> None:
    await place.confirmed()
    place.store.heard(wanted, None, owed=False)
    assert place.store.at_hand(KEY) is None
    assert await contents(place.store, KEY) == [b"old"], "the fleet's store has been asked"
