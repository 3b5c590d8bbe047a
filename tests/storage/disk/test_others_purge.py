"""What is on its way in one process while another purges: the map alone tells the one of the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.storage.disk import invalidating, purging
from proxy.storage.disk.store import DiskStore
from proxy.storage.selection import Selection
from tests.storage.putting import DIGEST, NOW, contents, put, response

KEY = b"GET https://api.example.org/items"
MEANT = [
    Selection(keys=(KEY,)),
    Selection(labels=(b"l",)),
    Selection(prefixes=(b"https://api.",)),
    Selection(patterns=(b"/items$",)),
    Selection(everything=True),
]
SOFT = NOW + 5


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DiskStore]:
    store = DiskStore(tmp_path, 8 << 20, 1 << 20)
    yield store
    await store.close()


async def elsewhere(store: DiskStore, wanted: Selection, soft: float | None = None) -> None:
    """Purge as another process does: what this one has on its way is not told of it."""
    await purging.purge(store, store._mapped, wanted, soft, dry=False)


@pytest.mark.parametrize("wanted", MEANT)
async def test_it_is_not_kept(store: DiskStore, wanted: Selection) -> None:
    writer = store.begin(KEY, (b"l",), (), 3)
    bystander = store.begin(b"GET https://b.example.org/", (), (), 3)
    assert writer is not None
    assert bystander is not None
    await elsewhere(store, wanted)
    assert writer.write(b"old")
    assert bystander.write(b"new")
    assert await writer.commit(response(3), DIGEST) is None
    assert (await bystander.commit(response(3), DIGEST) is None) is wanted.everything
    assert await contents(store, KEY) == []


@pytest.mark.parametrize("wanted", MEANT)
async def test_it_is_kept_as_stale(store: DiskStore, wanted: Selection) -> None:
    writer = store.begin(KEY, (b"l",), (), 3)
    assert writer is not None
    await elsewhere(store, wanted, SOFT)
    assert writer.write(b"old")
    await writer.commit(response(3), DIGEST)
    assert [entry.stored.stale_from for entry in await store.look_up(KEY)] == [SOFT]


async def test_what_was_begun_before_all_that_is_remembered_is_not_kept(
    store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invalidating, "_REMEMBERED", 4)
    writer = store.begin(KEY, (b"l",), (), 3)
    assert writer is not None
    await elsewhere(store, Selection(labels=(b"l",)))
    for number in range(20):
        await elsewhere(store, Selection((b"%d" % number,), (b"%d" % number,)))
    assert writer.write(b"old")
    assert await writer.commit(response(3), DIGEST) is None


async def test_what_was_purged_by_its_label_is_not_freshened(store: DiskStore) -> None:
    """Nor does its being in the map for a while longer bring it back."""
    for number in range(300):
        await put(store, b"%d" % number, labels=(b"l",))
    await put(store, KEY, b"old", labels=(b"l",))
    (entry,) = await store.look_up(KEY)
    await elsewhere(store, Selection(labels=(b"l",)))
    await store.freshen(entry, response(3, at=NOW + 60))
    assert await contents(store, KEY) == []


@pytest.mark.parametrize("wanted", [Selection(everything=True), Selection(labels=(b"l",))])
async def test_what_was_purged_gives_its_room_back_and_nothing_else_does(
    store: DiskStore, wanted: Selection
) -> None:
    for number in range(100):
        await put(store, b"%d" % number, labels=(b"l",))
    await store.purge(wanted)
    assert store.figures().entries == 0
    for number in range(20):
        await put(store, b"%d" % number, labels=(b"l",))
    assert store.figures().entries == 20
    assert all([await store.look_up(b"%d" % number) for number in range(20)])
