"""What several processes with one store tell each other, and what they do when they have missed something."""

from __future__ import annotations

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

NOTHING = (None, (), [])


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
