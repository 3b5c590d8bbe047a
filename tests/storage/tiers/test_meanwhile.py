"""What comes between two steps of something else: each test stops one at the moment that matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.caching.stored import StoredResponse
from proxy.storage import news as news_module
from proxy.storage.contract import Entry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import NAME, News, Purged
from proxy.storage.selection import Selection
from proxy.storage.tiers.copies import is_same
from proxy.storage.tiers.store import Tiers
from tests.storage.lower import LowerStore, over
from tests.storage.putting import DIGEST, NOW, contents, put, response
from tests.storage.tiers.test_tiers_coherent import KEY, MEANT, OTHER, Machine, copied

SOFT = NOW + 5
NOTHING = (None, (), [])


@pytest.fixture(params=["at hand", "slow", "read"])
async def machine(request: pytest.FixtureRequest) -> AsyncIterator[Machine]:
    machine = Machine(slow=request.param == "slow", bare=request.param == "read")
    yield machine
    await machine.close()


async def while_it_purges(
    machine: Machine, wanted: Selection, soft: float | None, do: Awaitable[Entry]
) -> Entry:
    """What `do` gives, which is done when `one` has begun to purge and nothing has happened below."""
    stop = machine.lowers[0].stop("purge")
    purging = asyncio.ensure_future(machine.one.purge(wanted, soft=soft))
    await asyncio.wait_for(stop.reached.wait(), 10)
    done = await do
    stop.go()
    await purging
    return done


@pytest.mark.parametrize("wanted", MEANT)
@pytest.mark.parametrize("by", ["one", "other"])
async def test_what_is_copied_while_it_is_purged_goes_with_it(
    machine: Machine, wanted: Selection, by: str
) -> None:
    store: Tiers = getattr(machine, by)
    await put(machine.one, KEY, b"old", labels=(b"l",))
    entry = await while_it_purges(machine, wanted, None, copied(store))
    assert await contents(store, KEY) == []
    assert store.at_hand(KEY) in NOTHING
    assert list(await store.labelled(b"l", 9)) == []
    assert entry.state is None


@pytest.mark.parametrize("wanted", MEANT)
@pytest.mark.parametrize("by", ["one", "other"])
async def test_what_is_copied_while_it_is_purged_softly_is_stale(
    machine: Machine, wanted: Selection, by: str
) -> None:
    store: Tiers = getattr(machine, by)
    await put(machine.one, KEY, b"old", labels=(b"l",))
    await while_it_purges(machine, wanted, SOFT, copied(store))
    assert [entry.stored.stale_from for entry in await store.look_up(KEY)] == [SOFT]


@pytest.mark.parametrize("wanted", MEANT)
async def test_others_hear_of_a_purge_before_it_is_done_and_after(
    machine: Machine, wanted: Selection
) -> None:
    """Who has asked the origin before, and begins to store when it was done below, knows by the first."""
    heard: list[Selection] = []
    machine.other.hear(heard.append)

    async def begin() -> Entry:
        entry = await put(machine.other, OTHER)
        assert heard == [wanted]
        return entry

    await while_it_purges(machine, wanted, None, begin())
    machine.other.at_hand(KEY)
    assert heard == [wanted] * 2


@pytest.mark.parametrize("wanted", MEANT)
async def test_a_purge_is_brought_to_its_end_when_whoever_asked_for_it_has_gone(
    machine: Machine, wanted: Selection
) -> None:
    await put(machine.one, KEY, b"old", labels=(b"l",))
    stop = machine.lowers[0].stop("purge")
    purging = asyncio.ensure_future(machine.one.purge(wanted))
    await asyncio.wait_for(stop.reached.wait(), 10)
    copies = [await copied(store) for store in (machine.one, machine.other)]
    purging.cancel()
    await asyncio.gather(purging, return_exceptions=True)
    assert purging.cancelled()
    stop.go()
    await machine.one.close()
    assert list(machine.held.at_hand(KEY)) == []
    assert await contents(machine.other, KEY) == []
    assert [copy.state for copy in copies] == [None, None]


# What is read while something happens to it.


def _purged(wanted: Selection) -> Callable[[Tiers], Awaitable[object]]:
    return lambda store: store.purge(wanted)


async def _replaced(store: Tiers) -> None:
    await put(store, KEY, b"new", labels=(b"l",), replaces=tuple(await store.look_up(KEY)), at=NOW + 1)


async def _freshened(store: Tiers) -> None:
    (entry,) = await store.look_up(KEY)
    await store.freshen(entry, response(3, at=NOW + 60))


async def _removed(store: Tiers) -> None:
    (entry,) = await store.look_up(KEY)
    await store.remove(entry)


HAPPENING = [*map(_purged, MEANT), _replaced, _freshened, _removed]


@pytest.mark.parametrize("happens", HAPPENING)
@pytest.mark.parametrize("by", ["one", "other"])
@pytest.mark.parametrize(
    ("where", "memory"),
    [("look", 4 << 20), ("look", 0), ("read", 4 << 20)],
    ids=["look", "no memory", "read"],
)
async def test_what_is_read_meanwhile_is_read_again(
    where: str, memory: int, by: str, happens: Callable[[Tiers], Awaitable[object]]
) -> None:
    """Neither is it found as it was, nor does a copy of that stay."""
    machine = Machine(slow=where == "look", bare=where == "read", memory=memory)
    store = machine.other
    await put(machine.one, KEY, b"old", labels=(b"l",))
    if where == "read":
        await store.look_up(KEY)  # the second time it is copied
    stop = machine.lowers[1].stop(where)
    looking = asyncio.ensure_future(store.look_up(KEY))
    await asyncio.wait_for(stop.reached.wait(), 10)
    await happens(getattr(machine, by))
    stop.go()
    expected = [(entry.stored.request_time, entry.digest) for entry in machine.held.at_hand(KEY)]
    for found in (await looking, await store.look_up(KEY), await store.look_up(KEY)):
        assert [(entry.stored.request_time, entry.digest) for entry in found] == expected
    assert await contents(store, KEY) == await contents(machine.one, KEY)
    await machine.close()


@pytest.mark.parametrize("wanted", MEANT)
@pytest.mark.parametrize("by", ["one", "other"])
async def test_what_is_looked_for_by_its_label_meanwhile_is_looked_for_again(
    wanted: Selection, by: str
) -> None:
    machine = Machine(slow=True)
    await put(machine.one, KEY, b"old", labels=(b"l",))
    stop = machine.lowers[1].stop("look")
    looking = asyncio.ensure_future(machine.other.labelled(b"l", 9))
    await asyncio.wait_for(stop.reached.wait(), 10)
    await getattr(machine, by).purge(wanted)
    stop.go()
    assert list(await looking) == []
    await machine.close()


@pytest.mark.parametrize("copied_before", [True, False])
async def test_what_is_stored_below_alone_while_its_neighbour_is_read_is_not_hidden(
    copied_before: bool,
) -> None:
    """Its neighbour's copy is not all that there is."""
    held = MemoryStore(8 << 20, 2 << 20)
    lower = LowerStore(held, slow=True)
    store = over(lower, memory=64 << 10)
    await put(store, KEY, b"small")
    if copied_before:
        await copied(store)
        store._copies._whole.clear()  # as if another variant's copy had been evicted
    else:
        store.memory.drop(store.memory.at_hand(KEY)[0])
    stop = lower.stop("look")
    looking = asyncio.ensure_future(store.look_up(KEY))
    await asyncio.wait_for(stop.reached.wait(), 10)
    large = bytes(500_000)
    await put(store, KEY, large, at=NOW + 1)
    stop.go()
    await looking
    for _ in range(3):
        assert await contents(store, KEY) == [large, b"small"]
    await store.close()
    await held.close()


