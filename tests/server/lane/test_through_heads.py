"""The law once more: whatever lines a response has, whichever target it is for, both ways are alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.lane.test_through_law import BODY, Play, request, seen
from tests.server.lane.twin import Clock
from tests.server.lane.ways import Ways

EXAMPLES = int(os.environ.get("LANE_EXAMPLES", "40"))

TARGETS = [b"/a", b"/b?c=d", b"/%2f//x", b"/c?access_token=abcdefghijklmnop"]
ASKING = [
    (),
    (),
    (b"User-Agent: x",),
    (b"Cookie: sid=qrstuvwxyzabcdef",),
    (b"Authorization: Bearer qrstuvwxyzabcdef",),
    (b"Cache-Control: no-cache",),
]

USUAL = [b"Date: Tue, 14 Nov 2023 22:13:20 GMT", b"Cache-Control: no-store", b'ETag: "1"', b"X-Id: 1"]
LINES = [
    b"Date: Tue, 14 Nov 2023 22:13:21 GMT",
    b"date:Tue, 14 Nov 2023 22:13:19 GMT ",
    b"Date: Tuesday, 14-Nov-23 22:13:20 GMT",
    b"Date: Tue, 31 Feb 2023 22:13:20 GMT",
    b"Date: Fri, 31 Dec 9999 23:59:59 GMT",
    b'ETag: "2"',
    b'etag: W/"3"',
    b"ETag: 4",
    b'ETag: "\xff"',
    b"Last-Modified: Mon, 13 Nov 2023 22:13:20 GMT",
    b"Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT",
    b"Last-Modified: Tue, 14 Nov 2023 22:12:20 GMT",
    b"Last-Modified: Thu, 01 Jan 0000 00:00:00 GMT",
    b"Last-Modified: today",
    b"Expires: 0",
    b"Expires: Tue, 14 Nov 2023 22:13:20 GMT",
    b"Expires: Tue, 14 Nov 2023 22:14:20 GMT",
    b"Expires: Tuesday, 14-Nov-23 22:14:20 GMT",
    b"Age: 3",
    b"Age: x",
    b"Cache-Control: no-store",
    b"Cache-Control: private, max-age=60",
    b"Cache-Control: private",
    b"Cache-Control: max-age=60",
    b"Cache-Control: no-store, max-age=x, private=abcdefghijklmnop",
    b"CDN-Cache-Control: no-store",
    b"CDN-Cache-Control: max-age=5",
    b"Vary: *",
    b"Vary: User-Agent",
    b'No-Vary-Search: params=("c")',
    b"Set-Cookie: sid=abcdefghijklmnop; Path=/",
    b"Set-Cookie: sid=qrstuvwxyzabcdef",
    b"Set-Cookie: a=b",
    b"Content-Type: multipart/byteranges; boundary=x",
    b"Content-Range: bytes 0-29/100",
    b"Content-Location: /b",
    b"Location: http://user:secretpassword@a.example/",
    b"X-Id: 2",
    b"X-Id: 'a' \"b\" \\ c=d@e",
    b"X-\xff: 1",
    b"x-id:\t\xff\x80 ",
    b"X-Empty:",
    b"Via: 1.0 there",
    b"Cache-Status: there; hit",
    b"Connection: keep-alive",
    b"Connection: X-Id",
    b"Connection: close",
    b"Keep-Alive: timeout=3",
    b"Transfer-Encoding: chunked",
    b"Upgrade: x",
    b"Proxy-Authenticate: Basic",
    b"Trailer: X",
    b"Content-Length: 30",
    b"Content-Length: 030",
    b"Content-Length: 31",
    b"Content-Length: x",
    b" folded",
    b"X-Id : 3",
    b"no colon",
]
STARTS = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200 Fine",
    b"HTTP/1.1 200",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 404 Not Found",
    b"HTTP/1.1 500 Oh \xff",
    b"HTTP/1.1 206 Partial Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 302 Found",
]

line = st.sampled_from(LINES)
change = st.one_of(
    st.tuples(st.just("instead"), st.integers(0, 4), line),
    st.tuples(st.just("more"), st.integers(0, 5), line),
    st.tuples(st.just("without"), st.integers(0, 4), line),
    st.tuples(st.just("doubled"), st.integers(0, 4), line),
)
start = st.one_of(st.just(STARTS[0]), st.sampled_from(STARTS))
exchange = st.tuples(
    st.sampled_from(TARGETS),
    st.sampled_from(ASKING),
    st.sampled_from([b"GET", b"GET", b"GET", b"HEAD"]),
    start,
    st.lists(change, max_size=3),
    st.sampled_from([0, 0, 0, 1, 1.5, 40]),
)


def head_of(first: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    lines = [*USUAL, b"Content-Length: 30"]
    for what, where, other in changes:
        if what == "instead":
            lines[where % len(lines)] = other
        elif what == "more":
            lines.insert(where, other)
        elif what == "doubled":
            lines.append(lines[where % len(lines)])
        elif len(lines) > 1:
            del lines[where % len(lines)]
    return b"\r\n".join([first, *lines, b"", b""])


@pytest.fixture(scope="module")
def clock() -> Iterator[Clock]:
    found = Clock()
    with pytest.MonkeyPatch.context() as patch:
        found.everywhere(patch)
        yield found


async def played(clock: Clock, piece: list[Any], *, short: bool) -> tuple[tuple[Any, ...], int]:
    """What is seen when all has been asked for before, and how much of the piece went the short way."""
    ways = Ways(clock, short=short)
    try:
        play = Play(ways)
        usual = head_of(STARTS[0], [])
        for target in TARGETS:
            for _ in range(3):
                await play.step("ask", 0, request(start=b"GET %b HTTP/1.1" % target), 0)
                await play.step("answer", 0, usual + BODY, 0)
        ways.lane_records.flush()
        warmed = ways.hits
        for target, asking, method, first, changes, later in piece:
            await play.step("ask", 0, request(*asking, start=b"%b %b HTTP/1.1" % (method, target)), 0)
            content = b"" if method == b"HEAD" or first[9:12] in (b"304", b"204") else BODY
            await play.step("answer", 0, head_of(first, changes) + content, 0)
            clock.now += later
        return seen(ways), ways.hits - warmed
    finally:
        await ways.close()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(exchange, min_size=2, max_size=10))
async def test_whatever_the_lines_both_ways_are_the_same(clock: Clock, piece: list[Any]) -> None:
    clock.now = begun = 1_700_000_000.25
    short, _ = await played(clock, piece, short=True)
    clock.now = begun
    long, _ = await played(clock, piece, short=False)
    assert short == long


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("instead", 2, b'ETag: "%d"' % number) for number in range(9)], 9),
        ([("instead", 0, b"Date: Tue, 14 Nov 2023 22:13:2%d GMT" % number) for number in range(9)], 9),
        ([("instead", 3, b"Set-Cookie: sid=abcdefghijklmnop%d" % number) for number in range(9)], 9),
        ([("more", 3, b"Last-Modified: Mon, 13 Nov 2023 22:13:2%d GMT" % number) for number in range(9)], 9),
        ([("instead", 1, b"Cache-Control: max-age=60") for _ in range(2)], 0),
    ],
)
async def test_most_heads_that_are_new_each_time_go_the_short_way(clock, changes, expected):
    """For any target, and whatever the others were answered with before."""
    piece = [
        (TARGETS[number % 3], (), b"GET", STARTS[0], [change], 0) for number, change in enumerate(changes)
    ]
    _, hits = await played(clock, piece, short=True)
    assert hits == expected
