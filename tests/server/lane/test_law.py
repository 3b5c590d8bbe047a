"""The law: for any bytes the lane and the long way give the same answer, and leave the same record."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.dates import format_date
from proxy.message.request import Request
from proxy.server.lane import heads
from proxy.server.settings import ServerSettings
from tests.server.lane.twin import Clock, Twin

EXAMPLES = int(os.environ.get("LANE_EXAMPLES", "120"))

Lines = list[tuple[bytes, bytes]]


def answering(request: Request, number: int, now: float) -> tuple[int, Lines, bytes]:
    """Resources of all kinds; each answer tells how often its resource was asked for."""
    path = request.target.partition(b"?")[0]
    body = b"%b %d %b" % (path, number, b"0123456789" * 10)
    lines: Lines = [(b"Content-Length", b"%d" % len(body)), (b"Date", format_date(now))]
    status, own = RESOURCES.get(path, (404, ((b"Cache-Control", b"max-age=5"),)))
    lines += own
    if path == b"/etag":
        lines.append((b"ETag", b'"v%d"' % (number // 3)))
        if request.fields.get(b"if-none-match") == b'"v%d"' % (number // 3):
            return 304, lines[1:], b""
    if path == b"/modified":
        lines.append((b"Last-Modified", format_date(now - 1000)))
    if path == b"/expires":
        lines.append((b"Expires", format_date(now + 20)))
    if path == b"/user" and b"authorization" in request.fields:
        lines.append((b"Cache-Control", b"public"))
        body = body[:-10] + (request.fields.get(b"authorization") or b"")[-10:].rjust(10)
    return status, lines, body


RESOURCES: dict[bytes, tuple[int, tuple[tuple[bytes, bytes], ...]]] = {
    b"/": (200, ((b"Cache-Control", b"max-age=60"), (b"X-Token", b"max-age=60"))),
    b"/short": (200, ((b"Cache-Control", b"max-age=2"), (b"Age", b"1"))),
    b"/etag": (200, ((b"Cache-Control", b"max-age=10"), (b"Accept-Ranges", b"bytes"))),
    b"/modified": (200, ()),
    b"/expires": (200, ((b"Via", b"1.0 there"),)),
    b"/vary": (200, ((b"Cache-Control", b"max-age=30"), (b"Vary", b"Accept-Language, X-Token"))),
    b"/cookie": (200, ((b"Cache-Control", b"max-age=30"), (b"Vary", b"Cookie"))),
    b"/from": (200, ((b"Cache-Control", b"max-age=30"), (b"Vary", b"X-Forwarded-For, Via"))),
    b"/user": (200, ((b"Cache-Control", b"max-age=30"),)),
    b"/private": (200, ((b"Cache-Control", b"private, max-age=30"),)),
    b"/swr": (200, ((b"Cache-Control", b"max-age=1, stale-while-revalidate=4"),)),
    b"/sie": (200, ((b"Cache-Control", b"max-age=1, stale-if-error=40"),)),
    b"/revalidate": (200, ((b"Cache-Control", b"max-age=1, must-revalidate"), (b"ETag", b'"r"'))),
    b"/immutable": (200, ((b"Cache-Control", b"max-age=40, immutable"),)),
    b"/search": (200, ((b"Cache-Control", b"max-age=40"), (b"No-Vary-Search", b'params=("utm" "u2")'))),
    b"/group": (200, ((b"Cache-Control", b"max-age=40"), (b"Cache-Groups", b'"g"'))),
    b"/moved": (301, ((b"Cache-Control", b"max-age=40"), (b"Location", b"/?access_token=abcdefghij"))),
    b"/gone": (410, ((b"Cache-Control", b"max-age=40"),)),
    b"/unauthorized": (401, ((b"Cache-Control", b"max-age=40"), (b"WWW-Authenticate", b"Bearer"))),
    b"/nothing": (204, ((b"Cache-Control", b"max-age=40"),)),
    b"/never": (200, ((b"Cache-Control", b"no-store"),)),
    b"/bad": (200, ((b"Cache-Control", b"max-age=abc, s-maxage=40"), (b"Age", b"x, 1"))),
    b"/invalidate": (200, ((b"Cache-Group-Invalidation", b'"g"'),)),
}

targets = st.sampled_from(
    [
        *RESOURCES,
        b"/search?q=1&utm=2",
        b"/search?q=1",
        b"/search?utm=3&q=1",
        b"/search?q=1&u2=%C3",
        b"/search?q=2&utm=2",
        b"/search?q=1&utm=4&utm=5",
        b"/search?q=%31&u2=7",
        b"/search?q=1&utm=http://a/?token=secretsecret",
        b"/search?q=1&utm=%23#",
        b"/search?",
        b"/?access_token=abcdefghij",
        b"/none",
        b"/%7euser",
        b"/a b",
        b"/#f",
        b"*",
        b"http://a/",
        b"//a/",
        b"/\xff",
        b"",
    ]
)
usual = st.integers(0, 30).map(lambda number: b"/search?q=1&utm=%d" % number) | st.sampled_from(
    [b"/", b"/etag", b"/vary", b"/short", b"/search?q=1&utm=2", b"/group", b"/user"]
)
methods = st.sampled_from([b"GET"] * 8 + [b"HEAD"] * 3 + [b"POST", b"get", b"OPTIONS", b"PUT", b"QUERY"])
versions = st.sampled_from(
    [b"HTTP/1.1"] * 20 + [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 "]
)
hosts = st.sampled_from(
    [b"Host: a\r\n"] * 20 + [b"host:a\r\n", b"HOST: A:80\r\n", b"Host: b\r\n", b"", b"Host: a@b\r\n"]
)
lines = st.sampled_from(
    [
        b"User-Agent: one\r\n",
        b"user-agent:  two \t\r\n",
        b"X-Request-Id: 1\r\n",
        b"Accept-Language: de, en;q=0.5\r\n",
        b"Accept-Language: en;q=0.50,de\r\n",
        b"Accept-Language: fr\r\n",
        b"Accept-Language:\r\n",
        b"X-Token: max-age=60\r\n",
        b"X-Api-Key: age 0 of 60 s\r\n",
        b"Cookie: sid=one-of-them; max-age=60\r\n",
        b"Cookie: sid=another\r\n",
        b"Authorization: Bearer one-and-only\r\n",
        b"Authorization: Bearer another-one\r\n",
        b"Cache-Control: no-cache\r\n",
        b"Cache-Control: max-age=3\r\n",
        b"Cache-Control: max-stale=30\r\n",
        b"Cache-Control: max-stale\r\n",
        b"Cache-Control: min-fresh=5\r\n",
        b"Cache-Control: only-if-cached\r\n",
        b'Cache-Control: "\r\n',
        b"Pragma: no-cache\r\n",
        b'If-None-Match: "v0", "r"\r\n',
        b"If-None-Match: *\r\n",
        b"If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n",
        b"If-Modified-Since: Tuesday, 14-Nov-23 22:13:20 GMT\r\n",
        b'If-Range: "v0"\r\n',
        b"Range: bytes=0-9\r\n",
        b"Range: bytes=0-3,20-30\r\n",
        b"Range: bytes=9999-\r\n",
        b"Range: lines=1\r\n",
        b"Connection: keep-alive\r\n",
        b"Connection: Keep-Alive\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive, x-token\r\n",
        b"Keep-Alive: timeout=5\r\n",
        b"Proxy-Connection: keep-alive\r\n",
        b"TE: trailers\r\n",
        b"Via: 1.1 other\r\n",
        b"Via: 1.1 pellucid\r\n",
        b"X-Forwarded-For: 1.2.3.4\r\n",
        b"Expect: 100-continue\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Upgrade: websocket\r\n",
        b"Max-Forwards: 0\r\n",
        b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
        b"Referer: http://a/?token=secretsecret\r\n",
        b"\xe9: x\r\n",
        b"X: \xe9\xc2\x85\r\n",
        b"X : y\r\n",
        b" folded\r\n",
        b"\tfolded\r\n",
        b"X: a\nY: b\r\n",
        b"X: a\rb\r\n",
        b"X: \x00\r\n",
        b"X\r\n",
        b": x\r\n",
        b"X: " + b"y" * 1600 + b"\r\n",
        b"\n",
    ]
)
traces = st.integers(0, 10**6).map(lambda number: b"traceparent: 00-%032x-01\r\n" % number)
plain_lines = traces | st.sampled_from(
    [
        b"User-Agent: one\r\n",
        b"User-Agent: two\r\n",
        b"Accept-Language: de\r\n",
        b"Accept-Language: en\r\n",
        b"Cookie: sid=one-of-them\r\n",
        b"X-Token: max-age=60\r\n",
        b"Authorization: Bearer one-and-only\r\n",
        b'If-None-Match: "v0"\r\n',
        b"Connection: keep-alive\r\n",
    ]
)


@st.composite
def plain(draw: st.DrawFn) -> bytes:
    """A request as most are."""
    method = draw(st.sampled_from([b"GET", b"GET", b"GET", b"HEAD"]))
    head = b"".join(draw(st.lists(plain_lines, max_size=3)))
    return b"%b %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (method, draw(usual), head)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request with all that may be unusual or wrong."""
    head = draw(hosts) + b"".join(draw(st.lists(lines, max_size=4)))
    gap = draw(st.sampled_from([b" "] * 15 + [b"  ", b"\t"]))
    end = draw(st.sampled_from([b"\r\n"] * 15 + [b"\n", b"\r\n\r\n"]))
    start = draw(st.sampled_from([b""] * 15 + [b"\r\n", b"\n", b" "]))
    request = start + draw(methods) + gap + draw(targets) + b" " + draw(versions) + b"\r\n" + head + end
    return request + draw(st.sampled_from([b""] * 6 + [b"hello", b"0\r\n\r\n"]))