# What is stored while something happens to it.


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_is_purged_while_it_is_committed_leaves_no_copy(
    machine: Machine, wanted: Selection
) -> None:
    stop = machine.lowers[1].stop("committed")
    storing = asyncio.ensure_future(_stored(machine.other))
    await asyncio.wait_for(stop.reached.wait(), 10)
    await machine.one.purge(wanted)
    machine.other.at_hand(OTHER)  # who hears of it is not who stores
    stop.go()
    await storing
    assert machine.other.memory.at_hand(KEY) in NOTHING
    assert await contents(machine.other, KEY) == []
    assert not machine.other._told.writers


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_is_softened_while_it_is_committed_has_no_fresh_copy(
    machine: Machine, wanted: Selection
) -> None:
    stop = machine.lowers[1].stop("committed")
    storing = asyncio.ensure_future(_stored(machine.other))
    await asyncio.wait_for(stop.reached.wait(), 10)
    await machine.one.purge(wanted, soft=SOFT)
    machine.other.at_hand(OTHER)
    stop.go()
    await storing
    assert [entry.stored.stale_from for entry in await machine.other.look_up(KEY)] == [SOFT]


@pytest.mark.parametrize("wanted", MEANT)
@pytest.mark.parametrize("heard", [True, False])
async def test_what_others_purge_while_it_is_on_its_way_stays_nowhere(wanted: Selection, heard: bool) -> None:
    """Whether or not it could be purged below yet, and has been heard of before the end."""
    machine = Machine(slow=True)
    writer = machine.other.begin(KEY, (b"l",), (), 3)
    assert writer is not None
    assert writer.write(b"old")
    machine.news.tell(Purged(wanted, owed=True))
    if heard:
        machine.other.at_hand(OTHER)
    assert await writer.commit(response(3), DIGEST) is None
    assert list(machine.held.at_hand(KEY)) == []
    assert await contents(machine.other, KEY) == []
    await machine.close()


