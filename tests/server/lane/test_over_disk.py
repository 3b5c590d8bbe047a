"""What is answered by what is kept on disk, without the rules and with nothing in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

from proxy.caching.policy import Policy
from proxy.message.request import Request
from proxy.server.lane import fingerprint
from proxy.server.settings import ServerSettings
from proxy.storage.contract import Store
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
    if request.target == b"/by-language":
        lines.append((b"Vary", b"Accept-Language"))
    if request.target == b"/by-cookie":
        lines.append((b"Vary", b"Cookie"))
    return 200, lines, body


def on_disk(folder: Path) -> Store:
    """A folder with no memory before it, as one of several processes opens it."""
    settings = StorageSettings(store=f"disk:{folder}", memory=0, disk=8 << 20)
    return opened(settings, ValkeySettings(), 0).store


@pytest.fixture(autouse=True)
def sources_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who works on the sources while the tests run does them no harm."""
    monkeypatch.setattr(fingerprint, "_LOADED", inf)


@pytest.fixture
async def twin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Twin]:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"))
    yield twin
    await twin.close()


def below(twin: Twin) -> DiskStore:
    """What there is on disk."""
    assert isinstance(twin.store, Tiers)
    assert isinstance(twin.store.below, DiskStore)
    return twin.store.below


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


def kept(twin: Twin) -> int:
    """How many answers are kept."""
    tables = below(twin)._mapped.tables
    assert tables is not None
    with tables.env.begin() as txn:
        return int(txn.stat(tables.named)["entries"])


async def licensed(twin: Twin, get: bytes = GET) -> None:
    """Ask until there is an answer that is kept."""
    before = kept(twin)
    for _ in range(2):
        answer, _ = await ask(twin, get)
        assert answer.endswith(b" no. 1")
    await until(lambda: kept(twin) > before)
    await below(twin).do(lambda change: None)  # all that was to be written before that


async def test_what_is_on_disk_is_answered_without_being_kept_in_memory(twin: Twin) -> None:
    await licensed(twin)
    assert not twin.lane.register._by_key
    for _ in range(3):
        answer, hits = await ask(twin, GET)
        assert hits == 1
        assert answer.endswith(b"\r\n\r\n/a no. 1")
    assert len(twin.origin.asked) == 1


async def test_what_is_wanted_often_is_answered_from_memory(twin: Twin) -> None:
    await licensed(twin)
    answered = [(await ask(twin, GET))[1] for _ in range(8)]
    assert answered == [1, 1, 1, 0, 1, 1, 1, 1]
    ((standing,),) = twin.lane.register._by_key.values()
    assert standing.content == b"/a no. 1"
    answers, hits = await ask(twin, GET, GET, GET)
    assert hits == 3
    assert answers.count(b"/a no. 1") == 3


async def test_and_ends_there_when_others_change_it(twin: Twin) -> None:
    await licensed(twin)
    for _ in range(6):
        await ask(twin, GET)
    await twin.store.purge(Selection(labels=(b"tag:=tag",)))
    answer, hits = await ask(twin, GET)
    assert (answer[-8:], hits) == (b"/a no. 2", 0)


async def test_after_a_restart_nothing_has_to_be_learnt_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    before = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"))
    await licensed(before)
    await before.close()
    after = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"))
    clock.now += 5
    answer, hits = await ask(after, GET)
    assert hits == 1
    assert b"\r\nAge: 5\r\n" in answer
    assert not after.origin.asked
    await after.close()


@pytest.mark.parametrize(
    "other",
    [
        {"policy": Policy(key_in_status=True)},
        {"policy": Policy(name="another")},
        {"settings": ServerSettings(trust="keep")},
        {"settings": ServerSettings(header_fields=20)},
    ],
)
async def test_settings_that_have_changed_count_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: dict[str, Any]
) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    before = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"))
    await licensed(before)
    await before.close()
    after = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"), **other)
    assert (await ask(after, GET))[1] == 0
    await after.close()


