"""A whole proxy without sockets: bytes in, bytes out, one clock for all, with its fast lane or without."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest

from proxy.caching.policy import Policy
from proxy.engine.downstream import Downstream
from proxy.engine.driver import Driver
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.clients.connection import Connection
from proxy.server.clients.forwarding import Forwarding
from proxy.server.clients.listener import Manager
from proxy.server.ids import prefix
from proxy.server.lane.lane import Lane
from proxy.server.lane.records import LogOutlet, Outlet, Records
from proxy.server.settings import ServerSettings
from proxy.storage.contract import Store
from proxy.storage.memory.store import MemoryStore
from proxy.upstream.contract import Content, Timing, UpstreamResponse
from proxy.visibility.account import Account
from proxy.visibility.record import Redaction, encode, to_record

_ID = re.compile(prefix().encode() + rb"[0-9a-f]{12}")
NOON = 1_700_000_000.25
KEY = b"a key for the digests of both"


class Clock:
    """The time for everything, which stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def everywhere(self, patch: pytest.MonkeyPatch) -> None:
        """Have every module of the proxy read this clock."""
        for name, module in list(sys.modules.items()):
            if name.startswith("proxy.") and getattr(module, "time", None) is time.time:
                patch.setattr(module, "time", self)


Answering = Callable[[Request, int, float], tuple[int, list[tuple[bytes, bytes]], bytes]]
"""The origin: status, fields and content for a request, how often its target was asked for, and the time."""


class Origin:
    """An upstream that answers at once."""

    def __init__(self, answering: Answering, clock: Clock) -> None:
        self._answering = answering
        self._clock = clock
        self._asked: dict[bytes, int] = {}
        self.asked: list[Request] = []

    async def send(
        self, request: Request, content: Content | None, interim: Callable[[Response], Awaitable[None]]
    ) -> UpstreamResponse:
        if content is not None:
            async for _ in content.pieces:
                pass
        self.asked.append(request)
        number = self._asked[request.target] = self._asked.get(request.target, 0) + 1
        status, lines, body = self._answering(request, number, self._clock())
        body = b"" if request.method == b"HEAD" or status in (204, 304) else body
        return cast("UpstreamResponse", _Arriving(Response(status, Fields(lines)), body))

    async def close(self) -> None:
        pass


class _Arriving:
    def __init__(self, head: Response, body: bytes) -> None:
        self.head = head
        self.length = len(body)
        self.trailers = NO_FIELDS
        self.timing = Timing("origin:80", 0.0, 0.0, False)
        self.whole = True
        self._body = body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body

    def close(self) -> None:
        pass


class Transport(asyncio.Transport):
    """Keeps what is written; `stuck` is that of a client that reads nothing any more."""

    def __init__(self, port: int) -> None:
        super().__init__({"peername": ("192.0.2.1", port)})
        self.written = b""
        self.writes = 0
        self.closed = False
        self.reading = True
        self.protocol: Connection | None = None

    def write(self, data: Any) -> None:
        if not self.closed:
            self.written += data
            self.writes += 1

    def writelines(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            if self.protocol is not None:
                asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Twin:
    """One proxy; two that are fed the same must not differ but in `hits`, what was answered on the lane."""

    def __init__(
        self,
        answering: Answering,
        clock: Clock,
        *,
        lane: bool,
        settings: ServerSettings | None = None,
        memory: int = 1 << 20,
        policy: Policy | None = None,
        eager: bool = True,
        budget: int = 1 << 20,
        store: Store | None = None,
    ) -> None:
        self.clock = clock
        self.settings = settings or ServerSettings()
        self.policy = policy or Policy()
        self.redaction = Redaction(KEY)
        self.origin = Origin(answering, clock)
        self.store = MemoryStore(memory, memory // 4) if store is None else store
        self.driver = Driver(self.store, cast("Any", self.origin), self.policy)
        self.lines: list[bytes] = []
        self.hits = 0
        self.outlets: list[Outlet] = [LogOutlet(self._put_lines), cast("Outlet", self)]
        self.lane_records = Records(self.outlets)
        self.forwarding = Forwarding("pellucid", b"origin:80", self.settings.trust)
        self.lane = Lane(
            self.store,
            self.policy,
            self.redaction,
            self.forwarding,
            self.settings,
            self.lane_records,
            budget,
        )
        self.lane.switched_on = lane
        if eager:
            self.lane.worth = 1
        self.manager = Manager(self._handle, self._finished, self.settings, self.forwarding, self.lane)
        self._ports = iter(range(40_000, 65_000))
        self.connections: list[tuple[Connection, Transport]] = []

    def connect(self) -> tuple[Connection, Transport]:
        """A new client."""
        connection, transport = self.manager(), Transport(next(self._ports))
        transport.protocol = connection
        connection.connection_made(transport)
        self.connections.append((connection, transport))
        return connection, transport

    async def give(self, connection: Connection, *pieces: bytes) -> bytes:
        """What comes back for these bytes, when nothing more is going on."""
        transport = cast("Transport", connection.transport)
        if transport is None or transport.closed:
            return b"(closed)"
        before = len(transport.written)
        for piece in pieces:
            if transport.closed:
                break
            connection.data_received(piece)
            await self.quiet()
        came = _ID.sub(b"(id)", transport.written[before:])
        return came + (b"(closed)" if transport.closed else b"")

    async def quiet(self) -> None:
        """Wait until all has been done that can be done without another byte."""
        for _ in range(40):
            await asyncio.sleep(0)

    async def close(self) -> None:
        for connection, transport in self.connections:
            transport.close()
            with suppress(asyncio.CancelledError):
                if connection.task is not None:
                    connection.task.cancel()
                    await connection.task
        await self.quiet()
        self.lane_records.close()
        await self.driver.close()
        await self.store.close()

    def put_hits(self, hits: Any, first: int) -> None:
        self.hits += len(hits)

    def records(self) -> list[dict[str, Any]]:
        """The log so far, without what is an exchange's own: its name and how long it took."""
        self.lane_records.flush()
        found = [json.loads(_ID.sub(b"(id)", line)) for line in self.lines]
        self.lines.clear()
        for record in found:
            for name in ("id", "first_byte_seconds", "duration_seconds"):
                del record[name]
            if _problem(record):
                record["response"]["digest"] = None  # of a content that names the exchange
        return found

    async def _handle(self, client: Downstream, account: Account) -> None:
        await self.driver.exchange(client, account)

    def _finished(self, account: Account) -> None:
        self.lane_records.flush()
        self.lines.append(encode(to_record(account, self.redaction)))
        self.lane.consider(account)

    def _put_lines(self, lines: bytes) -> None:
        self.lines += lines.splitlines()


def _problem(record: dict[str, Any]) -> bool:
    response = record["response"]
    return response is not None and ["Content-Type", "application/problem+json"] in response["fields"]
