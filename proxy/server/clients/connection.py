"""A client's connection: aiohttp's own request handler, with our parser in it and our exchanges behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from proxy.engine.downstream import ClientGone
from proxy.server.clients.incoming import Arrival, Incoming, Refused
from proxy.server.clients.line import Line
from proxy.server.clients.parser import Message, RequestParser
from proxy.server.clients.serving import Serving
from proxy.server.lane.records import client_text
from proxy.server.settings import ServerSettings
from proxy.upstream.contract import Ahead

if TYPE_CHECKING:
    from proxy.server.clients.listener import Manager
    from proxy.server.lane.through import Passing


class Connection(RequestHandler):
    """Serves one client, one request after the other.

    What comes from the client goes through `data_received`. `task` serves it; it is cancelled when the
    client leaves, and with it whatever is under way for this client.
    """

    __slots__ = (
        "_discarding",
        "_half_closed",
        "_impatience",
        "_lane",
        "_settings",
        "_through",
        "_tunnel",
        "_wire",
        "address",
        "ahead",
        "client",
        "idle_from",
        "line",
        "named",
        "passing",
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
        self.named = b'""'  # the client as it stands in records
        self.address = ""
        self.passing: Passing | None = None  # a request that is on its short way through
        self.ahead: Ahead | None = None  # what has gone upstream of the request that is served next
        self._lane = manager.lane
        self._through = manager.lane.through if manager.lane is not None else None
        # Added to a time by `time.perf_counter`, this is how long the connection may be idle from then on.
        self.idle_from = settings.idle + loop.time() - perf_counter()
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
        self.address = self.client.rpartition(":")[0].strip("[]")
        self.named = client_text(self.client)
        if refusal := manager.admit(self):
            self.take_message(*self.requests.refuse(refusal))

    def data_received(self, data: bytes) -> None:
        if self._discarding:
            return
        if self._tunnel is not None:
            if data:  # there is none when reading is resumed, which may be after the end
                self._tunnel.feed_data(data)
            return
        if (
            self.serving is None
            and self.passing is None
            and self.requests.at_start
            and data
            and self._lane is not None
            and not self._messages
            and not self.stopping
            and not self._force_close
        ):
            data = self._lane.take(self, data)
            if data and self._through is not None:
                data = self._through.take(self, data)
            if not data:
                return
        elif self.passing is not None:
            self.passing.hand_over()
        super().data_received(data)

    def answered(self, data: bytes, clock: float) -> None:
        """Send a whole answer, and be idle from `clock` on (by `time.perf_counter`).

        Only where `ready`, and where writing is not paused.
        """
        if self.transport is not None:
            self.transport.write(data)
        self._next_keepalive_close_time = clock + self.idle_from
        self.watch_idling()

    def watch_idling(self) -> None:
        """See to it that the connection is closed when it has been idle for too long."""
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                self._next_keepalive_close_time, self._process_keepalive
            )

    def go_on(self, data: bytes, arrival: Arrival, ahead: Ahead) -> None:
        """Serve the request in `data`, which has gone upstream already and is `ahead`."""
        self.ahead = ahead
        self.requests.began(arrival)
        super().data_received(data)

    def left_alone(self, data: bytes, arrival: Arrival) -> None:
        """The client left while the request in `data` was passing."""
        self.requests.began(arrival)
        for message, payload in self.requests.feed_data(data)[0]:
            serving = cast("Manager", self._manager).take(message, payload, self)
            serving.account.error = "the client left"
            serving.abandon()

    def eof_received(self) -> bool | None:  # type: ignore[override] # aiohttp never keeps it open
        """The client sends no more. Whether to keep the connection open all the same.

        It may have closed its side only and still want its answer (RFC 9112 §9.6), or it may be gone: the
        transport can't tell. What was begun goes on, and writing will show; what was not has little time.
        """
        if self._tunnel is not None:
            self._tunnel.feed_eof()
            return True
        if self.passing is not None:
            self.passing.hand_over()
        self.requests.feed_eof()
        if (self.serving is None and not self._messages) or self._discarding:
            return None
        self._half_closed = True
        if self.serving is not None:
            self._await_answer(self.serving)
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        manager = cast("Manager | None", self._manager)
        if self.passing is not None:
            self.passing.client_left()
        if manager is not None:
            manager.left(self, self._unserved())
        self.requests.stop()
        self._be_patient()
        if self._tunnel is not None:
            self._tunnel.feed_eof()
        super().connection_lost(exc)
        if self.task is not None:
            self.task.add_done_callback(self._end)

    def _end(self, _: object) -> None:
        """Let go of what refers back: nothing of it is left for the garbage collector, which seldom looks."""
        self.task = None
        del self.requests, self.line

    def _unserved(self) -> Iterator[Serving]:
        """What the client sent and left before anything could be done about it."""
        manager = cast("Manager", self._manager)
        for message, payload in self._messages:
            yield manager.take(cast("Any", message), payload, self)
        if (abandoned := self.requests.abandoned()) is not None:
            yield manager.take(abandoned, EMPTY_PAYLOAD, self)

    @property
    def idle_until(self) -> float:
        """When it will have been idle for too long, by the event loop's clock."""
        return self._next_keepalive_close_time

    @property
    def ready(self) -> bool:
        """Whether the next byte would begin a request, with nothing before it under way."""
        return (
            self.serving is None
            and not self._messages
            and self.passing is None
            and self.requests.at_start
            and not self.stopping
        )

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
        self._next_keepalive_close_time = self._loop.time() + self._settings.idle
        cast("Manager", self._manager).rests(self)
        self.watch_idling()

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
        if self.passing is not None:
            self.passing.hand_over()
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
        idle = self.requests.at_start and self.passing is None
        if idle or self._loop.time() < self._next_keepalive_close_time:
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