async def test_the_key_for_credentials_does_not_matter_as_no_digest_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    secret = b"GET /a?access_token=abcdefghij HTTP/1.1\r\nHost: h\r\n\r\n"
    twin = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"))
    for _ in range(3):
        await ask(twin, secret)
    await below(twin).do(lambda change: None)
    assert kept(twin) == 0
    await twin.close()


async def test_nothing_is_kept_of_who_is_asking(twin: Twin) -> None:
    cookie = b"GET /by-cookie HTTP/1.1\r\nHost: h\r\nCookie: sid=1\r\n\r\n"
    for _ in range(3):
        await ask(twin, cookie)
        await ask(twin, GET[:-2] + b"Authorization: Bearer abcdefghij\r\n\r\n")
    await below(twin).do(lambda change: None)
    assert kept(twin) == 0


async def test_what_varies_is_told_apart_by_what_it_varies_with(twin: Twin) -> None:
    german, french, other = (
        b"GET /by-language HTTP/1.1\r\nHost: h\r\nAccept-Language: %b\r\n\r\n" % one
        for one in (b"de", b"fr", b"it")
    )
    await licensed(twin, german)
    assert kept(twin) == 2  # the answer, and by what it is told apart
    assert (await ask(twin, german))[1] == 1
    assert (await ask(twin, french))[1] == 0
    assert (await ask(twin, german))[1] == 0  # there is another one beside it since
    await below(twin).do(lambda change: None)
    assert [(await ask(twin, one))[1] for one in (german, french, other)] == [1, 0, 0]


async def test_a_clock_that_was_set_back_is_no_reason_to_answer_from_the_future(twin: Twin) -> None:
    await licensed(twin)
    twin.clock.now -= 100
    assert (await ask(twin, GET))[1] == 0


async def test_an_answer_ends_when_it_is_no_longer_fresh(twin: Twin) -> None:
    await licensed(twin)
    twin.clock.now += 59
    assert (await ask(twin, GET))[1] == 1
    twin.clock.now += 2
    answer, hits = await ask(twin, GET)
    assert (answer[-8:], hits) == (b"/a no. 2", 0)


async def test_what_memory_alone_holds_is_not_hidden_by_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    settings = StorageSettings(store=f"disk:{tmp_path / 'cache'}", memory=1 << 20, disk=8 << 20)
    store = opened(settings, ValkeySettings(), 1 << 20).store
    twin = Twin(answering, clock, lane=True, store=store, budget=0)
    await licensed(twin)
    assert (await ask(twin, GET))[1] == 1
    assert isinstance(store, Tiers)
    (entry,) = store.memory.at_hand(KEY)
    await store.memory.freshen(entry, replace(entry.stored, response_time=clock.now + 1), clock.now + 50)
    assert (await ask(twin, GET))[1] == 0
    await twin.close()


@pytest.mark.parametrize("wanted", [Selection(keys=(KEY,)), Selection(labels=(b"tag:=tag",))])
async def test_what_is_purged_is_not_answered_any_more(twin: Twin, wanted: Selection) -> None:
    await licensed(twin)
    assert (await twin.store.purge(wanted))["disk"] == 1
    answer, hits = await ask(twin, GET)
    assert (answer[-8:], hits) == (b"/a no. 2", 0)


def silent(twin: Twin) -> DiskStore:
    """The folder alone: what is changed in it is told to nobody, as when another process makes room."""
    below(twin).watch(lambda key: None)
    return below(twin)


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


async def test_no_room_in_memory_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, store=on_disk(tmp_path / "cache"), budget=0)
    await licensed(twin)
    assert [(await ask(twin, GET))[1] for _ in range(8)] == [1] * 8
    assert not twin.lane.register._by_key
    await twin.close()


async def test_who_had_to_make_room_is_tried_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True)
    line = b"GET /a HTTP/1.1"
    for _ in range(3):
        await ask(twin, GET)
    twin.lane.register._forget(twin.lane.register.places.young.pop(line) or pytest.fail("no place"))
    found = [(await ask(twin, GET))[1] for _ in range(12)]
    assert found == [0] * 8 + [1] * 4
    await twin.close()
