"""One connection to a server: bytes both ways, with back-pressure; what they mean is others' business."""

from __future__ import annotations

import asyncio
import os
import select
import ssl
from contextlib import suppress
from typing import Protocol, cast

from proxy.upstream.address import Server
from proxy.upstream.alarm import Alarm

_LINGER = 5.0
"""How many seconds a connection that is closed may take to send its last bytes."""

_FAREWELLS = (b"HTTP/1.1 408 ", b"HTTP/1.0 408 ")
"""What a server may say on an idle connection before it closes it (RFC 9110 §15.5.9)."""


_PIECE = 64 * 1024
_PIECES = 4
"""How much is read, and how often at most, of what waits on a connection that nothing can be sent on."""


class Receiver(Protocol):
    """Whom a connection gives its bytes: an exchange, or a tunnel."""

    def feed(self, data: bytes) -> None: ...

    def ended(self, cause: BaseException | None) -> None:
        """No more bytes will come; `cause` is None where the server has closed in good order."""
        ...


class Keeper(Protocol):
    """Who keeps the connections that no exchange uses."""

    def released(self, connection: Connection) -> None:
        """An exchange is over: the connection can serve again within its `idle` seconds."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection is closed, or about to be: nothing can be sent on it."""
        ...

    def gone(self, connection: Connection) -> None:
        """The connection is closed."""
        ...

    def strayed(self, connection: Connection) -> None:
        """The server has sent bytes that answer no request."""
        ...


class Connection(asyncio.Protocol):
    """A connection that belongs to one receiver at a time, or to none while it's idle.

    Bytes that come while it's idle answer no request: it is closed then (RFC 9112 §9.2).
    """

    __slots__ = (
        "_blocked",
        "_descriptor",
        "_lost",
        "_paused",
        "_poll",
        "_receiver",
        "_room",
        "_secure",
        "_transport",
        "alarm",
        "connect_time",
        "idle",
        "keeper",
        "loop",
        "peer",
        "reused",
        "server",
    )

    def __init__(self, server: Server, keeper: Keeper) -> None:
        self.server = server
        self.keeper = keeper
        self.loop = asyncio.get_running_loop()
        self.alarm = Alarm(self.loop)
        self.connect_time = 0.0  # seconds
        self.reused = False  # it has been idle, or passed from one exchange to the next
        self.idle = 0.0  # how many seconds the server waits for the next request
        self.peer = ""  # the IP address that it leads to
        self._transport: asyncio.Transport | None = None
        self._secure = False
        self._descriptor = -1
        self._poll = select.poll()
        self._receiver: Receiver | None = None
        self._paused = False
        self._blocked = False
        self._room: asyncio.Future[None] | None = None
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's aren't derived from it
        self._secure = transport.get_extra_info("ssl_object") is not None
        if (sock := transport.get_extra_info("socket")) is not None:
            self._descriptor = sock.fileno()
            self._poll.register(self._descriptor, select.POLLIN)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if peer else ""

    def data_received(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.feed(data)
            return
        if not data.startswith(_FAREWELLS):
            self.keeper.strayed(self)
        self.abort()

    def eof_received(self) -> bool:
        self._end(None if self._closed_properly() else ssl.SSLEOFError("no closure alert came"))
        return self._receiver is not None and not self._secure

    def connection_lost(self, cause: BaseException | None) -> None:
        self.alarm.stop()
        if cause is None and self._secure:
            cause = ssl.SSLEOFError("no closure alert came")
        elif isinstance(cause, OSError) and not self._secure:
            self._read_rest()
        self._end(cause)
        self._receiver = None
        self._lose()
        self._make_room()
        self.keeper.gone(self)

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        self._make_room()

    @property
    def usable(self) -> bool:
        """Whether a request can be sent on it, as far as can be seen from here."""
        transport = self._transport
        return transport is not None and not self._lost and not transport.is_closing()

    @property
    def quiet(self) -> bool:
        """Whether nothing waits to be read; what does is the connection's end, or answers no request.

        Asked just before a request is sent, as the event loop may not have come round to it yet. Over TLS it
        may be a session ticket, so nothing is concluded from it.
        """
        return self._secure or not self._poll.poll(0)

    @property
    def blocked(self) -> bool:
        """Whether more waits to be sent than should: `drain` before more is written."""
        return self._blocked and not self._lost

    def attach(self, receiver: Receiver) -> None:
        """Give what comes to `receiver` from here on."""
        self._receiver = receiver

    def release(self, idle: float) -> None:
        """The receiver is done: the keeper has the connection back, for `idle` seconds at most."""
        self._receiver = None
        self.reused, self.idle = True, idle
        if self._paused:
            self.resume()
        self.keeper.released(self)

    def write(self, data: bytes) -> None:
        """Send, or keep in memory what can't be sent yet."""
        if self._transport is not None and not self._lost:
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until there's room for more; returns as well when the connection is gone."""
        if self.blocked:
            self._room = self.loop.create_future()
            await self._room

    def end_writing(self) -> None:
        """Tell the server that nothing more comes; over TLS that can only be said by closing altogether."""
        if self._transport is None or self._lost or self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def pause(self) -> None:
        """Read nothing for now, so that the server has to wait."""
        if not self._paused and self.usable:
            self._paused = True
            self._transport.pause_reading()  # type: ignore[union-attr] # it's there where it's usable

    def resume(self) -> None:
        """Read on after `pause`."""
        if self._paused:
            self._paused = False
            if self.usable:
                self._transport.resume_reading()  # type: ignore[union-attr]

    def close(self) -> None:
        """Send what is still to be sent, then close; at once where the server doesn't take it for a while."""
        self._receiver = None
        transport = self._transport
        if transport is not None:
            self.resume()
            if transport.get_write_buffer_size():
                self.alarm.set(_LINGER, transport.abort)
            transport.close()
        self._lose()

    def break_off(self) -> None:
        """Close at once, and tell the receiver."""
        self._end(ConnectionAbortedError("the proxy closed the connection"))
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._receiver = None
        if self._transport is not None:
            self._transport.abort()
        self._lose()

    def _read_rest(self) -> None:
        """Give the receiver what came before sending failed.

        A server that refuses content answers, and closes without having read it. An event loop to which it is
        the sending that fails first reads no more. The descriptor is open until `connection_lost` returns.
        What is read says nothing of how the server closed: the system tells of a reset only once.
        """
        with suppress(OSError):
            for _ in range(_PIECES):
                receiver = self._receiver
                if receiver is None or not (data := os.read(self._descriptor, _PIECE)):
                    return
                receiver.feed(data)

    def _end(self, cause: BaseException | None) -> None:
        receiver = self._receiver
        if receiver is not None:
            receiver.ended(cause)
        if self._receiver is None:
            self._lose()

    def _lose(self) -> None:
        if not self._lost:
            self._lost = True
            self.keeper.lost(self)

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _closed_properly(self) -> bool:
        """Whether the server closed on purpose: over TLS, whether its closure alert came (RFC 9112 §9.8)."""
        if not self._secure or self._transport is None:
            return True
        try:
            return not self._transport.get_extra_info("ssl_object").read(1)
        except ssl.SSLZeroReturnError:
            return True
        except (ssl.SSLError, ValueError):
            return False
