"""The law: whatever clients and the origin do, the short way through and the long one are alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.lane.twin import _ID, Clock
from tests.server.lane.ways import Ways

EXAMPLES = int(os.environ.get("LANE_EXAMPLES", "40"))

DATE = b"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
BODY = b"0123456789" * 3


def response(
    *lines: bytes, start: bytes = b"HTTP/1.1 200 OK", date: bytes = DATE, body: bytes = BODY
) -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([start, date + length, *lines, b"", body])


PLAIN = response(b"Cache-Control: no-store", b"Content-Type: text/plain")
RESPONSES = [
    PLAIN,
    response(b"X-Request-Id: 1", b"Cache-Control: no-store", b"Connection: keep-alive"),
    response(b"X-Request-Id: 2", b"Cache-Control: no-store", date=DATE.replace(b"20 G", b"21 G")),
    response(b"cache-control:private", b"Set-Cookie: sid=abcdefghijklmnop; Path=/"),
    response(b"Cache-Control: private, max-age=0", b'ETag: "1"'),
    response(b"Cache-Control: no-store", b'ETag: "2"', body=b"x" * 7),
    response(b"Cache-Control: no-store", b'ETag: W/"3"', b"X-Request-Id: 7"),
    response(b"Cache-Control: no-store, max-age=0", b"Expires: 0", b"Pragma: no-cache"),
    response(b"Cache-Control: no-store, max-age=9"),
    response(b"Cache-Control: private", b"Expires: Tue, 14 Nov 2023 22:13:40 GMT", b"Set-Cookie: a=b"),
    response(b"Cache-Control: no-store", b"Last-Modified: Mon, 13 Nov 2023 22:13:20 GMT"),
    response(b"Cache-Control: no-store", b"Expires: 0", b"Age: 3"),
    response(b"Cache-Control: no-store", b"Vary: *, Accept", b"Via: 1.0 there"),
    response(b"Cache-Control: max-age=60"),
    response(b"Cache-Control: max-age=60", b"Vary: User-Agent"),
    response(b"Cache-Control: no-store, max-age=abc, private=sid=abcdefghijklmnop"),
    response(start=b"HTTP/1.1 500 Oh \xff no"),
    response(b"Cache-Control: no-store", start=b"HTTP/1.0 200 OK"),
    response(b"Cache-Control: no-store", b"Connection: close"),
    response(b"Cache-Control: no-store", b"Connection: X-Private, close", b"X-Private: 1"),
    response(b"Cache-Control: no-store", b"Connection: X-Private", b"X-Private: 1", b"Keep-Alive: timeout=1"),
    response(b"Cache-Control: no-store", date=b""),
    response(b"Cache-Control: no-store", date=DATE + DATE),
    response(b"Cache-Control: no-store", date=b"Date: Tuesday, 14-Nov-23 22:13:20 GMT\r\n"),
    response(b"Cache-Control: no-store", body=b""),
    response(b"Cache-Control: no-store", b"Trailer: X", b"Content-Length: 30"),
    response(b"Cache-Control: no-store", b"Content-Length: 31"),
    response(b"Content-Range: bytes 0-29/100", start=b"HTTP/1.1 206 Partial Content"),
    response(b"Cache-Control: no-store", start=b"HTTP/1.1 408 Request Timeout"),
    PLAIN + b"HTTP/1.1 200 OK\r\n",
    PLAIN[:-1],
    PLAIN.replace(b"\r\n", b"\n"),
    PLAIN.replace(b"Content-Type:", b"Content-Type :"),
    PLAIN.replace(b"no-store", b"no-store,\r\n private"),
    PLAIN.replace(b"text/plain", b"text/\0plain"),
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + PLAIN,
    b"HTTP/1.1 304 Not Modified\r\n" + DATE + b'ETag: "1"\r\n\r\n',
    b"HTTP/1.1 204 No Content\r\n" + DATE + b"Cache-Control: no-store\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n" + DATE + b"Content-Length: 4\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n"
    + DATE
    + b"Transfer-Encoding: chunked\r\nCache-Control: no-store\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + DATE + b"Cache-Control: no-store\r\n\r\nuntil the end",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"SSH-2.0\r\n",
]


def request(*lines: bytes, start: bytes = b"GET /a HTTP/1.1") -> bytes:
    return b"\r\n".join([start, b"Host: a.example", *lines, b"", b""])


REQUESTS = [
    request(),
    request(),
    request(b"User-Agent: x", b"Accept: */*"),
    request(b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    request(start=b"HEAD /a HTTP/1.1"),
    request(start=b"GET /b?access_token=abcdefghijklmnop HTTP/1.1"),
    request(b"Cookie: sid=abcdefghijklmnop"),
    request(b"Authorization: Bearer abcdefghijklmnop"),
    request(b'If-None-Match: "1"'),
    request(b"Cache-Control: no-cache"),
    request(b"Cache-Control: only-if-cached"),
    request(b"Pragma:no-cache", b"Range: bytes=0-3"),
    request(b"X-Forwarded-For: 1.2.3.4"),
    request(b"Via: 1.1 there"),
    request(b"connection: Keep-Alive"),
    request(b"Connection: close"),
    request(b"TE: trailers", b"Connection: te"),
    request(b"hOsT : b.example"),
    request(b"Upgrade: x", b"Connection: upgrade"),
    request(b"X: " + b"y" * 5000),
    request(start=b"GET /a HTTP/1.0"),
    request(start=b"GET http://b.example/a HTTP/1.1"),
    request(b"Content-Length: 3") + b"abc",
    request(b"Content-Length: 3", start=b"POST /a HTTP/1.1") + b"abc",
    request() + request(),
    request() + request(b"X: 1") + request()[:20],
    b"\r\n" + request(),
    request()[:-2],
    request().replace(b"a.example", b"A.example:80"),
    b"GET /a HTTP/1.1\r\n\r\n",
    b"nonsense\r\n\r\n",
]

cuts = st.integers(0, 400)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 3), st.sampled_from(REQUESTS), cuts),
        st.tuples(st.just("ask"), st.integers(0, 3), st.just(REQUESTS[0]), st.just(0)),
        st.tuples(st.just("answer"), st.just(0), st.sampled_from(RESPONSES), cuts),
        st.tuples(st.just("answer"), st.just(0), st.just(PLAIN), st.just(0)),
        st.tuples(
            st.sampled_from(["leave", "end", "hang up", "stop"]), st.integers(0, 3), st.just(b""), cuts
        ),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 61]), st.just(b""), cuts),
    ),
    min_size=3,
    max_size=14,
)


@pytest.fixture(scope="module")
def clock() -> Iterator[Clock]:
    found = Clock()
    with pytest.MonkeyPatch.context() as patch:
        found.everywhere(patch)
        yield found


class Play:
    """The same piece, played for one of the two."""

    def __init__(self, ways: Ways) -> None:
        self.ways = ways
        self.clients = [ways.connect() for _ in range(4)]

    async def step(self, what: str, who: int, data: bytes, cut: int) -> None:
        ways = self.ways
        if what == "ask":
            await self._ask(who, data, cut)
        elif what == "answer":
            await self._answer(data, cut)
        elif what == "wait":
            ways.clock.now += who / 2  # each of the two lets it pass
        elif what == "hang up":
            if (line := ways.asked()) is not None:
                line.hangs_up()
        else:
            connection, transport = self.clients[who]
            if not transport.closed:
                if what == "leave":
                    transport.close()
                elif what == "stop":
                    connection.stop()
                elif not connection.eof_received():
                    transport.close()
        await ways.quiet()

    async def _ask(self, who: int, data: bytes, cut: int) -> None:
        connection, transport = self.clients[who]
        if transport.closed:
            self.clients[who] = connection, transport = self.ways.connect()
        for piece in _pieces(data, cut):
            if not transport.closed:
                connection.data_received(piece)
                await self.ways.quiet()

    async def _answer(self, data: bytes, cut: int) -> None:
        line = self.ways.asked()
        if line is None:
            return
        line.answered = line.asked
        for piece in _pieces(data, cut):
            line.says(piece)
            await self.ways.quiet()

    async def warm(self) -> None:
        for _ in range(3):
            for client, start in enumerate((b"GET /a HTTP/1.1", b"GET /a HTTP/1.1", b"HEAD /a HTTP/1.1")):
                await self._ask(client, request(start=start), 0)
            for _ in range(3):
                line = self.ways.asked()
                if line is not None:
                    head = line.sent.rpartition(b"HEAD")[2].count(b"GET") == 0 and b"HEAD" in line.sent
                    await self._answer(PLAIN.removesuffix(BODY) if head else PLAIN, 0)


def _pieces(data: bytes, cut: int) -> list[bytes]:
    return [piece for piece in (data[:cut], data[cut:]) if piece]


def seen(ways: Ways) -> tuple[Any, ...]:
    """All that clients, the origin and the log have seen."""
    records = ways.records()
    for record in records:
        if record["upstream"] is not None:
            record["upstream"]["first_byte_seconds"] = None
    records.sort(key=lambda record: (record["time"], record["client"], str(record)))
    clients = [(_ID.sub(b"(id)", transport.written), transport.closed) for _, transport in ways.connections]
    return clients, [(line.sent, line.open) for line in ways.upstream], records


async def played(clock: Clock, piece: list[Any], *, short: bool) -> tuple[tuple[Any, ...], int]:
    ways = Ways(clock, short=short)
    try:
        play = Play(ways)
        await play.warm()
        ways.lane_records.flush()
        warmed = ways.hits
        for step in piece:
            await play.step(*step)
        return seen(ways), ways.hits - warmed
    finally:
        await ways.close()


@settings(max_examples=EXAMPLES, deadline=None)
@given(steps)
async def test_the_short_way_and_the_long_one_are_the_same(clock: Clock, piece: list[Any]) -> None:
    clock.now = start = 1_700_000_000.25
    short, _ = await played(clock, piece, short=True)
    clock.now = start
    long, _ = await played(clock, piece, short=False)
    assert short == long


async def test_most_go_the_short_way(clock: Clock) -> None:
    piece = [
        ("ask", 0, REQUESTS[2], 0),
        ("answer", 0, PLAIN, 0),
        ("ask", 3, REQUESTS[3], 0),
        ("answer", 0, RESPONSES[1], 0),
    ]
    _, hits = await played(clock, piece, short=True)
    assert hits == 2