@dataclass(frozen=True)
class Step:
    """Bytes for one of the clients, cut at `cuts`; then so many seconds pass, and maybe something happens."""

    client: int
    data: bytes
    cuts: tuple[int, ...]
    wait: float
    event: str


@st.composite
def scripts(draw: st.DrawFn) -> list[Step]:
    """A few requests that come again and again, whole and in pieces, alone and together, others between."""
    pool = draw(st.lists(plain() | requests(), min_size=1, max_size=3))
    again = st.sampled_from(pool)
    data = (
        again | again | again | st.lists(again, min_size=2, max_size=4).map(b"".join) | plain() | requests()
    )
    steps = st.builds(
        Step,
        st.sampled_from([0, 0, 0, 1]),
        data,
        st.just(()) | st.just(()) | st.just(()) | st.lists(st.integers(1, 200), max_size=2).map(tuple),
        st.sampled_from([0.0] * 8 + [0.5, 0.75, 1.0, 3.0, 30.0, -2.0]),
        st.sampled_from([""] * 20 + ["invalidate", "evict", "expire", "label", "remove"]),
    )
    return draw(st.lists(steps, min_size=4, max_size=20))


def pieces_of(data: bytes, cuts: tuple[int, ...]) -> list[bytes]:
    at = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[first:last] for first, last in pairwise(at)]


