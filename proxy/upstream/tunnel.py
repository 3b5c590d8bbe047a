"""A connection after 101 (Switching Protocols): bytes both ways (RFC 9110 §15.2.2)."""

from __future__ import annotations

import asyncio

from proxy.upstream.connection import Connection
from proxy.upstream.inbox import Inbox


class UpgradedConnection:
    """The `Tunnel` of the contract. No time limit applies: a quiet tunnel is as good as any."""

    __slots__ = ("_connection", "_ended", "_inbox", "_waiter")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox = Inbox(connection)
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        connection.attach(self)

    def feed(self, data: bytes) -> None:
        """Bytes from the server."""
        self._inbox.put(data)
        self._wake()

    def ended(self, cause: BaseException | None) -> None:
        """The server sends no more; unless the connection is gone, bytes still go the other way."""
        self._ended = True
        self._wake()

    async def read(self) -> bytes:
        """The next bytes from the server, as they come; empty at the end."""
        while not self._inbox.size and not self._ended:
            self._waiter = self._connection.loop.create_future()
            await self._waiter
        return self._inbox.take()

    async def write(self, data: bytes) -> None:
        """Send bytes to the server; returns when there's room for more."""
        self._connection.write(data)
        if self._connection.blocked:
            await self._connection.drain()

    async def close_writing(self) -> None:
        """Nothing more will be sent. Over TLS this closes the connection, there's no half of it to close."""
        self._connection.end_writing()

    def close(self) -> None:
        """Close the connection, after what is still to be sent."""
        self._inbox.detach()
        self._ended = True
        self._connection.close()
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