@pytest.mark.parametrize("wanted", MEANT)
async def test_with_nothing_below_it_is_not_kept_either(wanted: Selection) -> None:
    machine = Machine(below=False)
    writer = machine.other.begin(KEY, (b"l",), (), 3)
    assert writer is not None
    assert writer.write(b"old")
    await machine.one.purge(wanted)
    machine.other.at_hand(OTHER)
    assert not writer.write(b"more")
    assert await writer.commit(response(3), DIGEST) is None
    await machine.close()


@pytest.mark.parametrize("by", ["one", "other"])
@pytest.mark.parametrize("change", ["store", "freshen", "remove", "purge"])
async def test_each_change_is_told_to_who_watches_even_without_a_copy(by: str, change: str) -> None:
    """Others may remember what they made of an entry below."""
    machine = Machine(slow=True, memory=0)
    changed: list[bytes] = []
    await put(machine.one, KEY, b"old")
    store: Tiers = getattr(machine, by)
    (entry,) = await store.look_up(KEY)
    machine.other.at_hand(OTHER)
    machine.other.watch(changed.append)
    if change == "store":
        await put(store, KEY, b"new", at=NOW + 1)
    elif change == "freshen":
        await store.freshen(entry, response(3, at=NOW + 60))
    elif change == "remove":
        await store.remove(entry)
    else:
        await store.purge(Selection(keys=(KEY,)))
    machine.other.at_hand(OTHER)
    assert KEY in changed
    await machine.close()


async def _stored(store: Tiers) -> None:
    writer = store.begin(KEY, (b"l",), (), 3)
    assert writer is not None
    assert writer.write(b"old")
    await writer.commit(response(3), DIGEST)


# What is heard of when.


@pytest.mark.parametrize("wanted", MEANT)
async def test_who_begins_to_store_has_heard_of_all_before(wanted: Selection) -> None:
    machine = Machine()
    heard: list[Selection] = []
    machine.other.hear(heard.append)
    machine.news.tell(Purged(wanted))
    writer = machine.other.begin(KEY, (), (), 1)
    assert heard == [wanted]
    assert writer is not None
    writer.abort()
    await machine.close()


@pytest.mark.parametrize("wanted", MEANT[:2])
async def test_what_another_has_purged_is_not_counted_again(machine: Machine, wanted: Selection) -> None:
    await put(machine.one, KEY, b"old", labels=(b"l",))
    await copied(machine.other)
    await machine.one.purge(wanted)
    for dry in (True, False):
        assert set((await machine.other.purge(wanted, dry=dry)).values()) == {0}


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_was_purged_is_not_at_hand_by_its_label(machine: Machine, wanted: Selection) -> None:
    await put(machine.one, KEY, b"old", labels=(b"l",))
    await copied(machine.other)
    await machine.one.purge(wanted)
    assert machine.other.labelled_at_hand(b"l", 9) in NOTHING


@pytest.mark.parametrize("change", ["freshen", "replace", "remove"])
async def test_what_is_changed_by_its_handle_below_leaves_no_copy(machine: Machine, change: str) -> None:
    """Somebody found it before there was a copy."""
    await put(machine.one, KEY, b"old")
    (handle,) = await machine.lowers[1].look_up(KEY)
    await copied(machine.other)
    if change == "replace":
        await put(machine.other, KEY, b"new", replaces=(handle,), at=NOW + 60)
    elif change == "freshen":
        await machine.other.freshen(handle, response(3, at=NOW + 60))
    else:
        await machine.other.remove(handle)
    times = [entry.stored.request_time for entry in await machine.other.look_up(KEY)]
    assert times == ([] if change == "remove" else [NOW + 60])


async def test_of_many_purges_at_once_none_is_forgotten() -> None:
    machine = Machine(below=False)
    await put(machine.other, KEY, b"old")
    for number in range(50):
        await machine.one.purge(Selection(prefixes=(b"https://%d." % number,)))
    await machine.one.purge(Selection(prefixes=(b"https://api.",)))
    assert machine.other.at_hand(KEY) in NOTHING
    await machine.close()


