"""What arrives leaves: any message both ways, byte for byte, but for what belongs to one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.hops import END_TO_END, HOP_BY_HOP
from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.upstream.address import Server
from tests.attack.conftest import Kept
from tests.server.served import Answer, Wire

TRACES = (b"via", b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
MEANT = HOP_BY_HOP | {*TRACES, b"host", b"content-length", b"expect", b"max-forwards", b"date", b"age"}
TOKEN = b"!#$%&'*+-.^_`|~0123456789abcXYZ"

tokens = st.lists(st.sampled_from(TOKEN), min_size=1, max_size=8).map(bytes)
names = st.one_of(
    st.sampled_from(sorted(END_TO_END - MEANT)).map(bytes.title),
    tokens.filter(lambda name: name.lower() not in MEANT),
)
inner = st.sampled_from(bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)]))
values = st.lists(inner, max_size=20).map(bytes).map(lambda value: value.strip(b" \t"))
fields = st.lists(st.tuples(names, values), max_size=8)
pieces = b"/ %2F %2f .. . ;a=b a \xc3\xa9 \xff ? & = + * // %".split(b" ")
paths = st.lists(st.sampled_from(pieces), max_size=8).map(lambda chosen: b"/" + b"".join(chosen))
methods = st.one_of(st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"get"]), tokens)


class Scribe:
    """An origin that writes down each request and answers with what it is told to."""

    def __init__(self) -> None:
        self.head = b""
        self.content = b""
        self.answer = b""
        self.port = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.head = await reader.readuntil(b"\r\n\r\n")
                _, found, length = self.head.lower().partition(b"\r\ncontent-length: ")
                self.content = await reader.readexactly(int(length.split(b"\r\n")[0])) if found else b""
                writer.write(self.answer)
        writer.close()


class Post:
    """A proxy in front of a scribe, and a client."""

    def __init__(self) -> None:
        self.scribe = Scribe()
        self.kept = Kept()

    async def start(self) -> None:
        await self.scribe.start()
        server = Server("http", "127.0.0.1", self.scribe.port)
        self.proxy = Proxy(Settings(), server, log=cast(Any, self.kept), terminal=None)
        self.wire = Wire(*await asyncio.open_connection(*await self.proxy.start(("127.0.0.1", 0))))

    async def ask(
        self, method: bytes, target: bytes, lines: list[tuple[bytes, bytes]], content: bytes
    ) -> Answer:
        head = b"".join(b"%b: %b\r\n" % line for line in lines)
        length = b"Content-Length: %d\r\n" % len(content) if content else b""
        await self.wire.send(
            b"%b %b HTTP/1.1\r\nHost: a\r\n%b%b\r\n%b" % (method, target, head, length, content)
        )
        return await self.wire.answer(method)

    async def stop(self) -> None:
        await self.wire.close()
        await self.proxy.stop()
        self.scribe.server.close()
        await self.scribe.server.wait_closed()


@pytest.fixture(scope="module")
def post() -> Iterator[tuple[asyncio.Runner, Post]]:
    with asyncio.Runner() as runner:
        post = Post()
        runner.run(post.start())
        yield runner, post
        runner.run(post.stop())


def lines_of(head: bytes) -> list[tuple[bytes, bytes]]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:-2])
    return [(name, value.strip(b" \t")) for name, _, value in pairs]


@given(method=methods.filter(lambda method: method not in (b"CONNECT", b"TRACE", b"OPTIONS", b"HEAD")),
       target=paths, sent=fields, content=st.binary(max_size=50))  # fmt: skip
def test_a_request_arrives_as_it_left(
    post: tuple[asyncio.Runner, Post],
    method: bytes,
    target: bytes,
    sent: list[tuple[bytes, bytes]],
    content: bytes,
) -> None:
    runner, there = post
    # What would be answered from the cache, or not be forwarded, never gets there.
    sent = [(b"Cache-Control", b"no-store"), *(line for line in sent if line[0].lower() != b"cache-control")]
    there.scribe.answer = b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n"
    assert runner.run(there.ask(method, target, sent, content)).head.status == 200
    head = there.scribe.head
    assert head.startswith(b"%b %b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % (method, target, there.scribe.port))
    arrived = lines_of(head)[1:]
    assert [line for line in arrived if line[0].lower() not in MEANT] == sent
    assert [name.lower() for name, _ in arrived[-len(TRACES) :]] == list(TRACES)
    assert there.scribe.content == content


@settings(max_examples=100)
@given(
    status=st.integers(200, 999).filter(lambda status: status not in (204, 205, 304)),
    reason=values,
    sent=fields,
    content=st.binary(max_size=50),
)
def test_a_response_arrives_as_it_left(
    post: tuple[asyncio.Runner, Post],
    status: int,
    reason: bytes,
    sent: list[tuple[bytes, bytes]],
    content: bytes,
) -> None:
    runner, there = post
    lines = [*sent, (b"Content-Length", b"%d" % len(content)), (b"Date", b"Mon, 01 Jan 2024 00:00:00 GMT")]
    head = b"".join(b"%b: %b\r\n" % line for line in lines)
    there.scribe.answer = b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, reason, head, content)
    answer = runner.run(there.ask(b"POST", b"/", [], b""))
    assert (answer.head.status, answer.head.reason, answer.content) == (status, reason, content)
    ours = {b"via", b"cache-status"}
    added = [line for line in answer.head.fields if line not in lines]
    assert [line for line in answer.head.fields if line in lines] == lines
    assert {name.lower() for name, _ in added} == ours
