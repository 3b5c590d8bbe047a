"""What comes between two steps of something else: each test stops one at the moment that matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from proxy.storage.contract import Entry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import Purged
from proxy.storage.selection import Selection
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


async def _stored(store: Tiers) -> None:
    writer = store.begin(KEY, (b"l",), (), 3)
    assert writer is not None
    assert writer.write(b"old")
    await writer.commit(response(3), DIGEST)


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
