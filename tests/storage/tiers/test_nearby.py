"""A disk in front of a store that other proxies share: what is on disk is never believed for too long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from proxy.storage.contract import Entry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.selection import Selection
from proxy.storage.tiers.nearby import Nearby
from tests.storage.lower import LowerStore
from tests.storage.putting import DIGEST, NOW, contents, put, response

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
async def test_what_is_read_while_it_is_purged_in_the_shared_store_is_not_believed(
    place: Place, wanted: Selection
) -> None:
    await place.confirmed()
    stop = place.fleet.stop("purge")
    purging = asyncio.ensure_future(place.store.purge(wanted))
    await asyncio.wait_for(stop.reached.wait(), 10)
    for _ in range(3):
        await place.store.look_up(KEY)
    assert place.store.at_hand(KEY), "it is on disk again, and believed"
    stop.go()
    await purging
    assert place.store.at_hand(KEY) is None
    assert await contents(place.store, KEY) == []


async def _looking(place: Place, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Look up what is on disk and not believed any more, while something happens to what was found."""
    await place.confirmed()
    place.fleet.epoch += 1
    stop = place.fleet.stop("look")
    looking = asyncio.ensure_future(place.store.look_up(KEY))
    await asyncio.wait_for(stop.reached.wait(), 10)
    await meanwhile()
    stop.go()
    await looking


@pytest.mark.parametrize("wanted", WANTED)
async def test_what_another_proxy_purges_while_it_is_read_is_not_believed(
    place: Place, wanted: Selection
) -> None:
    async def purge() -> None:
        await place.fleet.purge(wanted)
        place.fleet.purged(wanted)

    await _looking(place, purge)
    assert place.store.at_hand(KEY) is None
    assert await contents(place.store, KEY) == []


async def test_what_another_proxy_replaces_while_it_is_read_is_not_believed(place: Place) -> None:
    async def replace() -> None:
        await put(place.fleet, KEY, b"new", replaces=tuple(await place.fleet.look_up(KEY)), at=NOW + 1)
        place.fleet.changed(KEY)

    await _looking(place, replace)
    assert place.store.at_hand(KEY) is None
    assert await contents(place.store, KEY) == [b"new"]


async def test_what_is_read_while_touch_is_lost_is_not_believed(place: Place) -> None:
    async def lose() -> None:
        place.fleet.in_touch = False

    await _looking(place, lose)
    assert place.store.at_hand(KEY) == ()


async def test_what_another_proxy_changes_is_not_believed_any_more(place: Place) -> None:
    await place.confirmed()
    place.fleet.changed(KEY)
    assert place.store.at_hand(KEY) is None


async def test_nothing_is_believed_once_something_was_missed(place: Place) -> None:
    await place.confirmed()
    place.fleet.epoch += 1
    assert place.store.at_hand(KEY) is None


async def test_what_is_only_on_disk_of_what_is_shared_is_let_go(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shared store has one of two: the other was removed there."""
    await put(place.store, KEY, b"old")
    await put(place.disk, KEY, b"removed elsewhere", at=NOW - 9)
    remove = place.disk.remove

    async def removed(entry: Entry) -> None:
        assert place.store.at_hand(KEY) is None, "before it has gone the disk is not believed"
        await remove(entry)

    monkeypatch.setattr(place.disk, "remove", removed)
    assert await contents(place.store, KEY) == [b"old"]
    await place.store.look_up(KEY)
    assert [bytes(entry.content or b"") for entry in place.store.at_hand(KEY) or ()] == [b"old"]


async def test_what_is_replaced_leaves_both(place: Place) -> None:
    for known in ("disk", "fleet"):
        await put(place.store, KEY, b"old", at=NOW)
        old = tuple(await getattr(place, known).look_up(KEY))
        await put(place.store, KEY, b"new", replaces=old, at=NOW + 1)
        assert [bytes(one.content or b"") for one in place.disk.held.at_hand(KEY)] == [b"new"]
        assert [bytes(one.content or b"") for one in place.fleet.held.at_hand(KEY)] == [b"new"]
        await place.store.invalidate([KEY], [])


async def test_out_of_touch_only_what_is_believed_is_found(place: Place) -> None:
    await place.confirmed()
    await put(place.disk, b"GET https://api.example.org/unknown", b"unknown", labels=(b"l",))
    place.fleet.in_touch = False
    assert [entry.key for entry in place.store.labelled_at_hand(b"l", 9) or ()] == [KEY]
    assert place.store.at_hand(b"GET https://api.example.org/unknown") == ()


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


@pytest.mark.parametrize("wanted", WANTED)
async def test_what_was_purged_on_its_way_is_not_kept_on_disk_alone(place: Place, wanted: Selection) -> None:
    """The shared store does not take it, so only what was heard says that it is old."""
    writer = place.store.begin(KEY, (b"l",), (), 3)
    assert writer is not None
    assert writer.write(b"old")
    place.fleet.full = True
    place.store.heard(wanted, None, owed=False)
    assert await writer.commit(response(3), DIGEST) is None
    assert list(place.disk.held.at_hand(KEY)) == []
    assert place.store.at_hand(KEY) is None
