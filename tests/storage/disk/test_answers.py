"""Answers that are kept beside entries: found while these are as they were, and not otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from proxy.storage.contract import Entry, Kept
from proxy.storage.disk.answers import LONGEST
from proxy.storage.disk.order import Lack, evict_some
from proxy.storage.disk.store import DiskStore
from proxy.storage.selection import Selection
from tests.storage.putting import NOW, put, response

KEY = b"GET http://h/key"
NAME = bytes(range(32))
OTHER = bytes(range(32, 64))
BUDGET = 8 << 20


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DiskStore]:
    store = DiskStore(tmp_path, BUDGET, 1 << 20)
    yield store
    await store.close()


async def remember(
    store: DiskStore, key: bytes, answer: bytes = b"answer", name: bytes = NAME, source: int = 0
) -> None:
    """Have an answer kept that was made from what is under `key` now."""
    found = store.at_hand(key)
    states: list[tuple[Entry, object]] = [(entry, entry.state) for entry in found]
    store.answers.remember(name, key, states, found[source], answer)
    await store.do(lambda change: None)


def recalled(store: DiskStore, name: bytes = NAME) -> Kept | None:
    return store.answers.recall(name)


async def test_an_answer_is_found_with_the_content_of_its_entry(store: DiskStore) -> None:
    await put(store, KEY, b"content")
    await remember(store, KEY)
    kept = recalled(store)
    assert kept is not None
    assert (kept.answer, kept.content, kept.key) == (b"answer", b"content", KEY)
    assert kept.heads == (store.at_hand(KEY)[0].state,)
    assert recalled(store, OTHER) is None


async def test_it_is_there_after_a_restart_and_for_other_processes(store: DiskStore, tmp_path: Path) -> None:
    await put(store, KEY, b"content")
    await remember(store, KEY)
    await store.close()
    after = DiskStore(tmp_path, BUDGET, 1 << 20)
    assert recalled(after) is not None
    await after.close()


async def change_it(store: DiskStore) -> None:
    (entry,) = store.at_hand(KEY)
    await store.freshen(entry, response(7))


async def evict(store: DiskStore) -> None:
    await store.do(lambda change: evict_some(change, 1, Lack.MAP))


async def remove(store: DiskStore) -> None:
    await store.remove(store.at_hand(KEY)[0])


CHANGES: dict[str, Callable[[DiskStore], Awaitable[object]]] = {
    "freshened": change_it,
    "evicted": evict,
    "removed": remove,
    "replaced": lambda store: put(store, KEY, b"another", replaces=store.at_hand(KEY)),
    "joined by another": lambda store: put(store, KEY, b"another"),
    "expired": lambda store: store.expire(NOW + 1000),
    "invalidated": lambda store: store.invalidate([KEY], []),
    "invalidated by a label": lambda store: store.invalidate([], [b"label"]),
    "purged with all": lambda store: store.purge(Selection(everything=True)),
    "purged by a prefix": lambda store: store.purge(Selection(prefixes=(b"http://h/",))),
    "softened": lambda store: store.purge(Selection(keys=(KEY,)), soft=NOW + 5),
    "softened by a label": lambda store: store.purge(Selection(labels=(b"label",)), soft=NOW + 5),
    "softened with all": lambda store: store.purge(Selection(everything=True), soft=NOW + 5),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_changes_under_its_key_takes_it_away(store: DiskStore, change: str) -> None:
    await put(store, KEY, b"content", labels=(b"label",), expires=NOW + 50)
    await put(store, b"elsewhere", b"content", labels=(b"no",))
    await remember(store, KEY)
    assert recalled(store) is not None
    await CHANGES[change](store)
    assert recalled(store) is None


async def test_what_changes_elsewhere_does_not(store: DiskStore) -> None:
    await put(store, KEY, b"content", labels=(b"label",))
    await put(store, b"elsewhere", b"content", labels=(b"other",))
    await remember(store, KEY)
    await store.invalidate([b"elsewhere"], [b"other"])
    await put(store, b"elsewhere", b"content")
    assert recalled(store) is not None


async def test_a_soft_purge_of_the_past_changes_nothing(store: DiskStore) -> None:
    await put(store, KEY, b"content", labels=(b"label",))
    await remember(store, KEY)
    await store.purge(Selection(labels=(b"label",)), soft=NOW - 1000)
    assert recalled(store) is not None


async def test_of_several_entries_each_counts(store: DiskStore) -> None:
    await put(store, KEY, b"first", labels=(b"label",))
    await put(store, KEY, b"second")
    await remember(store, KEY, source=1)
    kept = recalled(store)
    assert kept is not None
    assert kept.content == b"first"
    await store.invalidate([], [b"label"])
    assert recalled(store) is None


async def test_one_that_was_made_from_something_older_is_not_kept(store: DiskStore) -> None:
    await put(store, KEY, b"content")
    (entry,) = store.at_hand(KEY)
    state = entry.state
    await change_it(store)
    store.answers.remember(NAME, KEY, [(entry, state)], entry, b"answer")
    await store.do(lambda change: None)
    assert recalled(store) is None


async def test_nor_one_of_which_an_entry_was_not_seen(store: DiskStore) -> None:
    await put(store, KEY, b"first")
    (entry,) = store.at_hand(KEY)
    state = entry.state
    await put(store, KEY, b"second")
    store.answers.remember(NAME, KEY, [(entry, state)], entry, b"answer")
    await store.do(lambda change: None)
    assert recalled(store) is None


async def test_nor_one_of_which_an_entry_has_left(store: DiskStore) -> None:
    kept, left = await put(store, KEY), await put(store, KEY, at=NOW + 1)
    seen: list[tuple[Entry, object]] = [(entry, entry.state) for entry in store.at_hand(KEY)]
    await store.remove(left)
    source = next(entry for entry, _ in seen if entry.stored == kept.stored)
    store.answers.remember(NAME, KEY, seen, source, b"answer")
    await store.do(lambda change: None)
    assert recalled(store) is None
    assert len(store.at_hand(KEY)) == 1


async def test_a_large_content_has_to_be_read_in_parts(store: DiskStore) -> None:
    await put(store, KEY, bytes(100_000))
    await remember(store, KEY)
    kept = recalled(store)
    assert kept is not None
    assert kept.content is None


async def test_a_long_answer_is_not_kept(store: DiskStore) -> None:
    await put(store, KEY, b"content")
    await remember(store, KEY, bytes(LONGEST + 1))
    assert recalled(store) is None


async def test_all_answers_together_have_a_share_of_the_room(store: DiskStore) -> None:
    await put(store, KEY, b"content")
    count = 4 * BUDGET // 8 // 4096
    for number in range(count):
        await remember(store, KEY, bytes(1800), number.to_bytes(32, "little"))
    tables = store._mapped.tables
    assert tables is not None
    with tables.env.begin() as txn:
        assert txn.stat(tables.answers)["leaf_pages"] * 4096 <= BUDGET // 8
        assert txn.stat(tables.answers)["entries"] == txn.stat(tables.named)["entries"] > count // 4
    assert recalled(store, bytes(32)) is None
    assert recalled(store, (count - 1).to_bytes(32, "little")) is not None


async def test_under_the_same_name_the_last_one_counts(store: DiskStore) -> None:
    await put(store, KEY, b"content")
    await remember(store, KEY, b"one")
    await remember(store, KEY, b"other")
    kept = recalled(store)
    assert kept is not None
    assert kept.answer == b"other"


@pytest.mark.parametrize("table", ["answers", "entries", "named", "keys"])
async def test_a_flipped_bit_is_found_out(store: DiskStore, table: str) -> None:
    await put(store, KEY, b"content" * 50)
    await remember(store, KEY, b"answer" * 50)
    tables = store._mapped.tables
    assert tables is not None
    with tables.env.begin() as txn, txn.cursor(db=getattr(tables, table)) as cursor:
        cursor.first()
        key, block = cursor.item()
    for at in range(0, len(block), 1 if len(block) < 64 else 29):
        flipped = block[:at] + bytes([block[at] ^ 4]) + block[at + 1 :]
        with tables.env.begin(write=True) as txn:
            txn.put(key, flipped, db=getattr(tables, table))
        assert recalled(store) is None
    with tables.env.begin(write=True) as txn:
        txn.put(key, block, db=getattr(tables, table))
    assert recalled(store) is not None


@pytest.mark.parametrize("wanted", [Selection(everything=True), Selection(labels=(b"l",))])
async def test_of_a_great_many_that_are_purged_none_is_answered_from(
    store: DiskStore, wanted: Selection
) -> None:
    """They are let go a few at a time: the last of them is still in the map."""
    for number in range(300):
        await put(store, b"GET http://h/%d" % number, b"x", labels=(b"l",))
    await put(store, KEY, labels=(b"l",))
    await remember(store, KEY)
    assert recalled(store) is not None
    await store.purge(wanted)
    assert recalled(store) is None
    assert store.at_hand(KEY) == []
