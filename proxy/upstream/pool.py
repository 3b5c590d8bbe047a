"""The connections to one server, kept open from exchange to exchange."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from proxy.message.request import Request
from proxy.upstream.address import Server
from proxy.upstream.connection import Connection
from proxy.upstream.contract import Content, Overloaded, Unreachable, UpstreamError, UpstreamResponse
from proxy.upstream.dialler import Dialler
from proxy.upstream.errand import PATIENCE, Errand, Sender
from proxy.upstream.exchange import Exchange, Interim
from proxy.upstream.plain import PlainHeads
from proxy.upstream.planner import Step, may_retry, next_step
from proxy.upstream.resolver import LookUp, Resolver, look_up
from proxy.upstream.sending import Outgoing, outgoing
from proxy.upstream.settings import UpstreamSettings

_FAREWELL = 2.0
"""Seconds that connections have to close in good order when the pool is closed."""

_DISTRUST = 60.0
"""Seconds in which no connection serves twice after the server has sent bytes that answer no request."""


class Pool:
    """One server as the engine's `Upstream`.

    The connection that was used last serves first, so that those not needed reach the end of their idle time.
    Connections to addresses that the server's name no longer has are closed once they're idle. Raises
    `ConfigurationError` where the settings can't be used.
    """

    def __init__(
        self, server: Server, settings: UpstreamSettings | None = None, *, look_up: LookUp = look_up
    ) -> None:
        self.server = server
        self._settings = settings = settings or UpstreamSettings()
        self._limits = settings.limits
        self._resolver = Resolver(server, settings.names, look_up, self._moved)
        self.heads = PlainHeads(settings.limits, settings.idle)
        self.patience = min(PATIENCE, settings.first_byte / 2)
        self._dialler = Dialler(server, settings, self._resolver)
        self._idle: dict[Connection, float] = {}  # until when each may be used; the last used is the last
        self._active: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._open: set[Connection] = set()  # those in the midst of closing too
        self._distrusted = 0.0  # until this moment no connection serves twice
        self._closed = False
        self._empty: asyncio.Event | None = None

    async def send(self, request: Request, content: Content | None, interim: Interim) -> UpstreamResponse:
        """Send a request and wait for the head of its final response (or of a 101).

        Each other 1xx response is given to `interim` as it comes. Raises `UpstreamError`, and whatever
        `interim` and the pieces of `content` raise. A request that failed because its connection had been
        closed while idle is sent once more where that's safe (see `may_retry`).
        """
        message = outgoing(request, content)
        exchange = await self._attempt(request, message, content, interim, number=1)
        if exchange is None:
            exchange = await self._attempt(request, message, content, interim, number=2)
            assert exchange is not None  # only the first attempt is followed by another
        return exchange

    def send_now(self, head: bytes, sender: Sender, *, to_head: bool) -> Errand | None:
        """Send a request without content at once, if there is an idle connection for it; None: there is none.

        `head` is all of the request, as it is sent; `to_head` says that it is a HEAD.
        """
        idle = self._idle
        if not idle or self._waiting or self._closed:
            return None
        connection, until = idle.popitem()
        now = connection.loop.time()
        if now >= until or not connection.usable or not connection.quiet:
            idle[connection] = until  # for whoever asks in the usual way to find out
            return None
        if self._resolver.due(now):
            self._resolver.refresh()
        self._active.add(connection)
        errand = Errand(connection, self, sender, to_head=to_head)
        errand.send(head)
        return errand

    def taken_over(self, connection: Connection, request: Request, began: float) -> Exchange:
        """The exchange for a request that was sent at `began`, by `time.monotonic`."""
        exchange = Exchange(connection, request, self._settings, self._limits)
        exchange.begun(began)
        return exchange

    async def finish(self, request: Request, begun: Exchange, interim: Interim) -> UpstreamResponse:
        """What `send` does from where a request without content has been sent for the first time."""
        message = outgoing(request, None)
        exchange = await self._attempt(request, message, None, interim, number=1, begun=begun)
        if exchange is None:
            exchange = await self._attempt(request, message, None, interim, number=2)
            assert exchange is not None  # only the first attempt is followed by another
        return exchange

    async def _attempt(
        self,
        request: Request,
        message: Outgoing,
        content: Content | None,
        interim: Interim,
        *,
        number: int,
        begun: Exchange | None = None,
    ) -> Exchange | None:
        """Send a request for the first or second time; None where it is to be sent once more.

        `begun` where it was sent already.
        """
        exchange = begun
        try:
            if exchange is not None:
                await exchange.proceed(interim)
            else:
                connection = await self._connection(fresh=number > 1)
                exchange = Exchange(connection, request, self._settings, self._limits, number)
                await exchange.perform(message, content, interim)
        except BaseException as error:
            if isinstance(error, UpstreamError):
                error.attempts = number - isinstance(error, Overloaded)
                error.sent = exchange is not None and exchange.sent
                error.read = exchange is not None and exchange.content_read
            if exchange is None:
                raise
            exchange.close()
            failed = isinstance(error, Unreachable)
            if number > 1 or not failed or not _again(request, exchange, answered=exchange.answered):
                raise
            return None
        # The server had given the connection up before the request came (RFC 9110 §15.5.9).
        if number == 1 and exchange.head.status == 408 and _again(request, exchange, answered=False):
            exchange.close()
            return None
        return exchange

    async def probe(self) -> UpstreamError | None:
        """Why no connection can be had at this moment; None where there is one.

        One that was opened for this is not kept: a server that serves one connection at a time would wait on
        it for a request, and nobody else would be answered.
        """
        try:
            connection = await self._connection(fresh=False)
        except UpstreamError as error:
            return error
        if connection.reused or self._waiting:
            connection.release(self._settings.idle)
        else:
            connection.close()
        return None

    async def close(self) -> None:
        """Close every connection, exchanges under way included; requests that wait get `Overloaded`."""
        self._closed = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(self._refusal("the way upstream is closed"))
        if self._sweep is not None:
            self._sweep.cancel()
        await self._resolver.close()
        for connection in list(self._active):
            connection.break_off()
        for connection in list(self._idle):
            connection.close()
        if self._open:
            self._empty = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), _FAREWELL)
            for connection in list(self._open):
                connection.abort()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), _FAREWELL)

    def released(self, connection: Connection) -> None:
        """An exchange is over: the connection serves who waits longest, or stays idle."""
        self._active.discard(connection)
        now = connection.loop.time()
        unwanted = self._closed or connection.idle <= 0 or not self._resolver.names(connection.peer)
        if unwanted or now < self._distrusted:
            connection.close()
        elif not self._waiting or not self._hand_over(connection):
            self._keep(connection, now + connection.idle)

    def lost(self, connection: Connection) -> None:
        """A connection can't be used any more: there's room for another."""
        self._idle.pop(connection, None)
        self._active.discard(connection)
        self._make_room()

    def gone(self, connection: Connection) -> None:
        """A connection is closed."""
        self._open.discard(connection)
        if self._empty is not None and not self._open:
            self._empty.set()

    def strayed(self, connection: Connection) -> None:
        """What came could have been taken for the answer to another's request, had that been sent by then.

        So the server gets no chance for it until it has behaved for a while.
        """
        self._distrusted = connection.loop.time() + _DISTRUST
        for idle in list(self._idle):
            idle.close()

    async def _connection(self, *, fresh: bool) -> Connection:
        """A connection to use; a new one where it must be `fresh`. Raises `UpstreamError`."""
        settings = self._settings
        if fresh and self._idle and self._count() >= settings.connections:
            next(iter(self._idle)).close()
        while True:
            step = next_step(
                idle=0 if fresh else len(self._idle),
                opened=self._count(),
                waiting=len(self._waiting),
                connections=settings.connections,
                queue=settings.waiting,
            )
            if self._closed:
                raise self._refusal("the way upstream is closed")
            if step is Step.REUSE:
                connection = self._take_idle()
                if connection is not None:
                    return connection
            elif step is Step.OPEN:
                self._opening += 1
                return await self._open_one()
            elif step is Step.WAIT:
                return await self._wait(fresh=fresh)
            else:
                raise self._refusal(f"{len(self._waiting)} requests wait for {self.server} already")

    def _count(self) -> int:
        return len(self._idle) + len(self._active) + self._opening

    def _take_idle(self) -> Connection | None:
        """The connection that was used last; None where its time is over."""
        connection, until = self._idle.popitem()
        now = connection.loop.time()
        if self._resolver.due(now):
            self._resolver.refresh()
        if now < until and connection.usable:
            self._active.add(connection)
            return connection
        connection.close()
        return None

    async def _open_one(self) -> Connection:
        """A new connection, for which `_opening` has been counted up."""
        try:
            connection = await self._dialler.open(self)
        except BaseException:
            self._opening -= 1
            self._make_room()
            raise
        self._opening -= 1
        if self._closed:
            connection.abort()
            raise self._refusal("the way upstream is closed")
        if connection.usable:
            self._active.add(connection)
            self._open.add(connection)
        return connection

    async def _wait(self, *, fresh: bool) -> Connection:
        """Wait for a connection, or for room to open one. Raises `Overloaded` after `wait` seconds."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting.append(turn)
        timer = loop.call_later(self._settings.wait, self._tired, turn)
        try:
            connection = await turn
        except asyncio.CancelledError:
            self._decline(turn)
            raise
        finally:
            timer.cancel()
        if connection is None:
            return await self._open_one()
        if not fresh:
            return connection
        self._opening += 1
        connection.close()
        return await self._open_one()

    def _tired(self, turn: asyncio.Future[Connection | None]) -> None:
        if not turn.done():
            self._waiting.remove(turn)
            seconds = self._settings.wait
            turn.set_exception(self._refusal(f"no connection to {self.server} became free in {seconds:g} s"))

    def _decline(self, turn: asyncio.Future[Connection | None]) -> None:
        """Whoever waited has left: pass on what was meant for it."""
        if turn.cancelled():
            with suppress(ValueError):
                self._waiting.remove(turn)
        elif turn.exception() is None:
            connection = turn.result()
            if connection is None:
                self._opening -= 1
                self._make_room()
            elif connection.usable:
                self.released(connection)

    def _hand_over(self, connection: Connection) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._active.add(connection)
                turn.set_result(connection)
                return True
        return False

    def _make_room(self) -> None:
        """Let those who wait longest open connections, as far as there's room."""
        while self._waiting and self._count() < self._settings.connections:
            turn = self._waiting.popleft()
            if not turn.done():
                self._opening += 1
                turn.set_result(None)

    def _keep(self, connection: Connection, until: float) -> None:
        limit = self._settings.idle_connections
        if limit <= 0:
            connection.close()
            return
        if len(self._idle) >= limit:
            next(iter(self._idle)).close()
        self._idle[connection] = until
        if self._sweep is None or self._sweep.when() > until:
            self._sweep_at(connection.loop, until)

    def _sweep_at(self, loop: asyncio.AbstractEventLoop, moment: float) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._sweep = loop.call_at(moment, self._close_idle, loop)

    def _close_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close the connections whose idle time is over."""
        self._sweep = None
        now = loop.time()
        for connection in [connection for connection, until in self._idle.items() if until <= now]:
            connection.close()
        if self._idle:
            self._sweep_at(loop, min(self._idle.values()))

    def _moved(self) -> None:
        """The server's name has other addresses: leave the old ones."""
        for connection in list(self._idle):
            if not self._resolver.names(connection.peer):
                connection.close()

    def _refusal(self, message: str) -> Overloaded:
        return Overloaded(message, server=str(self.server))


def _again(request: Request, exchange: Exchange, *, answered: bool) -> bool:
    return may_retry(
        request.method,
        reused=exchange.reused,
        answered=answered,
        sent=exchange.sent,
        content_read=exchange.content_read,
    )