async def happen(twin: Twin, event: str) -> None:
    """Something that changes the store and comes from no client."""
    match event:
        case "invalidate":
            await twin.store.invalidate([b"GET http://a/", b"GET http://a/etag"], [])
        case "label":
            await twin.store.invalidate([], list(twin.store._labels._groups)[:1])
        case "evict":
            twin.store._make_room(twin.store._budget // 2)
        case "expire":
            await twin.store.expire(twin.clock())
        case "remove":
            for entry in (await twin.store.look_up(b"GET http://a/vary"))[:1]:
                await twin.store.remove(entry)


async def run(twin: Twin, script: list[Step]) -> list[Any]:
    clients: dict[int, Any] = {}
    seen: list[Any] = []
    for step in script:
        connection, transport = clients.get(step.client, (None, None))
        if connection is None or transport.closed:
            connection, transport = clients[step.client] = twin.connect()
        seen.append(await twin.give(connection, *pieces_of(step.data, step.cuts)))
        seen.append(twin.records())
        twin.clock.now += step.wait
        await happen(twin, step.event)
        seen.append(len(twin.origin.asked))
    await twin.close()
    seen.append(twin.records())
    return seen


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


SETTINGS = ServerSettings(request_line=300, header_bytes=1500, header_fields=12, content_bytes=100)
ANSWERED = {"lane": 0, "all": 0}


@settings(max_examples=EXAMPLES)
@given(scripts(), st.booleans())
def test_the_lane_does_what_the_long_way_does(script: list[Step], small: bool) -> None:
    found = []
    for lane in (True, False):
        clock = Clock()
        with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
            clock.everywhere(patch)
            patch.setattr(heads, "_OFTEN", 2)  # what is new in each request is found out at once

            async def both(lane: bool = lane, clock: Clock = clock) -> tuple[list[Any], int]:
                twin = Twin(
                    answering, clock, lane=lane, settings=SETTINGS, memory=12_000 if small else 1 << 20
                )
                return await run(twin, script), twin.hits

            seen, hits = runner.run(both())
        found.append(seen)
        assert lane or not hits
        ANSWERED["lane"] += hits
        ANSWERED["all"] += len(seen) // 3
    for with_lane, without in zip(*found, strict=True):
        assert with_lane == without


def test_the_law_was_tested_on_the_lane() -> None:
    print(ANSWERED)
    assert ANSWERED["lane"] > ANSWERED["all"] / 40
