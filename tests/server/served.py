"""A listener with a small handler behind it, and clients that speak to it in plain bytes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from proxy.engine.downstream import Downstream
from proxy.message.chunked import ChunkedDecoder
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.framing import Kind, response_framing
from proxy.message.head import HeadLimits, find_end, parse_response_head, serialise_request
from proxy.message.response import Response
from proxy.server.clients.listener import Listener
from proxy.server.settings import ServerSettings
from proxy.visibility.account import Account

PATIENCE = 10.0
"""Seconds after which a test gives up what it waits for."""

Handle = Callable[[Downstream, Account], Awaitable[None]]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """A response as a client sees it."""

    head: Response
    content: bytes
    trailers: Fields = NO_FIELDS

    def field(self, name: bytes) -> bytes | None:
        return self.head.fields.get(name)


class Wire:
    """One client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._buffer = b""

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> Response:
        """The next head, of an interim or of a final response."""
        while (end := find_end(self._buffer, 0)) < 0:
            await self._more()
        head, self._buffer = self._buffer[:end], self._buffer[end:]
        return parse_response_head(head, HeadLimits())

    async def answer(self, method: bytes = b"GET") -> Answer:
        """The next final response with its content."""
        head = await self.head()
        while head.status < 200:
            head = await self.head()
        framing = response_framing(method, head)
        if framing.kind is Kind.CHUNKED:
            return await self._chunked(head)
        if framing.kind is Kind.CLOSE:
            return Answer(head, await self.rest())
        length = framing.length or 0
        while len(self._buffer) < length:
            await self._more()
        content, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(head, content)

    async def _chunked(self, head: Response) -> Answer:
        decoder = ChunkedDecoder()
        content = b""
        while True:
            content += b"".join(decoder.feed(self._buffer))
            if decoder.done:
                self._buffer = decoder.leftover
                return Answer(head, content, decoder.trailers)
            self._buffer = b""
            await self._more()

    async def exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            await self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    async def rest(self) -> bytes:
        """All that still comes until the server closes."""
        async with asyncio.timeout(PATIENCE):
            data, self._buffer = self._buffer + await self.reader.read(), b""
        return data

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def reset(self) -> None:
        """Leave without a word."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        await self.close()

    async def _more(self) -> None:
        async with asyncio.timeout(PATIENCE):
            data = await self.reader.read(65536)
        if not data:
            raise EOFError(f"closed after {self._buffer!r}")
        self._buffer += data


class Served:
    """A listener that runs, and the accounts of what it has served."""

    def __init__(self, handle: Handle, settings: ServerSettings | None, name: str, authority: bytes) -> None:
        self.accounts: list[Account] = []
        self._news = asyncio.Event()
        self.listener = Listener(handle, self._finished, settings, name=name, authority=authority)
        self.address = ("", 0)
        self.wires: list[Wire] = []

    def _finished(self, account: Account) -> None:
        self.accounts.append(account)
        self._news.set()

    async def connect(self, **options: int) -> Wire:
        wire = Wire(*await asyncio.open_connection(*self.address, **options))
        self.wires.append(wire)
        return wire

    async def ask(self, data: bytes, method: bytes = b"GET") -> Answer:
        """Send `data` on a connection of its own; the first answer to it."""
        wire = await self.connect()
        await wire.send(data)
        answer = await wire.answer(method)
        await wire.close()
        return answer

    async def everything(self, data: bytes) -> bytes:
        """Send `data` on a connection of its own; all that comes until the server closes."""
        wire = await self.connect()
        await wire.send(data)
        return await wire.rest()

    async def records(self, count: int) -> list[Account]:
        """The accounts, once there are `count` of them."""
        async with asyncio.timeout(PATIENCE):
            while len(self.accounts) < count:
                self._news.clear()
                await self._news.wait()
        return self.accounts

    async def until_open(self, count: int) -> None:
        """Wait until no more than `count` connections are open."""
        async with asyncio.timeout(PATIENCE):
            while self.listener.connections > count:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)


async def content_of(client: Downstream) -> bytes:
    """The whole content of a request."""
    if client.content is None:
        return b""
    return b"".join([piece async for piece in client.content.pieces])


async def echo(client: Downstream, account: Account) -> None:
    """Answer with the request as it would be forwarded, its content included."""
    content = serialise_request(client.request) + await content_of(client)
    await client.start(Response(200, Fields([(b"X-Echo", b"1")]), b"OK"), len(content))
    await client.write(content)
    await client.finish(NO_FIELDS)


async def target(client: Downstream, account: Account) -> None:
    """Answer with the request's target."""
    content = client.received.target
    await client.start(Response(200, NO_FIELDS, b"OK"), len(content))
    await client.write(content)
    await client.finish(NO_FIELDS)


def saying(
    response: Response, *pieces: bytes, length: int | None = None, trailers: Fields = NO_FIELDS
) -> Handle:
    """A handler that always answers with `response` and these pieces of content."""

    async def handle(client: Downstream, account: Account) -> None:
        await client.start(response, length)
        for piece in pieces:
            await client.write(piece)
        await client.finish(trailers)

    return handle
