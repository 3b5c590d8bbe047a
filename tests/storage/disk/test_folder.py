"""The folder: what is refused in one line, and what is begun anew."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from proxy.message.errors import ConfigurationError
from proxy.storage import opening
from proxy.storage.contract import NotInvalidated
from proxy.storage.disk import folder as folders
from proxy.storage.disk.store import DiskStore
from proxy.storage.news import News, Purged
from proxy.storage.selection import Selection
from proxy.storage.settings import StorageSettings, ValkeySettings
from proxy.storage.tiers.store import Tiers
from tests.storage.putting import contents, put

BUDGET = 8 << 20


ANOTHER_VERSION = """
import json, lmdb, pathlib, sys
path = pathlib.Path(sys.argv[1])
marker = json.loads((path / "pellucid-cache").read_text())
folder = path / ("cache-" + "0" * 16)
folder.mkdir()
env = lmdb.open(str(folder))
(path / "pellucid-cache").write_text(json.dumps(marker | {"format": 99, "folder": folder.name}))
print("open", flush=True)
sys.stdin.read()
"""


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def opened(path: Path, said: list[str] | None = None, budget: int = BUDGET) -> DiskStore:
    return DiskStore(path, budget, 1 << 20, say=None if said is None else said.append)


async def one(path: Path) -> Path:
    """A folder with one entry, closed; where its map stands."""
    store = opened(path)
    await put(store, b"key", b"content")
    await store.close()
    return map_of(path)


def map_of(path: Path) -> Path:
    (data,) = path.glob("*/data.mdb")
    return data


def marker(path: Path) -> Path:
    return path / "pellucid-cache"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigurationError, match=r"holds something else: .*thesis\.txt"):
        opened(tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


async def test_a_folder_that_another_process_is_beginning_is_no_stranger(tmp_path: Path) -> None:
    (tmp_path / "pellucid-lock").touch()
    (tmp_path / "cache-0123456789abcdef").mkdir()
    (tmp_path / "pellucid-cache.123").touch()
    await opened(tmp_path).close()


async def test_only_folders_of_its_own_are_taken_away(tmp_path: Path) -> None:
    await one(tmp_path)
    (tmp_path / "cache-of-mine").mkdir()
    marker(tmp_path).write_bytes(b"")
    await one(tmp_path)
    assert (tmp_path / "cache-of-mine").exists()


async def test_what_is_told_of_news_is_no_stranger(tmp_path: Path) -> None:
    (tmp_path / "news").write_bytes(b"")
    await one(tmp_path)
    await opened(tmp_path).close()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigurationError, match="can't be used"):
            opened(path)


def test_without_the_rights_it_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may write anywhere
    try:
        with pytest.raises(ConfigurationError, match="Permission denied"):
            opened(tmp_path)
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)


def test_too_small_a_budget_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="1MiB at least"):
        opened(tmp_path, budget=(1 << 20) - 1)


@pytest.mark.parametrize("budget", [1 << 62, 1 << 70])
def test_too_large_a_budget_is_refused(tmp_path: Path, budget: int) -> None:
    with pytest.raises(ConfigurationError, match="of that size can't be mapped"):
        opened(tmp_path / "new", budget=budget)
    assert [one.name for one in (tmp_path / "new").iterdir() if one.is_dir()] == []


async def test_twice_in_one_process_is_refused_and_harms_nobody(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await put(store, b"key", b"content")
    with pytest.raises(ConfigurationError, match="open already"):
        opened(tmp_path)
    assert await contents(store, b"key") == [b"content"]
    await store.close()


def all_of(path: Path) -> list[Path]:
    return [path, *path.rglob("*")]


async def test_nobody_else_may_read_what_is_kept(tmp_path: Path) -> None:
    store = opened(tmp_path / "cache")
    await put(store, b"key", bytes(100_000))
    assert [path for path in all_of(tmp_path / "cache") if path.stat().st_mode & 0o077] == []
    await store.close()


@pytest.mark.parametrize("number", [0, folders.FORMAT + 1])
async def test_another_format_is_begun_anew(tmp_path: Path, number: int) -> None:
    await one(tmp_path)
    marker(tmp_path).write_text(json.dumps(json.loads(marker(tmp_path).read_text()) | {"format": number}))
    said: list[str] = []
    store = opened(tmp_path, said)
    assert said == [f"the cache in {tmp_path} is begun anew: it is of format {number}, not {folders.FORMAT}"]
    assert await contents(store, b"key") == []
    await put(store, b"key", b"anew")
    await store.close()
    store = opened(tmp_path, said)
    assert (await contents(store, b"key"), len(said)) == ([b"anew"], 1)
    await store.close()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff\x00", b'{"pellucid":"x","format":1,"folder":"../x","most":1}']
)
async def test_a_marker_that_makes_no_sense_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    await one(tmp_path)
    marker(tmp_path).write_bytes(content)
    said: list[str] = []
    store = opened(tmp_path, said)
    assert await contents(store, b"key") == []
    assert len(said) == 1
    await store.close()


async def test_a_map_that_is_gone_is_begun_anew(tmp_path: Path) -> None:
    (await one(tmp_path)).unlink()
    said: list[str] = []
    await opened(tmp_path, said).close()
    assert said == [f"the cache in {tmp_path} is begun anew: its map is missing"]


async def test_a_map_that_was_cut_is_begun_anew(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for number in range(500):
        await put(store, b"%d" % number, bytes(5000))
    await store.close()
    os.truncate(map_of(tmp_path), 1 << 20)
    said: list[str] = []
    await opened(tmp_path, said).close()
    assert said == [f"the cache in {tmp_path} is begun anew: its map is damaged or cut short"]


@pytest.mark.parametrize("closed", [True, False])
async def test_after_the_system_went_down_only_what_was_synced_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    data = await one(tmp_path)
    synced = data.with_name("synced")
    if not closed:
        # As it is where the last transactions had not been followed by a sync.
        held = json.loads(synced.read_text())
        synced.write_text(json.dumps(held | {"transaction": held["transaction"] - 1}))
    other = tmp_path.with_name("boot")
    other.write_text("another start of the system\n")
    monkeypatch.setattr(folders, "_BOOT", other)
    said: list[str] = []
    store = opened(tmp_path, said)
    assert await contents(store, b"key") == ([b"content"] if closed else [])
    why = "the system went down before all of it was on the disk"
    assert said == ([] if closed else [f"the cache in {tmp_path} is begun anew: {why}"])
    await store.close()


async def test_with_a_smaller_budget_it_becomes_smaller(tmp_path: Path) -> None:
    store = opened(tmp_path, budget=32 << 20)
    for number in range(40):
        await put(store, b"%d" % number, bytes(500_000))
    await store.close()
    said: list[str] = []
    store = opened(tmp_path, said)
    await put(store, b"new", bytes(500_000))
    for number in range(200):
        await put(store, b"small %d" % number, bytes(1000))
    assert (store.figures().bytes <= BUDGET, store.figures().entries > 10, said) == (True, True, [])
    await store.close()


async def test_given_up_it_is_begun_anew_by_who_has_it_open_and_by_who_opens_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    entry = await put(store, b"key", b"content")
    folders.give_up(tmp_path)
    assert (entry.state, await contents(store, b"key")) == (None, [])
    await put(store, b"key", b"anew")
    assert await contents(store, b"key") == [b"anew"]
    await store.close()
    folders.give_up(tmp_path)
    store = opened(tmp_path)
    assert await contents(store, b"key") == []
    await put(store, b"key", b"anew")
    assert await contents(store, b"key") == [b"anew"]
    await store.close()


def test_to_give_up_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    folders.give_up(tmp_path)
    folders.give_up(tmp_path / "nowhere")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("moved", [False, True], ids=["removed", "moved"])
async def test_taken_away_it_is_begun_anew_by_all(tmp_path: Path, moved: bool) -> None:
    path = tmp_path / "cache"
    said: list[str] = []
    store = opened(path, said)
    await put(store, b"key", b"content")
    path.rename(tmp_path / "elsewhere")
    if not moved:
        shutil.rmtree(tmp_path / "elsewhere")
    async with asyncio.timeout(30):
        while not (path / "pellucid-cache").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert await contents(store, b"key") == []
    assert said == [f"the cache in {path} is begun anew: it was taken away"]
    await put(store, b"key", b"new")
    assert await contents(store, b"key") == [b"new"]
    await store.close()
    after = opened(path, said)
    assert await contents(after, b"key") == [b"new"]
    await after.close()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("*/lock.mdb", "its files were taken away"),
        ("*/data.mdb", "its files were taken away"),
        ("pellucid-cache", "what it is marked with was taken away"),
    ],
)
async def test_without_one_of_its_files_it_is_begun_anew(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / "cache"
    said: list[str] = []
    store = opened(path, said)
    await put(store, b"key", b"content")
    (file,) = path.glob(name)
    file.unlink()
    await until(lambda: bool(said))
    assert (await contents(store, b"key"), said) == ([], [f"the cache in {path} is begun anew: {why}"])
    await put(store, b"key", b"new")
    assert await contents(store, b"key") == [b"new"]
    await store.close()


async def test_a_map_that_is_cut_while_it_is_used_is_begun_anew(tmp_path: Path) -> None:
    said: list[str] = []
    store = opened(tmp_path, said)
    data = map_of(tmp_path)
    await until(lambda: store._mapped.tables is not None and store._mapped.tables.length > 0)
    os.truncate(data, data.stat().st_size - 4096)
    await until(lambda: bool(said))
    assert said == [f"the cache in {tmp_path} is begun anew: its map was cut short"]
    await put(store, b"key", b"new")
    assert await contents(store, b"key") == [b"new"]
    await store.close()


async def test_what_another_version_has_begun_anew_is_left_to_it_while_it_uses_that(tmp_path: Path) -> None:
    """It has taken its place; nothing is to be kept meanwhile, and nothing may be invalidated unheard."""
    said: list[str] = []
    store = opened(tmp_path, said)
    await put(store, b"key", b"content")
    other = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", ANOTHER_VERSION, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == b"open\n"
    await until(lambda: bool(said))
    assert said == [f"the cache in {tmp_path} can't be written: another version uses the cache"]
    assert (store.at_hand(b"key"), store.begin(b"key", (), (), 1)) == ([], None)
    with pytest.raises(NotInvalidated):
        await store.invalidate([b"key"], [])
    with pytest.raises(ConfigurationError, match="another version uses the cache"):
        opened(tmp_path)
    other.communicate()
    store._mapped._again = 0
    await until(lambda: store._mapped.tables is not None)
    await put(store, b"key", b"new")
    assert await contents(store, b"key") == [b"new"]
    await store.close()


async def test_where_it_can_not_be_begun_anew_nothing_is_left_that_would_have_to_be_invalidated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    store = opened(tmp_path, said)
    await put(store, b"key", b"content")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders.Folder, "_anew", full)
    folders.give_up(tmp_path)
    assert await store.invalidate([b"key"], []) == 0
    assert await contents(store, b"key") == []
    assert said == [f"there is no room in {tmp_path}: what comes is not kept on disk"]
    await store.close()


async def test_who_finds_the_folder_taken_away_hears_those_who_find_the_new_one(tmp_path: Path) -> None:
    path, settings = tmp_path / "cache", StorageSettings(store=f"disk:{tmp_path / 'cache'}", disk=32 << 20)
    one = cast(Tiers, opening.opened(settings, ValkeySettings(), 1 << 20).store)
    before = one.news
    path.rename(tmp_path / "elsewhere")
    async with asyncio.timeout(30):
        while one._told.news is before:
            await one.expire(0)
            await asyncio.sleep(0.01)
    other = News.at(path)
    other.tell(Purged(Selection(keys=(b"key",))))
    heard: list[Selection] = []
    one.hear(heard.append)
    one.catch_up()
    assert heard == [Selection(keys=(b"key",))]
    other.close()
    await one.close()
