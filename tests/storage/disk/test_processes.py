"""Several processes on one folder, which may be killed at any moment."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.storage.disk.store import DiskStore
from tests.storage.disk.load import BUDGET, content, read_all, right
from tests.storage.putting import contents, put, read, response

ROOT = Path(__file__).parents[3]
ROUNDS = 14


class Other:
    """Another process."""

    def __init__(self, folder: Path, what: str, *more: str) -> None:
        command = [sys.executable, "-m", "tests.storage.disk.load", what, str(folder), *more]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def tell(self, line: str) -> str:
        """Its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.line()

    def kill(self) -> str:
        """Kill it; what it had to say since."""
        self.process.kill()
        return self.end()

    def end(self) -> str:
        out, _ = self.process.communicate()
        return out.decode()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    process = Other(tmp_path, "told")
    assert process.line() == "ready"
    yield process
    process.kill()


async def test_what_one_stores_the_other_finds(tmp_path: Path, other: Other) -> None:
    store = DiskStore(tmp_path, BUDGET, 2 << 20)
    assert other.tell("put small 100 label") == "True"
    assert other.tell("put large 300000") == "True"
    assert await contents(store, b"small") == [content(b"small", 1, 100)]
    assert await contents(store, b"large") == [content(b"large", 1, 300_000)]
    await put(store, b"mine", b"mine 1\n")
    assert other.tell("read mine") == "True"
    assert store.figures().entries == 3
    await store.close()


async def test_what_one_invalidates_is_gone_for_the_other_at_once(tmp_path: Path, other: Other) -> None:
    store = DiskStore(tmp_path, BUDGET, 2 << 20)
    entry = await put(store, b"key", b"key 1\n", labels=(b"label",))
    large = await put(store, b"large", bytes(500_000), labels=(b"label",))
    epoch = store.epoch
    assert other.tell("invalidate label") == "2"
    assert store.epoch != epoch
    assert (entry.state, large.state) == (None, None)
    assert list(await store.look_up(b"key")) == []
    assert await read(large) == bytes(500_000)  # who has begun with it can end
    await store.close()


async def test_what_is_on_its_way_in_another_process_is_not_kept(tmp_path: Path, other: Other) -> None:
    store = DiskStore(tmp_path, BUDGET, 2 << 20)
    assert other.tell("begin a label") == "True"
    assert other.tell("begin b") == "True"
    assert other.tell("begin c") == "True"
    await store.invalidate([b"b"], [b"label"])
    assert [other.tell(f"commit {key}") for key in "abc"] == ["False", "False", "True"]
    writer = store.begin(b"d", (b"more",), (), 1)
    assert writer is not None
    assert writer.write(b"x")
    other.tell("invalidate more")
    assert await writer.commit(response(1), "") is None
    await store.close()


async def test_a_process_that_is_killed_with_the_lock_holds_nobody_up(tmp_path: Path, other: Other) -> None:
    store = DiskStore(tmp_path, BUDGET, 2 << 20)
    await put(store, b"before")
    assert other.tell("hold") == "held"
    waiting = asyncio.ensure_future(put(store, b"after"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert len(store.at_hand(b"before")) == 1
    other.kill()
    await waiting
    assert [len(store.at_hand(key)) for key in (b"before", b"after")] == [1, 1]
    await store.close()


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Other]:
    process = Other(tmp_path, "many")
    yield process
    process.kill()


def shelves(folder: Path) -> list[Path]:
    """The files of large contents."""
    return [path for path in folder.glob("*/contents/*/*") if path.is_file()]


async def test_what_a_killed_process_had_on_its_way_is_cleared_away(tmp_path: Path, many: Other) -> None:
    loads = [int(many.tell(seed)) for seed in ("1", "2")]
    while not shelves(tmp_path):  # noqa: ASYNC110 - it is another process
        await asyncio.sleep(0.01)
    for load in loads:
        os.kill(load, signal.SIGKILL)
    store = DiskStore(tmp_path, BUDGET, 2 << 20)
    await store.invalidate([b"k%d" % number for number in range(60)], [b"l0", b"l1", b"l2"])
    deadline = time.monotonic() + 30
    while shelves(tmp_path) or store.figures().bytes:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert store.figures().entries == 0
    await store.close()


async def test_killed_at_any_moment_nothing_is_torn_and_most_is_still_there(
    tmp_path: Path, many: Other
) -> None:
    rng = random.Random(7)
    there = 0
    for _ in range(ROUNDS):
        loads = [int(many.tell(str(rng.randrange(1 << 30)))) for _ in range(2)]
        await asyncio.sleep(rng.random() * 0.1)
        for load in loads:
            os.kill(load, signal.SIGKILL)  # it is still there, unless it found something wrong
        said: list[str] = []
        store = DiskStore(tmp_path, BUDGET, 2 << 20, say=said.append)
        for number in range(60):
            for found in await read_all(store, b"k%d" % number):
                assert right(b"k%d" % number, found)
                there += 1
        assert store.figures().bytes <= BUDGET
        await store.close()
        assert said == []
    assert there > ROUNDS * 5


async def test_begun_anew_by_one_it_is_begun_anew_for_all(tmp_path: Path, other: Other) -> None:
    said: list[str] = []
    store = DiskStore(tmp_path, BUDGET, 2 << 20, say=said.append)
    assert other.tell("put key 100") == "True"
    entry = store.at_hand(b"key")[0]
    tables = store._mapped.tables
    assert tables is not None
    store._mapped.fail(tables, ValueError("a page is damaged"))
    assert said == [f"the cache in {tmp_path} is begun anew: a page is damaged"]
    assert (entry.state, list(store.at_hand(b"key"))) == (None, [])
    assert other.tell("read key") == "False"
    assert other.tell("put key 200") == "True"
    assert await contents(store, b"key") == [content(b"key", 1, 200)]
    await store.close()
