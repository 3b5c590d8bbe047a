"""A client, an origin and a driver between them, without any socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from proxy.caching.policy import Policy
from proxy.engine.downstream import ClientGone
from proxy.engine.driver import Driver
from proxy.engine.settings import EngineSettings
from proxy.message.fields import NO_FIELDS, FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.memory.store import MemoryStore
from proxy.upstream.contract import Content, Timing, Tunnel, Upstream, UpstreamError, UpstreamResponse
from proxy.visibility.account import Account

Piece = bytes | UpstreamError | asyncio.Event


@dataclass
class Origin:
    """What an origin answers: its head, then its content piece by piece, as long as nothing goes wrong."""

    status: int = 200
    lines: tuple[FieldLine, ...] = ()
    pieces: tuple[Piece, ...] = ()
    length: int | None = None
    interim: tuple[Response, ...] = ()
    trailers: Fields = NO_FIELDS
    ready: asyncio.Event | None = None  # what its head waits for


class Arriving:
    """One response on its way."""

    def __init__(self, origin: Origin) -> None:
        self.head = Response(origin.status, Fields(origin.lines))
        self.length = origin.length
        self.trailers = origin.trailers
        self.timing = Timing("origin:80", 0.0, 0.001, False)
        self.closed = False
        self.pieces = list(origin.pieces)

    @property
    def whole(self) -> bool:
        return all(isinstance(piece, bytes) for piece in self.pieces)

    async def read(self) -> bytes:
        while self.pieces:
            piece = self.pieces.pop(0)
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            elif isinstance(piece, UpstreamError):
                raise piece
            else:
                return piece
        return b""

    def tunnel(self) -> Tunnel:
        raise AssertionError("no tunnel here")

    def close(self) -> None:
        self.closed = True


@dataclass
class Origins:
    """An upstream that gives the answers it was told to, in order, and keeps what it was asked."""

    answers: list[Origin | UpstreamError] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    arriving: list[Arriving] = field(default_factory=list)

    async def send(
        self, request: Request, content: Content | None, interim: Callable[[Response], Awaitable[None]]
    ) -> UpstreamResponse:
        self.asked.append(request)
        if content is not None:
            self.contents.append(b"".join([piece async for piece in content.pieces]))
        answer = self.answers.pop(0)
        if isinstance(answer, UpstreamError):
            raise answer
        if answer.ready is not None:
            await answer.ready.wait()
        for response in answer.interim:
            await interim(response)
        self.arriving.append(Arriving(answer))
        return self.arriving[-1]

    async def close(self) -> None:
        pass


class Client:
    """One exchange's client: keeps what it is sent, and may leave after so many bytes."""

    ahead = None

    def __init__(
        self, request: Request, content: bytes | None = None, leaves_after: int | None = None
    ) -> None:
        self.received = request
        self.request = request
        self.content = None if content is None else Content(len(content), _once(content))
        self.interims: list[Response] = []
        self.head: Response | None = None
        self.length: int | None = None
        self.body = b""
        self.trailers = NO_FIELDS
        self.ended = False
        self.aborted = False
        self.account: Account | None = None
        self.room = asyncio.Event()  # cleared: it reads nothing
        self.room.set()
        self._leaves_after = leaves_after

    async def interim(self, response: Response) -> None:
        self.interims.append(response)

    async def start(self, response: Response, length: int | None) -> None:
        self.head, self.length = response, length

    async def write(self, data: bytes | memoryview) -> None:
        self.body += data
        await self.room.wait()
        if self._leaves_after is not None and len(self.body) >= self._leaves_after:
            raise ClientGone("gone")

    async def finish(self, trailers: Fields) -> None:
        self.trailers, self.ended = trailers, True

    def abort(self) -> None:
        self.aborted = True

    async def tunnel(self, response: Response, upstream: Tunnel) -> tuple[int, int]:
        raise AssertionError("no tunnel here")

    @property
    def cache_status(self) -> bytes:
        assert self.head is not None
        return self.head.fields.get(b"cache-status") or b""


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


class Stage:
    """A driver with its origin and its store, and the exchanges that went through it."""

    def __init__(self, settings: EngineSettings | None = None, upstream: Upstream | None = None) -> None:
        self.origin = Origins()
        self.store = MemoryStore(1 << 20, 1 << 18)
        self.driver = Driver(self.store, upstream or self.origin, Policy(), settings)
        self.accounts: list[Account] = []

    def answers(self, *answers: Origin | UpstreamError) -> None:
        self.origin.answers.extend(answers)

    async def ask(
        self,
        target: bytes = b"/",
        *lines: FieldLine,
        method: bytes = b"GET",
        content: bytes | None = None,
        leaves_after: int | None = None,
    ) -> Client:
        return await self.serve(Client(asking(target, *lines, method=method), content, leaves_after))

    async def serve(self, client: Client) -> Client:
        account = client.account = Account("x", 0.0, "127.0.0.1:1", received=client.request)
        self.accounts.append(account)
        await self.driver.exchange(client, account)
        return client


def asking(target: bytes = b"/", *lines: FieldLine, method: bytes = b"GET") -> Request:
    return Request(method, target, Fields(((b"Host", b"a.example"), *lines)), authority=b"a.example")


def fresh(
    *pieces: Piece, seconds: int = 60, lines: Iterable[FieldLine] = (), length: int | None = -1
) -> Origin:
    """A response that a shared cache may keep for `seconds`."""
    known = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
    return Origin(
        200,
        ((b"Cache-Control", b"max-age=%d" % seconds), *lines),
        pieces,
        known if length == -1 else length,
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait, turn by turn of the loop, until something holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nothing tells when it does
            await asyncio.sleep(0)
