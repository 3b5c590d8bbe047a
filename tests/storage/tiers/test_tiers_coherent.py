"""What is the tiers' own: nothing is hidden, nothing outlives what others do, and no trouble below shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.storage import news as module
from proxy.storage.contract import NotInvalidated
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.selection import Selection
from proxy.storage.tiers.store import Tiers
from tests.storage.lower import LowerStore, over
from tests.storage.putting import DIGEST, NOW, contents, put, read, response

KEY = b"GET https://api.example.org/items"
OTHER = b"GET https://api.example.org/carts"
MEANT = [
    Selection(keys=(KEY,)),
    Selection(labels=(b"l",)),
    Selection(prefixes=(b"https://api.example.org/it",)),
    Selection(patterns=(b"/items$",)),
    Selection(everything=True),
]


class Machine:
    """Two processes on one machine: each its own memory, over one store that both use."""

    def __init__(
        self, *, slow: bool = False, bare: bool = False, below: bool = True, memory: int = 4 << 20
    ) -> None:
        self.held = MemoryStore(8 << 20, 1 << 20)
        self.news = News.unnamed()
        self.lowers = [LowerStore(self.held, slow=slow, bare=bare) for _ in range(2)]
        self.one, self.other = (
            over(lower if below else None, memory=memory, news=News.of(self.news.fileno()))
            for lower in self.lowers
        )

    async def close(self) -> None:
        await self.one.close()
        await self.other.close()
        await self.held.close()
        self.news.close()


@pytest.fixture(params=["at hand", "slow", "bare"])
async def machine(request: pytest.FixtureRequest) -> AsyncIterator[Machine]:
    machine = Machine(slow=request.param != "at hand", bare=request.param == "bare")
    yield machine
    await machine.close()


async def copied(store: Tiers, key: bytes = KEY) -> MemoryEntry:
    """The copy of what is under `key`, which is used often enough to have one."""
    await store.look_up(key)
    (entry,) = await store.look_up(key)
    assert isinstance(entry, MemoryEntry)
    return entry


async def test_each_finds_what_the_other_has_stored(machine: Machine) -> None:
    await put(machine.one, KEY, b"first")
    assert await contents(machine.other, KEY) == [b"first"]
    await copied(machine.other)
    await put(machine.one, KEY, b"second")
    assert await contents(machine.other, KEY) == [b"first", b"second"]
    assert await contents(machine.one, KEY) == [b"first", b"second"]


async def test_what_is_used_again_is_answered_from_memory_alone(machine: Machine) -> None:
    await put(machine.one, KEY, b"x" * 30_000, labels=(b"l",))
    entry = await copied(machine.other)
    assert (entry.content, entry.labels) == (b"x" * 30_000, (b"l",))
    lower = machine.lowers[1]
    before = lower.looked_up
    assert machine.other.at_hand(KEY) == (entry,)
    assert list(await machine.other.look_up(KEY)) == [entry]
    assert lower.looked_up == before


async def test_when_one_copy_of_several_has_gone_all_are_still_found(machine: Machine) -> None:
    for number in (1, 2, 3):
        await put(machine.one, KEY, b"%d" % number, at=NOW + number)
    machine.one.memory.drop(machine.one.memory.at_hand(KEY)[1])
    assert await contents(machine.one, KEY) == [b"1", b"2", b"3"]
    assert await contents(machine.one, KEY) == [b"1", b"2", b"3"]
    assert len(machine.one.memory.at_hand(KEY)) == 3


async def test_what_one_freshens_or_replaces_the_other_does_not_use_any_more(machine: Machine) -> None:
    await put(machine.one, KEY, b"old")
    old = await copied(machine.other)
    (entry,) = await machine.one.look_up(KEY)
    await machine.one.freshen(entry, response(3, at=NOW + 60))
    (found,) = await machine.other.look_up(KEY)
    assert found.stored.request_time == NOW + 60
    assert old.state is None
    (entry,) = await machine.one.look_up(KEY)
    await put(machine.one, KEY, b"new", replaces=(entry,), at=NOW + 90)
    assert await contents(machine.other, KEY) == await contents(machine.one, KEY) == [b"new"]
    (entry,) = await machine.other.look_up(KEY)
    await machine.other.remove(entry)
    assert await contents(machine.one, KEY) == await contents(machine.other, KEY) == []


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_one_purges_is_gone_for_the_other(machine: Machine, wanted: Selection) -> None:
    heard: list[Selection] = []
    changed: list[bytes] = []
    machine.other.hear(heard.append)
    machine.other.watch(changed.append)
    await put(machine.one, KEY, b"old", labels=(b"l",))
    await put(machine.one, OTHER, b"kept")
    entry = await copied(machine.other)
    await copied(machine.other, OTHER)
    changed.clear()
    epoch = machine.other.epoch
    purged = await machine.one.purge(wanted)
    assert max(purged.values()) == (2 if wanted.everything else 1)
    assert machine.other.epoch != epoch or KEY in changed
    assert heard[0] == wanted
    assert machine.other.at_hand(KEY) in (None, (), [])
    assert await contents(machine.other, KEY) == await contents(machine.one, KEY) == []
    assert list(await machine.other.labelled(b"l", 9)) == []
    assert entry.state is None
    assert await contents(machine.other, OTHER) == ([] if wanted.everything else [b"kept"])


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_one_purges_softly_is_stale_for_the_other(machine: Machine, wanted: Selection) -> None:
    await put(machine.one, KEY, b"old", labels=(b"l",))
    await copied(machine.other)
    await machine.one.purge(wanted, soft=NOW + 5)
    (entry,) = await machine.other.look_up(KEY)
    assert entry.stored.stale_from == NOW + 5


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_is_only_counted_stays(machine: Machine, wanted: Selection) -> None:
    await put(machine.one, KEY, b"old", labels=(b"l",))
    number = machine.news.number
    counted = await machine.one.purge(wanted, dry=True)
    assert set(counted.values()) == {1}
    assert machine.news.number == number
    assert await contents(machine.other, KEY) == [b"old"]


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_was_on_its_way_when_another_purged_is_not_kept(
    machine: Machine, wanted: Selection
) -> None:
    writer = machine.other.begin(KEY, (b"l",), (), 4)
    assert writer is not None
    assert writer.write(b"ab")
    await machine.one.purge(wanted)
    machine.other.at_hand(OTHER)
    if writer.write(b"cd"):
        assert await writer.commit(response(4), DIGEST) is None
    assert await contents(machine.other, KEY) == await contents(machine.one, KEY) == []


@pytest.mark.parametrize("wanted", MEANT)
async def test_what_is_purged_while_it_is_looked_up_is_not_found(machine: Machine, wanted: Selection) -> None:
    await put(machine.one, KEY, b"old", labels=(b"l",))
    purging: list[asyncio.Task[object]] = []

    def purge() -> None:
        purging.append(asyncio.get_running_loop().create_task(machine.one.purge(wanted)))

    machine.lowers[1].found = purge
    await machine.other.look_up(KEY)
    await asyncio.gather(*purging)
    assert machine.other.at_hand(KEY) in (None, (), [])
    assert await contents(machine.other, KEY) == []


@pytest.mark.parametrize("wanted", MEANT)
async def test_processes_with_nothing_in_common_but_news_purge_for_each_other(wanted: Selection) -> None:
    machine = Machine(below=False)
    entries = [await put(store, KEY, b"old", labels=(b"l",)) for store in (machine.one, machine.other)]
    for number in range(600):
        await put(machine.other, b"GET https://api.example.org/items?%d" % number)
    await machine.one.purge(wanted)
    assert machine.other.at_hand(KEY) in ((), [])
    assert [entry.state for entry in entries] == [None, None]
    assert list(await machine.other.labelled(b"l", 9)) == []
    while await machine.other.expire(NOW):
        pass
    left = sum([bool(machine.other.at_hand(b"GET https://api.example.org/items?%d" % n)) for n in range(600)])
    assert left == (0 if wanted.everything or wanted.prefixes else 600)
    assert machine.other.figures().entries == left
    await machine.close()


async def test_an_invalidation_reaches_all(machine: Machine) -> None:
    await put(machine.one, KEY, b"a", labels=(b"l",))
    await put(machine.one, OTHER, b"b", labels=(b"l", b"m"))
    await copied(machine.other)
    await copied(machine.other, OTHER)
    assert await machine.other.invalidate([KEY], [b"m"]) == 2
    assert await contents(machine.one, KEY) == await contents(machine.one, OTHER) == []


@pytest.mark.parametrize("below", [True, False])
async def test_who_has_not_listened_for_too_long_uses_no_copy(
    monkeypatch: pytest.MonkeyPatch, below: bool
) -> None:
    monkeypatch.setattr(module, "RING", 1024)
    machine = Machine(below=below)
    heard: list[Selection] = []
    machine.other.hear(heard.append)
    await put(machine.other, KEY, b"old")
    for number in range(100):
        await machine.one.invalidate([b"%d" % number], [])
    if below:
        await machine.held.invalidate([KEY], [])
    assert await contents(machine.other, KEY) == []
    assert heard == [Selection(everything=True)]
    await machine.close()


# Trouble below.


async def test_what_does_not_fit_below_is_kept_in_memory(machine: Machine) -> None:
    machine.lowers[0].full = True
    await put(machine.one, KEY, b"content")
    assert await contents(machine.one, KEY) == [b"content"]
    assert await contents(machine.other, KEY) == []
    await machine.other.invalidate([KEY], [])
    assert await contents(machine.one, KEY) == []


async def test_what_fails_below_on_its_way_goes_on_in_memory(machine: Machine) -> None:
    writer = machine.one.begin(KEY, (), (), None)
    assert writer is not None
    assert writer.write(b"abcd")
    machine.lowers[0].full = True
    assert writer.write(b"efgh")
    assert writer.pieces.take(0) == b"abcdefgh"
    assert await writer.commit(response(8), DIGEST) is not None
    assert await contents(machine.one, KEY) == [b"abcdefgh"]


async def test_what_is_too_large_for_memory_is_kept_below() -> None:
    lower = LowerStore(MemoryStore(8 << 20, 2 << 20))
    store = over(lower, memory=128 << 10)
    content = bytes(index % 251 for index in range(500_000))
    writer = store.begin(KEY, (), (), None)
    assert writer is not None
    for first in range(0, len(content), 10_000):
        assert writer.write(content[first : first + 10_000])
    assert writer.pieces.value() == content
    assert await writer.commit(response(len(content)), DIGEST) is not None
    for _ in range(3):
        (entry,) = await store.look_up(KEY)
        assert await read(entry) == content
    assert store.figures().tiers["memory"].entries == 0
    await store.close()


async def test_each_tier_has_its_figures(machine: Machine) -> None:
    await put(machine.one, KEY, b"content")
    figures = machine.one.figures()
    assert figures.entries == 1
    assert {name: tier.entries for name, tier in figures.tiers.items()} == {"memory": 1, "disk": 1}


# A fleet.


class Proxies:
    """Two proxies that share a store, which tells each what the other does."""

    def __init__(self, alone: float | None = None) -> None:
        self.held = MemoryStore(8 << 20, 1 << 20)
        self.lower = LowerStore(self.held, slow=True)
        self.store = over(self.lower, alone=alone)
        self.other = over(LowerStore(self.held, slow=True))

    async def close(self) -> None:
        await self.store.close()
        await self.other.close()


async def test_what_a_fleet_tells_of_is_looked_up_again() -> None:
    proxies = Proxies()
    await put(proxies.other, KEY, b"old")
    entry = await copied(proxies.store)
    await put(proxies.other, KEY, b"new", replaces=tuple(await proxies.other.look_up(KEY)), at=NOW + 1)
    proxies.lower.changed(KEY)
    assert entry.state is None
    assert await contents(proxies.store, KEY) == [b"new"]
    await proxies.other.invalidate([KEY], [])
    proxies.lower.purged(Selection(keys=(KEY,)))
    assert await contents(proxies.store, KEY) == []
    await proxies.close()


async def test_copies_serve_on_while_the_fleet_is_out_of_touch_and_not_once_something_was_missed() -> None:
    proxies = Proxies()
    await put(proxies.store, KEY, b"old")
    await put(proxies.store, OTHER, b"kept")
    await copied(proxies.store)
    proxies.lower.in_touch = False
    await proxies.other.invalidate([KEY], [])
    found = proxies.store.at_hand(KEY)
    assert found
    assert await read(found[0]) == b"old"
    assert proxies.store.at_hand(OTHER), "memory answers alone, as it has something"
    proxies.lower.in_touch, proxies.lower.epoch = True, 1
    before = proxies.store.epoch
    assert await contents(proxies.store, KEY) == []
    assert await contents(proxies.store, OTHER) == [b"kept"]
    assert found[0].state is None
    assert proxies.store.epoch == before
    await proxies.close()


async def test_copies_are_used_for_so_long_at_most_while_it_is_out_of_touch() -> None:
    proxies = Proxies(alone=10.0)
    heard: list[Selection] = []
    proxies.store.hear(heard.append)
    await put(proxies.store, KEY, b"old")
    await copied(proxies.store)
    proxies.lower.in_touch = False
    for later in (0, 9):
        await proxies.store.expire(NOW + later)
        assert proxies.store.at_hand(KEY)
    epoch = proxies.store.epoch
    await proxies.store.expire(NOW + 11)
    assert proxies.store.epoch != epoch
    assert heard == [Selection(everything=True)]
    assert proxies.store.at_hand(KEY) == ()
    writer = proxies.store.begin(OTHER, (), (), 1)
    assert writer is not None
    assert writer.write(b"x")
    await writer.commit(response(1), DIGEST)
    assert proxies.store.at_hand(OTHER) == ()
    proxies.lower.in_touch = True
    await proxies.store.expire(NOW + 12)
    assert await contents(proxies.store, KEY) == [b"old"]
    assert await contents(proxies.store, OTHER) == [b"x"]
    await proxies.close()


async def test_what_is_replaced_leaves_the_fleet_too() -> None:
    proxies = Proxies()
    await put(proxies.store, KEY, b"old")
    entry = await copied(proxies.store)
    await put(proxies.store, KEY, b"new", replaces=(entry,), at=NOW + 1)
    assert await contents(proxies.other, KEY) == [b"new"]
    await proxies.close()


async def test_once_closed_it_can_tell_nobody_and_says_so(machine: Machine) -> None:
    await put(machine.one, KEY, b"still there for others")
    await machine.other.close()
    for wanted in MEANT:
        with pytest.raises(NotInvalidated):
            await machine.other.purge(wanted)
        with pytest.raises(NotInvalidated):
            await machine.other.purge(wanted, soft=NOW)
    with pytest.raises(NotInvalidated):
        await machine.other.invalidate([KEY], [])
