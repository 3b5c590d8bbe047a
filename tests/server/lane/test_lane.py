"""What the lane answers, what it leaves to the long way, and when it stops."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.message.request import Request
from proxy.server.settings import ServerSettings
from tests.server.lane.twin import Clock, Twin

Lines = list[tuple[bytes, bytes]]

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"


def answering(request: Request, number: int, now: float) -> tuple[int, Lines, bytes]:
    body = b"%b no. %d" % (request.target, number)
    lines: Lines = [(b"Cache-Control", b"max-age=60"), (b"Content-Length", b"%d" % len(body))]
    if request.target.startswith(b"/search"):
        lines.append((b"No-Vary-Search", b'params=("utm")'))
    if request.target == b"/vary":
        lines.append((b"Vary", b"Accept-Language"))
    if request.target == b"/etag":
        lines.append((b"ETag", b'"one"'))
    if request.target == b"/group":
        lines.append((b"Cache-Groups", b'"g"'))
    if request.target == b"/cookie":
        lines.append((b"Vary", b"Cookie"))
        body = (request.fields.get(b"cookie") or b"nobody").ljust(len(body))[: len(body)]
    return 200, lines, body


@pytest.fixture
async def twin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Twin]:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True)
    yield twin
    await twin.close()


async def hits(twin: Twin, *requests: bytes) -> int:
    """How many of these requests, sent one after the other, were answered on the lane."""
    twin.lane_records.flush()
    before = twin.hits
    connection, _ = twin.connect()
    for request in requests:
        assert (await twin.give(connection, request)).startswith((b"HTTP/1.1 200", b"HTTP/1.1 304"))
    twin.lane_records.flush()
    return twin.hits - before


async def test_what_was_answered_from_the_store_is_answered_on_the_lane_from_then_on(twin: Twin) -> None:
    assert await hits(twin, GET, GET) == 0
    assert await hits(twin, GET, GET, GET) == 3
    assert len(twin.origin.asked) == 1


@pytest.mark.parametrize(
    "other",
    [
        b"GET /a HTTP/1.1\r\nHost: h\r\nUser-Agent: another\r\n\r\n",
        b"GET /a HTTP/1.1\r\nuser-agent:x\r\nHOST: \t h \r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067a-01\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nCookie: sid=somebody\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
    ],
)
async def test_what_makes_no_difference_makes_none_here(twin: Twin, other: bytes) -> None:
    await hits(twin, GET, GET)
    assert await hits(twin, other) == 1


@pytest.mark.parametrize(
    "other",
    [
        b"GET /a HTTP/1.1\r\nHost: h\r\nCache-Control: no-cache\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.0\r\nHost: h\r\n\r\n",
        b"GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.1 other\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: i\r\n\r\n",
        b"\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
async def test_what_may_make_a_difference_goes_the_long_way(twin: Twin, other: bytes) -> None:
    await hits(twin, GET, GET)
    connection, _ = twin.connect()
    assert await twin.give(connection, other)
    twin.lane_records.flush()
    assert twin.hits == 0


async def test_a_tracking_parameter_in_each_request(twin: Twin) -> None:
    tracked = [b"GET /search?q=1&utm=%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(20)]
    await hits(twin, *tracked[:4])
    assert await hits(twin, *tracked[4:]) == 16
    assert len(twin.origin.asked) == 1
    assert await hits(twin, b"GET /search?q=2&utm=5 HTTP/1.1\r\nHost: h\r\n\r\n") == 0
    targets = [record["request"]["target"] for record in twin.records()]
    assert targets == [f"/search?q=1&utm={number}" for number in range(20)] + ["/search?q=2&utm=5"]


async def test_what_is_stored_for_a_tracked_target_itself_comes_first(twin: Twin) -> None:
    tracked = [b"GET /search?q=1&utm=%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(4)]
    await hits(twin, *tracked)
    own = tracked[3].replace(b"\r\n\r\n", b"\r\nCache-Control: no-cache\r\n\r\n")
    connection, _ = twin.connect()
    assert b"no. 1" in await twin.give(connection, own)
    for request in tracked:
        answer = await twin.give(connection, request)
        assert answer.endswith(b"/search?q=1&utm=3 no. 1")


async def test_two_users_never_share_what_is_theirs(twin: Twin) -> None:
    def of(user: bytes) -> bytes:
        return b"GET /cookie HTTP/1.1\r\nHost: h\r\nCookie: sid=%b\r\n\r\n" % user

    connection, _ = twin.connect()
    for _ in range(4):
        for user in (b"ann", b"bob"):
            assert b"sid=" + user in await twin.give(connection, of(user))
    assert b"nobody" in await twin.give(connection, b"GET /cookie HTTP/1.1\r\nHost: h\r\n\r\n")
    twin.lane_records.flush()
    assert twin.hits == 4


async def test_several_at_once_are_answered_in_order_and_in_one_write(twin: Twin) -> None:
    other = GET.replace(b"/a", b"/b")
    await hits(twin, GET, GET, other, other)
    connection, transport = twin.connect()
    answer = await twin.give(connection, GET + other + GET + b"GET /c HTTP/1.1\r\nHost: h\r\n\r\n")
    assert [part.split(b"\r\n")[0] for part in answer.split(b"HTTP/1.1 200 ")[1:]] == [b""] * 4
    assert [answer.index(body) for body in (b"/a no", b"/b no", b"/c no")] == sorted(
        answer.index(body) for body in (b"/a no", b"/b no", b"/c no")
    )
    assert transport.writes == 2
    assert [record["request"]["target"] for record in twin.records()][-4:] == ["/a", "/b", "/a", "/c"]


async def test_a_client_that_does_not_read_gets_no_more(twin: Twin) -> None:
    await hits(twin, GET, GET)
    connection, transport = twin.connect()
    connection.pause_writing()
    connection.data_received(GET * 3)
    await twin.quiet()
    twin.lane_records.flush()
    assert twin.hits == 0
    connection.resume_writing()
    await twin.quiet()
    assert transport.written.count(b"HTTP/1.1 200") == 3


async def test_a_proxy_that_stops_says_so(twin: Twin) -> None:
    await hits(twin, GET, GET)
    connection, _ = twin.connect()
    connection.stopping = True
    assert b"Connection: close" in await twin.give(connection, GET)


EVENTS: dict[str, Any] = {
    "invalidated": lambda twin, entry: twin.store.invalidate([entry.key], []),
    "label": lambda twin, entry: twin.store.invalidate([], list(entry.labels)),
    "removed": lambda twin, entry: twin.store.remove(entry),
    "freshened": lambda twin, entry: twin.store.freshen(entry, entry.stored),
}


@pytest.mark.parametrize("event", EVENTS)
async def test_what_changes_in_the_store_ends_the_licence(twin: Twin, event: str) -> None:
    request = b"GET /group HTTP/1.1\r\nHost: h\r\n\r\n"
    await hits(twin, request, request)
    assert await hits(twin, request) == 1
    [entry] = await twin.store.look_up(b"GET http://h/group")
    await EVENTS[event](twin, entry)
    assert await hits(twin, request) == 0


async def test_another_variant_ends_the_licence(twin: Twin) -> None:
    german = b"GET /vary HTTP/1.1\r\nHost: h\r\nAccept-Language: de\r\n\r\n"
    await hits(twin, german, german)
    assert await hits(twin, german) == 1
    await hits(twin, german.replace(b"de", b"fr"))
    assert await hits(twin, german) == 0


async def test_what_is_evicted_is_not_kept_alive(twin: Twin) -> None:
    await hits(twin, GET, GET, GET)
    [entry] = await twin.store.look_up(b"GET http://h/a")
    [place] = twin.lane.register.places.young.values()
    [standing] = place.standings.values()
    assert standing.content is entry.content
    await twin.store.remove(entry)
    assert (standing.content, place.standings, twin.lane.register._by_key) == (b"", {}, {})
    assert not gc.is_tracked(standing.content)
    assert all(entry is not held for held in gc.get_referents(standing))


async def test_each_hit_is_a_use(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []
    await hits(twin, GET, GET)
    [place] = twin.lane.register.places.young.values()
    [standing] = place.standings.values()
    standing.touch = lambda: used.append(1)
    assert await hits(twin, GET, GET, GET) == 3
    assert len(used) == 3


async def test_its_age_is_told_as_it_grows_until_it_is_stale(twin: Twin) -> None:
    await hits(twin, GET, GET)
    connection, _ = twin.connect()
    for second in range(60):
        answer = await twin.give(connection, GET)
        assert b"\r\nAge: %d\r\n" % second in answer
        assert b";ttl=%d;" % (60 - second) in answer
        twin.clock.now += 1
    twin.lane_records.flush()
    assert (twin.hits, len(twin.origin.asked)) == (60, 1)
    assert b"no. 2" in await twin.give(connection, GET)


async def test_a_clock_that_is_set_back_is_no_trouble(twin: Twin) -> None:
    await hits(twin, GET, GET)
    twin.clock.now -= 100
    assert await hits(twin, GET) == 0


async def test_the_memory_for_licences_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, budget=200_000)
    for number in range(200):
        request = b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number
        await hits(twin, request, request)
    held = sum(place.size for place in twin.lane.register.places.young.values())
    assert 0 < held <= 75_000
    assert 0 < len(twin.lane.register._by_key) < 60
    await twin.close()


async def test_many_licences_for_few_targets_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, budget=100_000)
    targets = [b"GET /%d HTTP/1.1\r\nHost: h\r\n" % number for number in range(4)]
    await hits(twin, *(target + b"\r\n" for target in targets))
    for most in range(100, 130):
        limit = b"Cache-Control: max-age=%d\r\n\r\n" % most
        await hits(twin, *(target + limit for target in targets))
        places = twin.lane.register.places
        kept = [*places.young.values(), *places._old.values()]
        assert sum(standing.size for place in kept for standing in place.standings.values()) <= 200_000
    assert await hits(twin, *[targets[3] + limit] * 10)  # tried more seldom once it had to make room
    await twin.close()


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, settings=ServerSettings(idle=0.2))
    await hits(twin, GET, GET)
    (busy, busy_wire), (_, idle_wire) = twin.connect(), twin.connect()
    loop = asyncio.get_running_loop()
    until = loop.time() + 0.5
    while loop.time() < until:
        assert await twin.give(busy, GET)
        await asyncio.sleep(0.02)
    assert (busy_wire.closed, idle_wire.closed) == (False, True)
    while not busy_wire.closed:  # noqa: ASYNC110 - the test's own time limit ends it
        await asyncio.sleep(0.02)
    await twin.close()


async def test_who_was_just_answered_is_not_closed_to_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, settings=ServerSettings(connections=3))
    await hits(twin, GET, GET)
    twin.connections[0][1].close()
    await twin.quiet()
    (first, first_wire), (_, second_wire), _ = twin.connect(), twin.connect(), twin.connect()
    assert await twin.give(first, GET)
    twin.connect()
    await twin.quiet()
    assert (first_wire.closed, second_wire.closed) == (False, True)
    await twin.close()


async def test_a_licence_is_asked_for_the_second_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = Twin(answering, clock, lane=True, eager=False)
    assert await hits(twin, GET, GET, GET) == 0
    assert await hits(twin, GET) == 1
    await twin.close()
