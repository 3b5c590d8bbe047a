"""One connection to one server, on which many ask at once and messages arrive between the answers."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from valkey.asyncio.connection import Connection, SSLConnection
from valkey.exceptions import (
    AuthenticationError,
    InvalidResponse,
    NoPermissionError,
    ResponseError,
    ValkeyError,
)

from proxy.message.errors import ConfigurationError
from proxy.storage.valkey.address import Address, Place, shown
from proxy.storage.valkey.resp import Parser, Push, Reply, pack

Seen = Callable[[Reply], None]

_PARTING = 0.2
"""Seconds that what was sent last has to leave."""

_LATE = 0.003
_GRACE = 0.05
"""Seconds that are added, at most, where this process was late itself and may have answers to read."""


class Unwell(Exception):  # noqa: N818
    """There is no answer: too slow, too much under way, the connection is gone."""


SLOW = Unwell("no answer in time")
LOST = Unwell("the connection is gone")
BUSY = Unwell("too much is under way")


class Refused(ConfigurationError):  # noqa: N818 - as the other refusals are called
    """A server that is there and doesn't let us in, or is no Valkey: waiting helps nothing."""


def _connection(address: Address, place: Place, ca: str, patience: float) -> Connection | SSLConnection:
    common: dict[str, Any] = {
        "host": place[0],
        "port": place[1],
        "db": address.db,
        "username": address.user or None,
        "password": address.password or None,
        "protocol": 3,
        "socket_timeout": None,
        "socket_connect_timeout": patience,
        "socket_keepalive": True,
        "client_name": "pellucid",
        "lib_name": None,
        "lib_version": None,
    }
    if not address.tls:
        return Connection(**common)
    return SSLConnection(ssl_ca_certs=ca or None, ssl_check_hostname=True, **common)


def check_ca(path: str) -> None:
    """Raises ConfigurationError where `path` is not a file of certificates."""
    if not path:
        return
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        reason = "it has no certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            f"can't read the certificates in {Path(path).name}", evidence=str(reason)
        ) from None


