"""Files that were cut short or have other bits in them: what is served is right, or is not there."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.store import DiskStore
from tests.storage.disk.load import content, keep, read_all, right
from tests.storage.putting import contents, put, read

BUDGET = 8 << 20
SIZES = (30, 300, 3000, 20_000, 150_000)
COUNT = 60
CASES = 30


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all kinds of entries, of which a third were invalidated."""
    folder = tmp_path_factory.mktemp("filled")

    async def fill() -> None:
        store = DiskStore(folder, BUDGET, 2 << 20)
        for number in range(COUNT):
            key = b"k%d" % number
            assert await keep(store, key, content(key, number, SIZES[number % 5]), (b"l%d" % (number % 3),))
        assert await store.invalidate([], [b"l2"]) == COUNT // 3
        await store.close()

    asyncio.run(fill())
    return folder


def damage(rng: random.Random, path: Path) -> None:
    """Flip bits, overwrite or cut, preferably where pages begin: that is where a map says what is in them."""
    held = bytearray(path.read_bytes())
    kind = rng.choice(("flip", "flip", "zero", "noise", "cut"))
    for _ in range(rng.choice((1, 1, 20))):
        at = rng.randrange(len(held))
        if path.name == "data.mdb" and rng.random() < 0.6:
            at = at // 4096 * 4096 + rng.randrange(200)
        end = min(len(held), at + 500)
        if kind == "flip":
            held[at] ^= 1 << rng.randrange(8)
        elif kind in ("zero", "noise"):
            held[at:end] = bytes(end - at) if kind == "zero" else rng.randbytes(end - at)
    if kind == "cut":
        del held[rng.randrange(len(held)) :]
    path.write_bytes(held)


def damage_one(rng: random.Random, folder: Path) -> None:
    """Mostly the map, else any other file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    data = next(path for path in files if path.name == "data.mdb")
    damage(rng, data if rng.random() < 0.7 else rng.choice(files))


@pytest.mark.parametrize("case", range(CASES))
async def test_damaged_anywhere_all_that_is_served_is_right(case: int, filled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(filled, folder)
    rng = random.Random(case)
    damage_one(rng, folder)
    store = DiskStore(folder, BUDGET, 2 << 20)
    for number in range(COUNT):
        key = b"k%d" % number
        for found in await read_all(store, key):
            assert number % 3 < 2, "it was invalidated"
            assert right(key, found)
    store.labelled_at_hand(b"l0", COUNT)
    await store.invalidate([], [b"l1"])
    assert all(number % 3 == 0 for number in range(COUNT) if store.at_hand(b"k%d" % number))
    for number in range(100):  # the first of them may find out that all has to be begun anew
        key = b"n%d" % (number % 50)
        await keep(store, key, content(key, number, SIZES[number % 4]), (b"l%d" % (number % 3),))
    for number in range(50):
        key = b"n%d" % number
        assert [right(key, found) for found in await read_all(store, key)] == [True]
    await store.close()


def shelves(folder: Path) -> Iterator[Path]:
    return folder.glob("*/contents/*/*")


async def large(folder: Path, said: list[str]) -> tuple[DiskStore, bytes, Path]:
    """A store with one large content, and where that stands."""
    store = DiskStore(folder, BUDGET, 2 << 20, say=said.append)
    held = random.Random(1).randbytes(1_000_000)
    await put(store, b"key", held)
    return store, held, next(shelves(folder))


def overwrite(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"damage")


async def test_what_is_damaged_at_its_beginning_is_not_there(tmp_path: Path) -> None:
    said: list[str] = []
    store, _, path = await large(tmp_path, said)
    overwrite(path, 100)
    assert list(store.at_hand(b"key")) == []
    await store.expire(0)
    assert said == ["what was stored on disk is damaged; it is fetched anew"]
    assert (store.figures().entries, path.exists()) == (0, False)
    await put(store, b"key", b"anew")
    assert await contents(store, b"key") == [b"anew"]
    await store.close()


async def test_what_is_damaged_further_on_breaks_off(tmp_path: Path) -> None:
    said: list[str] = []
    store, held, path = await large(tmp_path, said)
    overwrite(path, 700_000)
    (entry,) = store.at_hand(b"key")
    assert await read(entry, 0, 99_999) == held[:100_000]
    received = bytearray()

    async def receive() -> None:
        async for piece in entry.read(0, len(held) - 1):
            received.extend(piece)

    with pytest.raises(Damaged):
        await receive()
    assert held.startswith(received)
    assert len(received) < 700_000
    await store.expire(0)
    assert (list(store.at_hand(b"key")), len(said)) == ([], 1)
    await store.close()


@pytest.mark.parametrize("size", [0, 999_999, 1_000_001])
async def test_a_content_of_another_length_is_not_there(tmp_path: Path, size: int) -> None:
    said: list[str] = []
    store, _, path = await large(tmp_path, said)
    with path.open("r+b") as file:
        file.truncate(size)
    assert list(store.at_hand(b"key")) == []
    await store.expire(0)
    assert len(said) == 1
    await store.close()


async def test_a_content_that_is_missing_is_not_there(tmp_path: Path) -> None:
    store, _, path = await large(tmp_path, [])
    path.unlink()
    assert list(store.at_hand(b"key")) == []
    await store.expire(0)
    assert store.figures().entries == 0
    await store.close()
