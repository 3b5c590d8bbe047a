"""Licences over what is on disk: they keep no content, and read it where it stands each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from proxy.message.request import Request
from proxy.storage.contract import Store
from proxy.storage.disk.entry import DiskEntry
from proxy.storage.disk.store import DiskStore
from proxy.storage.opening import opened
from proxy.storage.selection import Selection
from proxy.storage.settings import StorageSettings, ValkeySettings
from proxy.storage.tiers.store import Tiers
from tests.server.lane.twin import Clock, Twin

KEY = b"GET http://h/a"
GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
DEADLINE = 30.0


def answering(request: Request, number: int, now: float) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    body = b"%b no. %d" % (request.target, number)
    lines = [
        (b"Cache-Control", b"max-age=60"),
        (b"Content-Length", b"%d" % len(body)),
        (b"Cache-Tag", b"tag"),
    ]
    return 200, lines, body


def on_disk(folder: Path) -> Store:
    """A folder with no memory before it, as one of several processes opens it."""
    settings = StorageSettings(store=f"disk:{folder}", memory=0, disk=8 << 20)
    return opened(settings, ValkeySettings(), 0).store


@pytest.fixture
async def twin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Twin]:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"))
    yield twin
    await twin.close()


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not ready():  # noqa: ASYNC110 - what is waited for happens in a thread
            await asyncio.sleep(0.002)


async def ask(twin: Twin, *requests: bytes) -> tuple[bytes, int]:
    """All that comes back for requests that are sent together, and how many of them the lane answered."""
    twin.lane_records.flush()
    before = twin.hits
    connection, transport = twin.connect()
    connection.data_received(b"".join(requests))
    await until(lambda: transport.written.count(b" no. ") == len(requests))
    await twin.quiet()
    twin.lane_records.flush()
    return transport.written, twin.hits - before


async def licensed(twin: Twin) -> None:
    """Ask until the lane answers."""
    for _ in range(3):
        answer, hits = await ask(twin, GET)
        assert answer.endswith(b"/a no. 1")
    assert hits == 1


async def test_what_is_on_disk_is_answered_on_the_lane_without_being_kept_in_memory(twin: Twin) -> None:
    await licensed(twin)
    (standings,) = twin.lane.register._by_key.values()
    (standing,) = standings
    assert standing.content is None
    assert all(isinstance(entry, DiskEntry) and entry.record.content == b"" for entry, _ in standing._found)
    answer, hits = await ask(twin, GET)
    assert hits == 1
    assert answer.endswith(b"\r\n\r\n/a no. 1")
    assert len(twin.origin.asked) == 1


async def test_several_requests_at_once_are(twin: Twin) -> None:
    await licensed(twin)
    answers, hits = await ask(twin, GET, GET, GET)
    assert hits == 3
    assert answers.count(b"/a no. 1") == 3


@pytest.mark.parametrize("wanted", [Selection(keys=(KEY,)), Selection(labels=(b"tag:=tag",))])
async def test_what_is_purged_is_not_answered_any_more(twin: Twin, wanted: Selection) -> None:
    await licensed(twin)
    assert (await twin.store.purge(wanted))["disk"] == 1
    answer, hits = await ask(twin, GET)
    assert (answer[-8:], hits) == (b"/a no. 2", 0)


def silent(twin: Twin) -> DiskStore:
    """The folder alone: what is changed in it is told to nobody, as when another process makes room."""
    assert isinstance(twin.store, Tiers)
    assert isinstance(twin.store.below, DiskStore)
    twin.store.below.watch(lambda key: None)
    return twin.store.below


async def test_nothing_but_what_stands_there_is_answered(twin: Twin) -> None:
    await licensed(twin)
    disk = silent(twin)
    (entry,) = disk.at_hand(KEY)
    await disk.remove(entry)
    answer, hits = await ask(twin, GET)
    assert (answer[-8:], hits) == (b"/a no. 2", 0)


@pytest.mark.parametrize("wanted", [Selection(keys=(KEY,)), Selection(labels=(b"tag:=tag",))])
async def test_what_is_made_stale_is_not_answered_as_fresh(twin: Twin, wanted: Selection) -> None:
    await licensed(twin)
    twin.clock.now += 1
    await silent(twin).purge(wanted, soft=twin.clock.now)
    twin.clock.now += 1
    answer, hits = await ask(twin, GET)
    assert (answer[-8:], hits) == (b"/a no. 2", 0)


async def test_a_part_of_a_content_is_kept_by_the_licence_itself(twin: Twin) -> None:
    await licensed(twin)
    part = GET[:-2] + b"Range: bytes=0-6\r\n\r\n"
    for _ in range(3):
        twin.lane_records.flush()
        before = twin.hits
        connection, transport = twin.connect()
        connection.data_received(part)
        await until(lambda: transport.written.endswith(b"\r\n\r\n/a no. "))  # noqa: B023 - it ends in this turn
        await twin.quiet()
    twin.lane_records.flush()
    assert twin.hits - before == 1


async def test_without_any_room_no_licence_is_made(tmp_path: Path) -> None:
    store = on_disk(tmp_path / "cache")
    assert isinstance(store, Tiers)
    twin = Twin(answering, Clock(), lane=True, store=store, budget=0)
    for _ in range(5):
        assert (await ask(twin, GET))[1] == 0
    assert not twin.lane.register._by_key
    await twin.close()


async def test_who_had_to_make_room_is_tried_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True)
    line = b"GET /a HTTP/1.1"
    await licensed(twin)
    twin.lane.register._forget(twin.lane.register.places.young.pop(line) or pytest.fail("no place"))
    found = [(await ask(twin, GET))[1] for _ in range(12)]
    assert found == [0] * 8 + [1] * 4
    await twin.close()
