"""What one exchange may do with its client's connection: write, wait for room, break off, tunnel."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from typing import TYPE_CHECKING

from aiohttp.streams import StreamReader

from proxy.engine.downstream import ClientGone
from proxy.server.settings import ServerSettings

if TYPE_CHECKING:
    from proxy.server.clients.connection import Connection

_RESET = struct.pack("ii", 1, 0)
_SETTLED = 16 << 10
"""Bytes that may still wait to be sent when an exchange counts as over: the system takes them any moment."""


class Line:
    """The way to one client. Whatever writes raises `ClientGone` once the connection is gone."""

    __slots__ = ("_connection", "loop", "settings")

    def __init__(self, connection: Connection, settings: ServerSettings) -> None:
        self._connection = connection
        self.settings = settings
        self.loop: asyncio.AbstractEventLoop = connection._loop

    @property
    def full(self) -> bool:
        """Whether more waits to be sent than should: `drain` before more is written."""
        return self._connection.writing_paused

    def write(self, data: bytes | memoryview) -> None:
        """Send, or hold what can't be sent yet: a view is not copied."""
        self._transport().write(data)

    def write_all(self, pieces: tuple[bytes | memoryview, ...]) -> None:
        """Send several pieces together."""
        self._transport().writelines(pieces)

    async def drain(self) -> None:
        """Wait until there is room for more.

        Not for ever: a client that has read nothing for `stall` seconds is let go.
        """
        connection = self._connection
        while connection.writing_paused:
            transport = self._transport()
            before = _unsent(transport)
            try:
                async with asyncio.timeout(self.settings.stall):
                    await connection._drain_helper()
            except TimeoutError:
                connection._drain_waiter = None
                if not transport.is_closing() and _unsent(transport) >= before:
                    transport.abort()
                    seconds = self.settings.stall
                    raise ClientGone(f"the client read nothing for {seconds:g} s") from None
            except ConnectionError:
                raise ClientGone("the client left") from None

    async def settle(self, most: int = _SETTLED) -> None:
        """Where more than `most` bytes are left to be sent, wait until none are."""
        transport = self._transport()
        if transport.get_write_buffer_size() <= most:
            return
        transport.set_write_buffer_limits(0)
        try:
            await self.drain()
        finally:
            if not transport.is_closing():
                transport.set_write_buffer_limits(self.settings.write_buffer)

    def end_writing(self) -> None:
        """Say that nothing more comes, and go on reading (RFC 9112 §9.6)."""
        transport = self._transport()
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def reset(self) -> None:
        """Cut the connection so that the client sees an error and not an end (RFC 9112 §8)."""
        transport = self._connection.transport
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    def may_stay(self, *, client_waits: bool) -> bool:
        """Whether, once the answer has been sent, the connection can be used for the next request.

        Not when the proxy is stopping, nor when too much content would be left to read (RFC 9112 §9.3).
        `client_waits` says that the client may never send the content: nobody told it to (RFC 9110 §10.1.1).
        """
        connection = self._connection
        left = connection.requests.content_left
        if connection.stopping or left is None:
            return False
        return left == 0 or (left <= self.settings.drain and not client_waits)

    def begin_tunnel(self) -> StreamReader:
        """From here on what the client sends is no HTTP/1 any more, and comes out of this reader."""
        return self._connection.begin_tunnel()

    def _transport(self) -> asyncio.Transport:
        transport = self._connection.transport
        if transport is None or transport.is_closing():
            raise ClientGone("the client left")
        return transport


def _unsent(transport: asyncio.Transport) -> int:
    """Bytes on their way to the client that it has not acknowledged, those that the system holds included.

    Without these a client that reads slowly, from the much that the system holds, would seem to read nothing.
    """
    waiting = transport.get_write_buffer_size()
    sock = transport.get_extra_info("socket")
    if sock is None:
        return waiting
    try:
        held: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
    except OSError:
        return waiting
    return waiting + held
