"""Bytes both ways after 101 (Switching Protocols), as fast as either side takes them (RFC 9110 §7.8)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp.streams import StreamReader

from proxy.engine.downstream import ClientGone
from proxy.message.errors import PellucidError
from proxy.server.clients.line import Line
from proxy.upstream.contract import Tunnel
from proxy.visibility.account import Account


async def pass_both_ways(client: StreamReader, line: Line, upstream: Tunnel, account: Account) -> None:
    """Pass bytes on until both sides have ended, one has broken off or nothing has come for too long.

    A side that ends is told on to the other, which may go on (a half-close). Counts into `account`.
    """
    tunnelling = _Tunnelling(client, line, upstream, account)
    try:
        async with asyncio.TaskGroup() as directions:
            directions.create_task(tunnelling.inbound())
            directions.create_task(tunnelling.outbound())
    except* (PellucidError, ClientGone, ConnectionError, TimeoutError) as broken:
        account.complete = False
        account.error = account.error or str(broken.exceptions[0])
    finally:
        upstream.close()


class _Tunnelling:
    def __init__(self, client: StreamReader, line: Line, upstream: Tunnel, account: Account) -> None:
        self._client = client
        self._line = line
        self._upstream = upstream
        self._account = account
        self._idle = line.settings.tunnel_idle
        self._active = line.loop.time()

    async def inbound(self) -> None:
        while data := await self._next(self._client.readany):
            self._account.request_bytes += len(data)
            await self._upstream.write(data)
        await self._upstream.close_writing()
        self._one_side_ended()

    async def outbound(self) -> None:
        while data := await self._next(self._upstream.read):
            self._account.response_bytes += len(data)
            self._line.write(data)
            await self._line.drain()
        self._line.end_writing()
        self._one_side_ended()

    def _one_side_ended(self) -> None:
        """The other side has not so long for a silence any more."""
        self._idle = min(self._idle, self._line.settings.stall)

    async def _next(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """The next bytes of one direction; as long as the other one is active this one may be silent."""
        reading = asyncio.ensure_future(read())
        try:
            while True:
                left = self._active + self._idle - self._line.loop.time()
                done, _ = await asyncio.wait([reading], timeout=max(left, 0.0))
                if done:
                    self._active = self._line.loop.time()
                    return reading.result()
                if self._line.loop.time() >= self._active + self._idle:
                    raise TimeoutError(f"nothing came through the tunnel for {self._idle:g} s")
        finally:
            reading.cancel()
