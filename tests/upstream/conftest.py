"""Origin servers that send exactly the bytes that a test wants, and pools in front of them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
import uvloop

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.address import Server
from proxy.upstream.contract import Content, UpstreamResponse
from proxy.upstream.pool import Pool
from proxy.upstream.settings import UpstreamSettings

Script = Callable[["Conversation"], Awaitable[None]]


def pytest_asyncio_loop_factories(
    config: Any, item: Any
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Conversation:
    """One connection, as the origin server sees it."""

    def __init__(self, origin: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.origin = origin
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        """The head of the next request; empty where the proxy has closed."""
        try:
            return await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return error.partial

    async def request(self) -> bytes:
        """The whole next request as it came; empty where the proxy has closed."""
        head = await self.head()
        message = head
        if b"transfer-encoding: chunked" in head.lower():
            while not message.endswith(b"0\r\n\r\n"):
                message += await self.reader.readuntil(b"\r\n")
        elif (start := head.lower().find(b"content-length:")) >= 0:
            message += await self.reader.readexactly(int(head[start + 15 :].split(b"\r\n")[0]))
        if message:
            self.origin.requests.append(message)
        return message

    async def say(self, *pieces: bytes) -> None:
        """Send bytes; where there are several pieces, each in a segment of its own."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0.002)

    async def closed(self) -> bytes:
        """Wait until the proxy closes; what it sent until then."""
        with suppress(ConnectionError):
            return await self.reader.read()
        return b""

    def abort(self) -> None:
        """Close with a reset."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Origin:
    """A server on a port of its own that plays one script on each connection."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.host = "127.0.0.1"
        self.secure = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def server(self) -> Server:
        return Server("https" if self.secure else "http", self.host, self.port)

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self.secure = tls is not None
        self._server = await asyncio.start_server(
            self._play, "127.0.0.1" if self.host == "localhost" else self.host, self.port, ssl=tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listening socket and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
                await self.script(Conversation(self, reader, writer))
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()


class Client:
    """Sends requests through a pool, and remembers the interim responses that came."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.interims: list[Response] = []

    async def interim(self, response: Response) -> None:
        self.interims.append(response)

    async def send(
        self,
        method: bytes = b"GET",
        target: bytes = b"/",
        *lines: tuple[bytes, bytes],
        content: Content | None = None,
    ) -> UpstreamResponse:
        request = Request(method, target, Fields([(b"Host", b"origin.example"), *lines]))
        return await self.pool.send(request, content, self.interim)

    async def fetch(
        self,
        method: bytes = b"GET",
        target: bytes = b"/",
        *lines: tuple[bytes, bytes],
        content: Content | None = None,
    ) -> tuple[int, bytes]:
        """The status and the whole content."""
        response = await self.send(method, target, *lines, content=content)
        return response.head.status, await read_all(response)


async def read_all(response: UpstreamResponse) -> bytes:
    pieces = []
    while piece := await response.read():
        pieces.append(piece)
    response.close()
    return b"".join(pieces)


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def content_of(*pieces: bytes, length: int | None = None, trailers: Fields | None = None) -> Content:
    return Content(length, pieces_of(*pieces), lambda: trailers or Fields())


def answering(*answers: bytes) -> Script:
    """A script that answers one request after another, over all connections together, then closes."""
    left = list(answers)

    async def script(conversation: Conversation) -> None:
        while left and await conversation.request():
            await conversation.say(left.pop(0))
        if not left:
            await conversation.closed()

    return script


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nothing announces; the test's own time limit ends it."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


class Kit:
    """What tests of the way upstream need; all of it is closed at the end."""

    answering = staticmethod(answering)
    content_of = staticmethod(content_of)
    read_all = staticmethod(read_all)
    until = staticmethod(until)

    def __init__(self) -> None:
        self._origins: list[Origin] = []
        self._pools: list[Pool] = []

    async def origin(
        self, script: Script, *, host: str = "127.0.0.1", port: int = 0, tls: Any = None
    ) -> Origin:
        origin = Origin(script)
        origin.host, origin.port = host, port
        await origin.start(tls)
        self._origins.append(origin)
        return origin

    def client(self, server: Origin | Server, *, look_up: Any = None, **settings: Any) -> Client:
        address = server.server if isinstance(server, Origin) else server
        wanted = UpstreamSettings(**settings)
        pool = Pool(address, wanted, look_up=look_up) if look_up else Pool(address, wanted)
        self._pools.append(pool)
        return Client(pool)

    async def talk(self, script: Script, **settings: Any) -> tuple[Client, Origin]:
        """An origin that plays `script`, and a client of it."""
        origin = await self.origin(script)
        return self.client(origin, **settings), origin

    async def close(self) -> None:
        for pool in self._pools:
            await pool.close()
        for origin in self._origins:
            await origin.stop()


@pytest_asyncio.fixture
async def kit() -> AsyncIterator[Kit]:
    kit = Kit()
    yield kit
    await kit.close()


@pytest.fixture
def ok() -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