class Channel(asyncio.Protocol):
    """A connection in use. `depth` bounds the questions under way, `room` the bytes that wait to be sent.

    `told` is called with each message that arrives, before the answer to whatever was asked after it; `lost`
    once, when the connection is gone. The client has connected; from then on its transport is ours, so that
    an answer gets to whoever asked without a task in between.
    """

    def __init__(
        self,
        connection: Connection | SSLConnection,
        *,
        depth: int,
        room: int,
        told: Callable[[list[Any]], None] | None = None,
        lost: Callable[[], None] | None = None,
    ) -> None:
        self.heard = monotonic()
        self.closed = False
        self._depth, self._room = depth, room
        self._told, self._lost = told, lost
        self._waiting: deque[tuple[asyncio.Future[Reply], bytes, Seen | None]] = deque()
        self._outgoing: list[bytes] = []
        self._queued = 0
        self._parser = Parser()
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._connection = connection
        stream: Any = connection._reader
        way: Any = connection._writer
        self._transport: asyncio.Transport = way.transport
        self._transport.set_protocol(self)
        if early := bytes(stream._buffer):
            self.data_received(early)
        if self._transport.is_closing() or stream.at_eof():
            self.close()

    @classmethod
    async def open(
        cls,
        address: Address,
        place: Place,
        ca: str,
        patience: float,
        **others: Any,
    ) -> Channel:
        """Connect within `patience` seconds. Raises Refused, or Unwell where it can't be reached now."""
        try:
            connection = _connection(address, place, ca, patience)
        except (ValkeyError, OSError) as error:
            raise Refused(f"can't speak TLS to Valkey at {shown(place)}", evidence=str(error)) from None
        try:
            async with asyncio.timeout(patience):
                await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException as error:
            with suppress(Exception):
                await connection.disconnect(nowait=True)
            if isinstance(error, Exception):
                raise _failure(error, place) from None
            raise
        return cls(connection, **others)

    def ask(
        self, *words: bytes | int | str, pushed: bytes = b"", seen: Seen | None = None
    ) -> asyncio.Future[Reply]:
        """Send a command; its answer comes as the future's result, never as an exception.

        `pushed`: it is answered, unless by an error, with a message of this kind. `seen` is called with the
        answer when it comes, even if nobody waits for it any more, and before anything that comes after it.
        """
        future: asyncio.Future[Reply] = self._loop.create_future()
        if self.closed:
            future.set_result(LOST)
        elif len(self._waiting) >= self._depth or self._unsent > self._room:
            future.set_result(BUSY)
        else:
            self._waiting.append((future, pushed, seen))
            packed = pack(words)
            if not self._outgoing:
                self._loop.call_soon(self._send)
            self._outgoing.append(packed)
            self._queued += len(packed)
        return future

    @property
    def _unsent(self) -> int:
        return self._queued + self._transport.get_write_buffer_size()

    def _send(self) -> None:
        """Send all that was asked in one go."""
        if self.closed:
            return
        outgoing, self._outgoing, self._queued = self._outgoing, [], 0
        try:
            self._transport.write(outgoing[0] if len(outgoing) == 1 else b"".join(outgoing))
        except Exception:  # it was lost a moment ago, and this has not been told yet
            self.close()

    def close(self) -> None:
        """Give the connection up; whoever waits for an answer gets none."""
        if self.closed:
            return
        self.closed = True
        with suppress(Exception):
            self._transport.write(b"".join(self._outgoing))
        self._connection._close()  # type: ignore[no-untyped-call] # the client's way without waiting
        if self._transport.get_write_buffer_size():
            self._loop.call_later(_PARTING, self._transport.abort)
        while self._waiting:
            future = self._waiting.popleft()[0]
            if not future.done():
                future.set_result(LOST)
        if self._lost is not None:
            self._lost()

    async def wait_closed(self) -> None:
        """Close it, and wait until nothing of it is left."""
        self.close()
        await asyncio.wait((self._over,), timeout=2 * _PARTING)

    # What the transport tells.

    def data_received(self, data: bytes) -> None:
        self.heard = monotonic()
        try:
            for reply in self._parser.feed(data):
                if self.closed:
                    return
                self._take(reply)
        except Exception:  # an answer that nobody asked for, or that is none
            self.close()

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, Push) and not (self._waiting and reply[0] == self._waiting[0][1]):
            if self._told is not None:
                self._told(reply)
            return
        future, _, seen = self._waiting.popleft()
        if seen is not None:
            seen(reply)
        if not future.done():
            future.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()
        if not self._over.done():
            self._over.set_result(None)


async def answers(futures: list[asyncio.Future[Reply]], within: float) -> list[Reply]:
    """What came of all of them within so many seconds; SLOW in the place of the others."""
    if len(futures) == 1 and futures[0].done():
        return [futures[0].result()]
    alarm = _Alarm(futures, within)
    try:
        return [await future for future in futures]
    except asyncio.CancelledError:
        for future in futures:
            future.cancel()
        raise
    finally:
        alarm.cancel()


class _Alarm:
    """Ends the waiting for answers; where this process was late itself, what has come is read first."""

    __slots__ = ("_due", "_futures", "_grace", "_late", "_timer")

    def __init__(self, futures: list[asyncio.Future[Reply]], within: float) -> None:
        loop = asyncio.get_running_loop()
        self._futures = futures
        self._late = False
        self._grace = min(within, _GRACE)
        self._due = loop.time() + within
        self._timer = loop.call_at(self._due, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._late and loop.time() > self._due + _LATE:
            self._late = True
            self._timer = loop.call_later(self._grace, self._ring, loop)
            return
        for future in self._futures:
            if not future.done():
                future.set_result(SLOW)

    def cancel(self) -> None:
        self._timer.cancel()


def _failure(error: Exception, place: Place) -> Exception:
    """Why a connection could not be made."""
    at = f"Valkey at {shown(place)}"
    if isinstance(error, AuthenticationError | NoPermissionError):
        return Refused(f"{at} refuses the user or the password", evidence=str(error).split(",")[0][:80])
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Refused(f"the certificate of {at} can't be trusted", evidence=cause.verify_message)
        cause = cause.__context__
    if isinstance(error, InvalidResponse):
        return Refused(f"what answers as {at} is none", evidence="")
    if isinstance(error, ResponseError):
        return Refused(f"{at} refuses to be used", evidence=str(error)[:80])
    return Unwell(f"{at} can't be reached")
