"""A client's connection: aiohttp's own request handler, with our parser in it and our exchanges behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from proxy.engine.downstream import ClientGone
from proxy.server.clients.incoming import Incoming, Refused
from proxy.server.clients.line import Line
from proxy.server.clients.parser import Message, RequestParser
from proxy.server.clients.serving import Serving
from proxy.server.settings import ServerSettings

if TYPE_CHECKING:
    from proxy.server.clients.listener import Manager


class Connection(RequestHandler):
    """Serves one client, one request after the other.

    What comes from the client goes through `data_received`. `task` serves it; it is cancelled when the
    client leaves, and with it whatever is under way for this client.
    """

    __slots__ = (
        "_discarding",
        "_half_closed",
        "_impatience",
        "_settings",
        "_tunnel",
        "_wire",
        "client",
        "line",
        "requests",
        "serving",
        "stopping",
        "task",
    )

    def __init__(self, manager: Manager, settings: ServerSettings) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            cast("Any", manager),
            loop=loop,
            keepalive_timeout=settings.idle,
            access_log=cast("Any", None),
            lingering_time=0.0,
            read_bufsize=settings.read_buffer,
        )
        self._settings = settings
        self.requests = RequestParser(self, settings)
        self._parser = cast("Any", self.requests)
        self.line = Line(self, settings)
        self.client = ""
        self.serving: Serving | None = None
        self.task: asyncio.Task[None] | None = None
        self.stopping = False
        self._wire: asyncio.Transport | None = None
        self._half_closed = False
        self._impatience: asyncio.TimerHandle | None = None
        self._discarding = False
        self._tunnel: StreamReader | None = None

    # What comes from the client.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        manager = cast("Manager", self._manager)
        assert self.transport is not None
        self.task, self._wire = self._task_handler, self.transport
        self.transport.set_write_buffer_limits(self._settings.write_buffer)
        self.client = _address(self.transport.get_extra_info("peername"))
        if refusal := manager.admit(self):
            self.take_message(*self.requests.refuse(refusal))

    def data_received(self, data: bytes) -> None:
        if self._discarding:
            return
        if self._tunnel is not None:
            if data:  # there is none when reading is resumed, which may be after the end
                self._tunnel.feed_data(data)
            return
        # Before a request is even parsed: an answer by its bytes alone would go here, where `ready` says that
        # nothing is under way on this connection.
        super().data_received(data)

    def eof_received(self) -> bool | None:  # type: ignore[override] # aiohttp never keeps it open
        """The client sends no more. Whether to keep the connection open all the same.

        It may have closed its side only and still want its answer (RFC 9112 §9.6), or it may be gone: the
        transport can't tell. What was begun goes on, and writing will show; what was not has little time.
        """
        if self._tunnel is not None:
            self._tunnel.feed_eof()
            return True
        self.requests.feed_eof()
        if (self.serving is None and not self._messages) or self._discarding:
            return None
        self._half_closed = True
        if self.serving is not None:
            self._await_answer(self.serving)
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        manager = cast("Manager | None", self._manager)
        if manager is not None:
            manager.left(self, self._unserved())
        self.requests.stop()
        self._be_patient()
        if self._tunnel is not None:
            self._tunnel.feed_eof()
        super().connection_lost(exc)

    def _unserved(self) -> Iterator[Serving]:
        """What the client sent and left before anything could be done about it."""
        manager = cast("Manager", self._manager)
        for message, payload in self._messages:
            yield manager.take(cast("Any", message), payload, self)
        if (abandoned := self.requests.abandoned()) is not None:
            yield manager.take(abandoned, EMPTY_PAYLOAD, self)

    @property
    def ready(self) -> bool:
        """Whether the next byte would begin a request, with nothing before it under way."""
        return self.serving is None and not self._messages and self.requests.at_start and not self.stopping

    # What is made of it.

    def take_message(self, message: Incoming | Refused, payload: StreamReader) -> None:
        """Have a message served that was not found by the parser."""
        self._messages.append((cast("Any", message), payload))
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def start(self) -> None:
        """Serve request after request. In the place of aiohttp's loop, which makes a task for each."""
        try:
            while await self._serve(*await self._next_message()):
                self._expect_idling()
                if self._messages:  # the next was sent ahead: other clients have their turn first
                    await asyncio.sleep(0)
        except Exception:
            self.force_close()
            raise
        if not self._force_close and self.transport is not None:
            self.transport.close()

    async def _next_message(self) -> Message:
        if not self._messages:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return cast("Message", self._messages.popleft())

    async def _serve(self, message: Incoming | Refused, payload: StreamReader) -> bool:
        """Serve one request; whether the connection goes on."""
        serving = self.serving = cast("Manager", self._manager).take(message, payload, self)
        try:
            if self._half_closed:
                self._await_answer(serving)
            if await serving.run() and self._next_request():
                return True
        finally:
            self.serving = None
            self._be_patient()
        await self._part(linger=serving.linger)
        return False

    def _next_request(self) -> bool:
        """Get ready for the next request; False where there can't be one."""
        if self.stopping:
            return False
        self.serving = None
        if self.requests.release():
            super().data_received(b"")
        if self._half_closed:
            return bool(self._messages)
        if self._buffer_paused:
            self._resume_reading_if_drained()
        return True

    def _expect_idling(self) -> None:
        """From now on the connection may be idle for so long."""
        cast("Manager", self._manager).rests(self)
        self._next_keepalive_close_time = self._loop.time() + self._settings.idle
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                self._next_keepalive_close_time, self._process_keepalive
            )

    async def _part(self, *, linger: bool) -> None:
        """End the connection so that the client can read its last answer (RFC 9112 §9.6)."""
        try:
            await self.line.settle(0)
            if not linger or self._half_closed or self._tunnel is not None:
                return
            self.line.end_writing()
        except ClientGone:
            return
        self._discarding = True
        self._buffer_paused = False
        self.resume_reading(resume_parser=False)
        await asyncio.sleep(self._settings.linger)

    def begin_tunnel(self) -> StreamReader:
        """Turn to a tunnel: what comes next, and what has come already, is read from here."""
        rest = self.requests.take_rest()
        self._buffer_paused = False
        self._tunnel = StreamReader(self, self._settings.read_buffer, loop=self._loop)
        if rest:
            self._tunnel.feed_data(rest)
        if self._half_closed:
            self._tunnel.feed_eof()
        elif not self._reading_paused:
            self._resume_transport_reading()
        return self._tunnel

    # How it ends.

    def stop(self) -> None:
        """Take no more requests: close now, or as soon as the one under way has been answered."""
        self.stopping = True
        if self.serving is None and not self._messages:
            self.force_close()

    def cut(self) -> None:
        """End at once, whatever is under way and whatever has not been sent."""
        if self._wire is not None:
            self._wire.abort()
        if self.task is not None:
            self.task.cancel()

    def _await_answer(self, serving: Serving) -> None:
        if not serving.begun:
            self._impatience = self._loop.call_later(self._settings.half_closed, self._give_up, serving)

    def _give_up(self, serving: Serving) -> None:
        self._impatience = None
        if self.serving is serving and not serving.begun and self.transport is not None:
            self.transport.abort()

    def _be_patient(self) -> None:
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    # Where aiohttp's own ways don't fit.

    def _process_keepalive(self) -> None:
        """Close an idle connection; one in the middle of a request's head has its own time limit."""
        if self.requests.at_start or self._loop.time() < self._next_keepalive_close_time:
            super()._process_keepalive()
        else:
            self._keepalive_handle = None

    def _resume_reading_if_drained(self) -> None:
        """Read on only when what is waiting has become less."""
        if not self.requests.full:
            self._resume_reading_for_buffer()


def _address(peer: Any) -> str:
    if not isinstance(peer, tuple):
        return ""
    host, port = peer[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