async def test_a_purge_that_was_seen_to_is_over() -> None:
    """It has nothing to do with what is stored afterwards."""
    machine = Machine(below=False)
    await put(machine.other, KEY, b"old")
    await machine.one.purge(Selection(prefixes=(b"https://api.",)))
    assert machine.other.at_hand(KEY) in NOTHING
    await put(machine.other, KEY, b"new")
    await machine.one.purge(Selection(prefixes=(b"https://another.",)))
    assert await contents(machine.other, KEY) == [b"new"]
    await machine.close()


async def test_what_others_purged_gives_its_memory_back_with_time() -> None:
    machine = Machine(below=False)
    for number in range(600):
        await put(machine.other, b"GET https://api.example.org/items?%d" % number)
    await machine.one.purge(Selection(prefixes=(b"https://api.",)))
    while await machine.other.expire(NOW):
        pass
    assert machine.other.figures().entries == 0
    await machine.close()


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_could_not_be_purged_below_yet_is_told_as_owed(wanted: Selection) -> None:
    machine = Machine(slow=True)
    machine.lowers[0].owed = [wanted]
    await machine.one.purge(wanted)
    machine.other.at_hand(KEY)
    assert machine.lowers[1].owed == [wanted]
    await machine.close()


async def test_who_has_missed_something_still_finds_what_is_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news_module, "RING", 1024)
    machine = Machine(slow=True)
    await put(machine.other, KEY, b"old")
    await copied(machine.other)
    for number in range(100):
        await machine.one.invalidate([b"%d" % number], [])
    assert await contents(machine.other, KEY) == [b"old"]
    await machine.close()


async def test_time_out_of_touch_is_counted_anew_each_time() -> None:
    lower = LowerStore(MemoryStore(8 << 20, 1 << 20), slow=True)
    store = over(lower, alone=10.0)
    await put(store, KEY, b"old")
    await copied(store)
    for later, in_touch in ((0, False), (5, True), (9, False), (12, False)):
        lower.in_touch = in_touch
        await store.expire(NOW + later)
        assert store.at_hand(KEY)
    await store.expire(NOW + 20)
    assert store.at_hand(KEY) == ()
    await store.close()
    await lower.held.close()


# A folder that is taken away while others have its news.


class Folder:
    """Two processes that began with a folder, which is then taken away and begun anew by another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held = MemoryStore(8 << 20, 1 << 20)
        path.mkdir()
        self.old = [self.process(), self.process()]

    def process(self) -> Tiers:
        lower = LowerStore(self.held, slow=True)
        memory = MemoryStore(4 << 20, 1 << 20)
        return Tiers(memory, lower, News.at(self.path), folder=self.path)

    def take_away(self) -> None:
        (self.path / NAME).unlink()

    async def close(self, *others: Tiers) -> None:
        for one in (*self.old, *others):
            await one.close()
        await self.held.close()


async def test_who_notices_that_its_folder_is_gone_tells_the_others_and_hears_the_new_ones(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path / "cache")
    await put(folder.old[0], KEY, b"old")
    for store in folder.old:
        await copied(store)
    folder.take_away()
    new = folder.process()
    await new.purge(Selection(keys=(KEY,)))
    await put(new, OTHER, b"kept")
    await folder.old[0].expire(NOW)
    for store in folder.old:
        assert await contents(store, KEY) == [], "what was missed meanwhile"
        await copied(store, OTHER)
    await new.purge(Selection(keys=(OTHER,)))
    for store in folder.old:
        assert await contents(store, OTHER) == [], "what is told from then on"
    await folder.close(new)


@pytest.mark.parametrize(
    "other",
    [
        response(5),
        response(4, at=NOW + 1),
        replace(response(4), response_time=NOW + 9),
        replace(response(4), request_time=NOW - 9),
        replace(response(4), first=2),
        response(4, target=b"/others"),
    ],
    ids=["length", "times", "response time", "request time", "part", "request"],
)
async def test_what_differs_is_not_the_same(other: StoredResponse) -> None:
    store = MemoryStore(1 << 20, 1 << 20)

    async def stored(stored: StoredResponse, digest: str = DIGEST) -> Entry:
        writer = store.begin(KEY, (), (), stored.length)
        assert writer is not None
        writer.write(bytes(stored.length))
        entry = await writer.commit(stored, digest)
        assert entry is not None
        return entry

    first = await stored(response(4))
    assert is_same(first, await stored(response(4)))
    assert not is_same(first, await stored(other))
    assert not is_same(first, await stored(response(4), DIGEST.replace("4", "5")))
    await store.close()
