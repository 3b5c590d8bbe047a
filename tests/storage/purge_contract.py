"""What every tier promises of `purge`. `StoreContract` inherits it, and with it each tier's tests."""

from __future__ import annotations

import asyncio

import pytest

from proxy.storage.contract import Entry, Store
from proxy.storage.selection import Selection
from tests.storage.putting import DIGEST, NOW, contents, put, read, response

API = b"GET https://api.example.org"
LATER = NOW + 10


async def stale_from(store: Store, key: bytes) -> list[float | None]:
    return [entry.stored.stale_from for entry in await store.look_up(key)]


async def purged(store: Store, wanted: Selection, *, soft: float | None = None, dry: bool = False) -> int:
    """How many there were, in whatever tiers."""
    return max((await store.purge(wanted, soft=soft, dry=dry)).values(), default=0)


async def some(store: Store) -> None:
    """Seven entries, of which two are under one key and one is of a QUERY."""
    await put(store, API + b"/items/1", b"one", labels=(b"tag:a",))
    await put(store, API + b"/items/1", b"variant", labels=(b"tag:a", b"tag:b"))
    await put(store, API + b"/items/2.json", b"two", labels=(b"tag:b",))
    await put(store, API + b"/itemsets", b"three")
    await put(store, API + b"/users?page=1", b"four", labels=(b"tag:c",))
    await put(store, b"QUERY https://api.example.org/items/1\n00\n-", b"five", labels=(b"uri:items/1",))
    await put(store, b"GET https://other.example.org/items/1", b"six", labels=(b"other:a",))


SELECTIONS = {
    "a key": (Selection(keys=(API + b"/items/1",)), {b"one", b"variant"}),
    "a key and a label": (
        Selection(keys=(API + b"/items/1",), labels=(b"uri:items/1",)),
        {b"one", b"variant", b"five"},
    ),
    "a label": (Selection(labels=(b"tag:a",)), {b"one", b"variant"}),
    "labels": (Selection(labels=(b"tag:a", b"tag:b", b"unknown")), {b"one", b"variant", b"two"}),
    "a key and its own label": (
        Selection(keys=(API + b"/items/1",), labels=(b"tag:b",)),
        {b"one", b"variant", b"two"},
    ),
    "a beginning": (
        Selection(prefixes=(b"https://api.example.org/items/",)),
        {b"one", b"variant", b"two", b"five"},
    ),
    "a pattern": (Selection(patterns=(rb"\.json$", rb"\?page=\d+")), {b"two", b"four"}),
    "a beginning and a label": (
        Selection(prefixes=(b"https://other.",), labels=(b"tag:c",)),
        {b"four", b"six"},
    ),
    "everything": (
        Selection(everything=True),
        {b"one", b"variant", b"two", b"three", b"four", b"five", b"six"},
    ),
    "what is not there": (Selection(keys=(b"GET x",), labels=(b"y",), prefixes=(b"z",)), set()),
    "nothing": (Selection(), set()),
}
TWICE_OVER = {"labels", "a key and its own label"}
KEYS = (
    API + b"/items/1",
    API + b"/items/2.json",
    API + b"/itemsets",
    API + b"/users?page=1",
    b"QUERY https://api.example.org/items/1\n00\n-",
    b"GET https://other.example.org/items/1",
)


def counts(name: str) -> range:
    """How many a tier may tell: one entry that is meant twice over may be counted twice."""
    return range(len(SELECTIONS[name][1]), len(SELECTIONS[name][1]) + 1 + (name in TWICE_OVER))


async def all_of(store: Store) -> list[Entry]:
    return [entry for key in KEYS for entry in await store.look_up(key)]


WAYS = [
    Selection(keys=(b"k",)),
    Selection(labels=(b"l",)),
    Selection(prefixes=(b"",)),
    Selection(everything=True),
]


