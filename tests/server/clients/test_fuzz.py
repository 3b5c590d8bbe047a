"""Whatever the bytes: a clear answer or a closed connection, however they are cut, and life goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.framing import Kind, response_framing
from proxy.message.head import HeadLimits, find_end, parse_response_head
from proxy.server.settings import ServerSettings
from tests.server.served import GET, Served, echo

QUICK = ServerSettings(linger=0.2, header_time=0.5, content_time=0.5, half_closed=0.5, read_buffer=512)

words = st.sampled_from(
    [
        GET,
        b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        b"GET /0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n",
        b"GET /h HTTP/1.1\r\n",
        b"Host: a\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"0\r\nX: y\r\n\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b":",
        b"\xff",
    ]
)
streams = st.one_of(st.lists(words, max_size=8).map(b"".join), st.binary(max_size=60))
places = st.lists(st.integers(0, 2000), max_size=6)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[asyncio.Runner, Served]]:
    with asyncio.Runner() as runner:
        served = Served(echo, QUICK, "pellucid", b"")

        async def start() -> None:
            served.address = await served.listener.start("127.0.0.1", 0)

        runner.run(start())
        yield runner, served
        runner.run(served.listener.stop())


async def sent(served: Served, pieces: list[bytes]) -> bytes:
    wire = await served.connect()
    served.wires.clear()
    try:
        for piece in pieces:
            await wire.send(piece)
            await asyncio.sleep(0)
        wire.writer.write_eof()
        return await wire.rest()
    finally:
        await wire.close()


def answers(data: bytes) -> list[tuple[int, bytes]]:
    """The answers in `data`, which has to be nothing but whole answers, without what names the exchange."""
    found: list[tuple[int, bytes]] = []
    while data:
        end = find_end(data, 0)
        assert end > 0
        head, data = parse_response_head(data[:end], HeadLimits()), data[end:]
        framing = response_framing(b"GET", head)
        assert framing.kind in (Kind.LENGTH, Kind.NONE)
        length = framing.length or 0
        assert len(data) >= length
        content, data = data[:length], data[length:]
        found.append((head.status, content if head.status == 200 else b""))
    return found


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a < b]


@settings(max_examples=150, deadline=None)
@given(stream=streams, at=places)
def test_any_bytes(running: tuple[asyncio.Runner, Served], stream: bytes, at: list[int]) -> None:
    runner, served = running

    async def example() -> None:
        served.accounts.clear()
        whole = answers(await sent(served, [stream]))
        for status, _ in whole:
            assert status in (100, 200, 400, 501, 505)
        for status, _ in whole[:-1]:
            assert status in (100, 200)
        pieces = cut(stream, at)
        if b"Expect" not in stream:  # whether the client seems to wait for a 100 depends on how it is cut
            assert answers(await sent(served, pieces)) == whole
        [(status, content)] = answers(await sent(served, [GET]))
        assert (status, content[:14]) == (200, b"GET / HTTP/1.1")
        assert len({account.id for account in served.accounts}) == len(served.accounts)

    runner.run(example())
