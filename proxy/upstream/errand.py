"""A request that is sent at once, and whose response is taken at a glance where it's as plain as most are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic, time
from typing import Protocol

from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.connection import Connection
from proxy.upstream.contract import Ahead, Timing, Tunnel, UpstreamResponse
from proxy.upstream.exchange import Exchange
from proxy.upstream.plain import PlainHead, PlainHeads

PATIENCE = 0.5
"""Seconds after which a response that has not come is waited for in the usual way, with its time limits."""

MOMENT = 0.005
"""Seconds that the rest of a small response may take: many servers send its head and its content apart."""

MOST_HELD = 64 << 10
"""Bytes of content for which that is waited."""

Interim = Callable[[Response], Awaitable[None]]


class Usual(Protocol):
    """The usual way to send requests, to go on with where an errand is over; `Pool` is that."""

    @property
    def heads(self) -> PlainHeads: ...

    @property
    def patience(self) -> float:
        """Seconds that an errand may take; less than the time limits of the usual way."""
        ...

    def taken_over(self, connection: Connection, request: Request, began: float) -> Exchange:
        """The exchange for a request that was sent at `began`, by `time.monotonic`."""
        ...

    async def finish(self, request: Request, begun: Exchange, interim: Interim) -> UpstreamResponse:
        """What `send` does from where a request without content has been sent for the first time."""
        ...


class Sender(Protocol):
    """Who sends a request at once. One of `answered` and `handed_over` is called, unless it is given up."""

    def request(self) -> Request:
        """The request that was sent."""
        ...

    def answered(self, head: PlainHead, content: bytes, first_byte: float) -> None:
        """The whole response has come, its first byte after so many seconds: `Errand.whole` has it in one."""
        ...

    def handed_over(self, ahead: Ahead) -> None:
        """It is not that simple: `ahead` goes on from here in the usual way."""
        ...


class Errand:
    """One request without content on its way. It has the connection until one of `Sender`'s is called.

    `sent` is when it was sent, in seconds since the epoch.
    """

    __slots__ = (
        "_began",
        "_connection",
        "_first_byte",
        "_held",
        "_over",
        "_pool",
        "_sender",
        "_to_head",
        "sent",
    )

    def __init__(self, connection: Connection, pool: Usual, sender: Sender, *, to_head: bool) -> None:
        self._connection = connection
        self._pool = pool
        self._sender = sender
        self._to_head = to_head
        self._over = False
        self._held = b""  # the beginning of a response whose end has not come
        self.sent = self._began = self._first_byte = 0.0

    def send(self, head: bytes) -> None:
        """Send the request's head, which is all of it."""
        connection = self._connection
        connection.attach(self)
        self.sent, self._began = time(), monotonic()
        connection.alarm.set(self._pool.patience, self.hand_over)
        connection.write(head)

    def feed(self, data: bytes) -> None:
        """Bytes from the server: all of a plain response that come at once, or nearly so, are the answer."""
        first_byte = monotonic() - self._began
        if self._held:
            first_byte, data = self._first_byte, self._held + data
        end = data.find(b"\r\n\r\n") + 4
        connection = self._connection
        head = None
        if end > 4 and connection.usable:
            head = self._pool.heads.read(data[:end], to_head=self._to_head)
        lacking = -1 if head is None else end + head.length - len(data)
        if head is not None and not lacking:
            self._over = True
            connection.alarm.clear()
            connection.release(head.idle)
            self._sender.answered(head, data[end:], first_byte)
        elif head is not None and lacking > 0 and head.length <= MOST_HELD:
            if not self._held:
                self._first_byte = first_byte
                connection.alarm.set(MOMENT, self.hand_over)
            self._held = data
        else:
            self._held = b""
            self._usual().feed(data)

    def whole(self, head: PlainHead, content: bytes, first_byte: float) -> Whole:
        """What the sender was given, as any response."""
        return Whole(head, content, self._connection, first_byte, self.sent, self._began)

    def ended(self, cause: BaseException | None) -> None:
        """The connection has ended, and no answer has come."""
        self._go_on().ended(cause)

    def hand_over(self) -> None:
        """Go on in the usual way. Nothing where it is over, or goes that way already."""
        if not self._over:
            self._go_on()

    def give_up(self) -> None:
        """Nobody wants the response any more. Nothing where it is over."""
        if not self._over:
            self._over = True
            self._connection.alarm.clear()
            self._connection.abort()

    def _go_on(self) -> Exchange:
        exchange = self._usual()
        held, self._held = self._held, b""
        if held:
            exchange.feed(held)
        return exchange

    def _usual(self) -> Exchange:
        self._over = True
        connection = self._connection
        connection.alarm.clear()
        request = self._sender.request()
        exchange = self._pool.taken_over(connection, request, self._began)
        connection.attach(exchange)
        self._sender.handed_over(_Ahead(request, exchange, self._pool, self.sent, self._began))
        return exchange


class _Ahead:
    """A request that was sent before the rules asked for it."""

    __slots__ = ("_exchange", "_pool", "began", "request", "sent")

    def __init__(self, request: Request, exchange: Exchange, pool: Usual, sent: float, began: float) -> None:
        self.request = request
        self.sent = sent
        self.began = began
        self._exchange = exchange
        self._pool = pool

    async def response(self, interim: Interim) -> UpstreamResponse:
        return await self._pool.finish(self.request, self._exchange, interim)

    def close(self) -> None:
        self._exchange.close()


class Whole:
    """A response that has come in one piece: `head` and `content`.

    `first_byte` is how long that took in seconds, `sent` when the request was sent, in seconds since the
    epoch, and `began` the same by the monotonic clock. It is an `UpstreamResponse` too.
    """

    __slots__ = ("_connection", "_rest", "began", "content", "first_byte", "head", "length", "sent")

    def __init__(
        self,
        plain: PlainHead,
        content: bytes,
        connection: Connection,
        first_byte: float,
        sent: float,
        began: float,
    ) -> None:
        self.head = plain.response
        self.length: int | None = plain.length
        self.content = content
        self.first_byte = first_byte
        self.sent = sent
        self.began = began
        self._connection = connection
        self._rest = content

    @property
    def server(self) -> str:
        """The server that it came from, as host:port."""
        return str(self._connection.server)

    @property
    def timing(self) -> Timing:
        return Timing(self.server, 0.0, self.first_byte, True)

    @property
    def trailers(self) -> Fields:
        return NO_FIELDS

    @property
    def whole(self) -> bool:
        return True

    async def read(self) -> bytes:
        content, self._rest = self._rest, b""
        return content

    def tunnel(self) -> Tunnel:
        raise LookupError("no protocol was switched to")

    def close(self) -> None:
        self._rest = b""

    def ahead(self, request: Request) -> Ahead:
        """As what has come before the rules asked for it."""
        return _WholeAhead(request, self)


class _WholeAhead:
    __slots__ = ("_response", "began", "request", "sent")

    def __init__(self, request: Request, response: Whole) -> None:
        self.request = request
        self.sent = response.sent
        self.began = response.began
        self._response = response

    async def response(self, interim: Interim) -> UpstreamResponse:
        return self._response

    def close(self) -> None:
        self._response.close()