class PurgeContract:
    """Each test has a `store` of its own."""

    @pytest.mark.parametrize("name", SELECTIONS)
    async def test_purges_just_what_is_wanted(self, store: Store, name: str) -> None:
        wanted, gone = SELECTIONS[name]
        await some(store)
        everything = {await read(entry) for entry in await all_of(store)}
        assert await purged(store, wanted) in counts(name)
        assert {await read(entry) for entry in await all_of(store)} == everything - gone
        assert await purged(store, wanted) == 0

    @pytest.mark.parametrize("name", SELECTIONS)
    async def test_purges_softly_just_what_is_wanted(self, store: Store, name: str) -> None:
        wanted, meant = SELECTIONS[name]
        await some(store)
        assert await purged(store, wanted, soft=LATER) in counts(name)
        found = await all_of(store)
        assert len(found) == 7
        assert {await read(entry) for entry in found if entry.stored.stale_from == LATER} == meant
        assert {entry.stored.stale_from for entry in found} <= {None, LATER}

    @pytest.mark.parametrize("name", SELECTIONS)
    @pytest.mark.parametrize("soft", [None, LATER])
    async def test_a_dry_run_changes_nothing(self, store: Store, name: str, soft: float | None) -> None:
        wanted, _ = SELECTIONS[name]
        await some(store)
        found = await all_of(store)
        states, epoch = [entry.state for entry in found], store.epoch
        writer = store.begin(API + b"/items/1", (b"tag:a", b"y"), (), 4)
        assert writer is not None
        assert await purged(store, wanted, soft=soft, dry=True) in counts(name)
        assert (store.epoch, [entry.stored.stale_from for entry in found]) == (epoch, [None] * 7)
        assert all(entry.state is state for entry, state in zip(found, states, strict=True))
        assert writer.write(b"abcd")
        assert await writer.commit(response(4), DIGEST) is not None
        assert (await store.look_up(API + b"/items/1"))[0].stored.stale_from is None

    async def test_a_purge_is_told_by_tier(self, store: Store) -> None:
        await some(store)
        told = await store.purge(Selection(everything=True), dry=True)
        assert told
        assert set(told) <= {"memory", "disk", "valkey"}
        assert all(isinstance(count, int) and count >= 0 for count in told.values())

    @pytest.mark.parametrize("name", ["a key", "a label", "a beginning", "a pattern", "everything"])
    async def test_what_was_on_its_way_is_not_kept(self, store: Store, name: str) -> None:
        wanted, _ = SELECTIONS[name]
        begun = {
            "a key": (API + b"/items/1", ()),
            "a label": (API + b"/new", (b"tag:a",)),
            "a beginning": (API + b"/items/9", ()),
            "a pattern": (API + b"/9.json", ()),
            "everything": (b"GET x", ()),
        }
        key, labels = begun[name]
        writer = store.begin(key, labels, (), 4)
        assert writer is not None
        assert await purged(store, wanted) == 0
        writer.write(b"abcd")
        assert await writer.commit(response(4), DIGEST) is None
        assert list(await store.look_up(key)) == []

    @pytest.mark.parametrize(
        "wanted", [Selection(keys=(b"k",)), Selection(labels=(b"l",)), Selection(everything=True)]
    )
    async def test_what_was_on_its_way_when_purged_softly_is_stale_unless_asked_for_later(
        self, store: Store, wanted: Selection
    ) -> None:
        before, after = (store.begin(b"k", (b"l",), (), 4) for _ in range(2))
        assert before is not None
        assert after is not None
        await store.purge(wanted, soft=LATER)
        for writer, at in ((before, NOW), (after, LATER + 1)):
            assert writer.write(b"abcd")
            kept = await writer.commit(response(4, at=at), DIGEST)
            # A tier may also keep nothing of what had been asked for by then.
            assert kept is None or kept.stored.stale_from == (LATER if at == NOW else None)
        assert (await store.look_up(b"k"))[0].stored.stale_from is None

    @pytest.mark.parametrize(
        "wanted", [Selection(keys=(b"k",)), Selection(labels=(b"l",)), Selection(prefixes=(b"",))]
    )
    async def test_a_soft_purge_ends_what_is_remembered_of_an_entry(
        self, store: Store, wanted: Selection
    ) -> None:
        told: list[bytes] = []
        store.watch(told.append)
        await put(store, b"k", labels=(b"l",))
        (entry,) = await store.look_up(b"k")
        state, epoch = entry.state, store.epoch
        told.clear()
        await store.purge(wanted, soft=LATER)
        assert entry.state is not state
        assert b"k" in told or store.epoch != epoch

    @pytest.mark.parametrize(
        "wanted", [Selection(keys=(b"k",)), Selection(labels=(b"l",)), Selection(everything=True)]
    )
    async def test_only_a_later_validation_makes_it_fresh_again(
        self, store: Store, wanted: Selection
    ) -> None:
        entry = await put(store, b"k", labels=(b"l",))
        await store.purge(wanted, soft=LATER)
        await store.freshen(entry, response(7, at=LATER - 1))
        assert await stale_from(store, b"k") == [LATER]
        (entry,) = await store.look_up(b"k")
        await store.freshen(entry, response(7, at=LATER + 1))
        assert await stale_from(store, b"k") == [None]
        assert [entry.stored.request_time for entry in await store.labelled(b"l", 9)] == [LATER + 1]

    async def test_what_is_stored_later_is_fresh(self, store: Store) -> None:
        old = await put(store, b"k", b"old", labels=(b"l",))
        await store.purge(Selection(keys=(b"k",), labels=(b"l",)), soft=LATER)
        await put(store, b"k", b"new", labels=(b"l",), at=LATER + 1)
        await put(store, b"k2", labels=(b"l",), at=LATER + 1)
        assert await stale_from(store, b"k2") == [None]
        assert sorted(map(str, await stale_from(store, b"k"))) == sorted(map(str, (None, LATER)))
        assert await contents(store, b"k") == [b"new", b"old"]
        assert old.key == b"k"

    async def test_purged_softly_and_then_for_good(self, store: Store) -> None:
        await some(store)
        await store.purge(Selection(labels=(b"tag:a",)), soft=LATER)
        assert await purged(store, Selection(labels=(b"tag:a",))) == 2
        assert list(await store.look_up(API + b"/items/1")) == []
        await put(store, API + b"/items/1", labels=(b"tag:a",))
        assert await stale_from(store, API + b"/items/1") == [None]

    async def test_others_have_their_turn_while_all_is_gone_through(self, store: Store) -> None:
        for number in range(1500):
            await put(store, API + b"/%d" % number, b"x")
        purging = asyncio.ensure_future(store.purge(Selection(patterns=(rb"(\d+)+$",)), soft=LATER))
        turns = 0
        while not purging.done():
            turns += 1
            await asyncio.sleep(0)
        assert sum((await purging).values()) >= 1500
        assert turns > 1
        assert await stale_from(store, API + b"/1499") == [LATER]

    async def test_what_comes_and_goes_meanwhile(self, store: Store) -> None:
        """Entries are stored, let go and purged twice over while all is gone through."""
        entries = [await put(store, API + b"/%d" % number, b"x") for number in range(500)]
        both = asyncio.gather(
            store.purge(Selection(prefixes=(b"https://api",))), store.purge(Selection(everything=True))
        )
        for number, entry in enumerate(entries[::7]):
            await store.remove(entry)
            writer = store.begin(b"GET https://new.example.org/%d" % number, (), (), 1)
            assert writer is not None
            if writer.write(b"y"):  # what is on its way when everything is purged need not be kept
                await writer.commit(response(1), DIGEST)
            await asyncio.sleep(0)
        await both
        assert [entry for number in range(500) for entry in await store.look_up(API + b"/%d" % number)] == []
