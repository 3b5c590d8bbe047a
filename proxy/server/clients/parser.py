"""A client's bytes, taken apart request by request, with the interface that aiohttp's connections expect."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from time import perf_counter, time
from typing import TYPE_CHECKING

from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from proxy.engine.downstream import ClientGone
from proxy.message.chunked import ChunkedDecoder
from proxy.message.errors import MalformedMessage, PellucidError
from proxy.message.framing import Kind, request_framing
from proxy.message.head import (
    ParsedRequest,
    check_partial_request,
    find_end,
    parse_request_head,
    skip_empty_lines,
)
from proxy.server.clients.incoming import Arrival, Incoming, Refusal, Refused, first_bytes
from proxy.server.settings import ServerSettings

if TYPE_CHECKING:
    from proxy.server.clients.connection import Connection

Message = tuple[Incoming | Refused, StreamReader]

_AT_ONCE = 250
"""Chunks that are taken apart before other clients have a turn."""

_MOST_SKIPPED = 256
"""Bytes of empty lines that may come before a request: no client needs more, and to skip them is work."""


class _State(Enum):
    HEAD = auto()  # reading a head
    CONTENT = auto()  # reading the content of the request that is being served
    HELD = auto()  # that request has been read; what comes after it waits until it is answered
    STOPPED = auto()  # nothing more is read as a request


class RequestParser:
    """Reads one request at a time: what is pipelined stays bytes until its turn has come.

    So nothing after an upgrade, a refused request or `Connection: close` is ever taken for a request.
    """

    __slots__ = (
        "_arrival",
        "_buffer",
        "_connection",
        "_decoder",
        "_missing",
        "_payload",
        "_searched",
        "_settings",
        "_skipped",
        "_state",
        "_timer",
        "_turn",
    )

    def __init__(self, connection: Connection, settings: ServerSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._state = _State.HEAD
        self._buffer = b""
        self._searched = 0
        self._skipped = 0
        self._arrival: Arrival | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._payload: StreamReader = EMPTY_PAYLOAD
        self._decoder: ChunkedDecoder | None = None
        self._missing = 0
        self._turn: asyncio.Handle | None = None

    # What aiohttp's RequestHandler calls.

    def feed_data(self, data: bytes) -> tuple[list[Message], bool, bytes]:
        """Take the next bytes; the request that they complete, if any, in a list. Never raises."""
        if self._state is _State.CONTENT and data:
            data = self._feed_content(data)
        if self._state is _State.STOPPED:
            return [], False, b""
        if data:
            self._buffer = self._buffer + data if self._buffer else data
        messages: list[Message] = []
        if self._state is _State.HEAD and self._buffer:
            message = self._next_message()
            if message is not None:
                messages.append(message)
        if self.full:
            self._connection._pause_reading_for_buffer()
        return messages, False, b""

    def feed_eof(self) -> None:
        """The client sends no more: content that isn't complete will never be."""
        while self._pending:
            self._buffer += self._feed_content(b"")
        if self._state is _State.CONTENT:
            self._fail(ClientGone("the client stopped sending before the end of the content"))

    def pause_reading(self) -> None:
        """The content's reader is full. Nothing to do: the transport is paused, and little is under way."""

    def message_consumed(self) -> None:
        """The request is being served."""

    def set_upgraded(self, upgraded: bool) -> None:
        """aiohttp's own upgrades are never used."""

    # What the connection calls.

    @property
    def full(self) -> bool:
        """Whether as much is waiting as may wait while a request is being served."""
        return self._state is _State.HELD and len(self._buffer) >= self._settings.read_buffer

    @property
    def at_start(self) -> bool:
        """Whether the next byte would be the first of a request."""
        return self._state is _State.HEAD and not self._buffer

    @property
    def content_left(self) -> int | None:
        """How many bytes of content are still to come, None where that is unknown or none can be read."""
        if self._state is _State.CONTENT:
            return None if self._decoder is not None else self._missing
        return None if self._state is _State.STOPPED else 0

    @property
    def unread(self) -> bool:
        """Whether something that the client has sent, or is about to send, will not be read."""
        return bool(self._buffer) or self._state in (_State.CONTENT, _State.STOPPED)

    def release(self) -> bool:
        """The request has been answered and was read to its end: the next one may be read.

        Whether some of it is here already: it is looked at with the next bytes, which may be none.
        """
        if self._state is _State.HELD:
            self._state = _State.HEAD
            self._searched = self._skipped = 0
        return bool(self._buffer)

    def stop(self) -> None:
        """Read nothing more as a request."""
        self._state = _State.STOPPED
        self._buffer = b""
        self._stop_timer()

    def take_rest(self) -> bytes:
        """What came after the request, which is not to be read as one."""
        rest, self._buffer = self._buffer, b""
        self.stop()
        return rest

    def began(self, arrival: Arrival) -> None:
        """The next bytes to be taken began to arrive then."""
        self._arrival = arrival

    def refuse(self, error: PellucidError) -> Message:
        """The refusal of whatever request is on its way."""
        error = error.with_traceback(None)  # which leads back to all that was on the way
        message = Refused(error, self._arrived(), raw=first_bytes(self._buffer))
        self.stop()
        return message, EMPTY_PAYLOAD

    def abandoned(self) -> Refused | None:
        """What there was of a request when the client left."""
        if self._state is not _State.HEAD or not self._buffer:
            return None
        error = Refusal("the client left before the end of its request")
        return Refused(error, self._arrived(), raw=first_bytes(self._buffer))

    # Heads.

    def _next_message(self) -> Message | None:
        data = self._buffer
        skipped = skip_empty_lines(data)
        if skipped:
            self._skipped += skipped
            if self._skipped > _MOST_SKIPPED:
                return self.refuse(MalformedMessage("empty lines and no request (RFC 9112 §2.2)"))
            self._buffer = data = data[skipped:]
            self._searched = max(0, self._searched - skipped)
            if not data:
                return None
        self._arrived()
        head: ParsedRequest | None = None
        try:
            end = find_end(data, max(0, self._searched - 3))
            if end < 0:
                check_partial_request(data, self._settings.head_limits)
                self._searched = len(data)
                self._start_timer()
                return None
            head = parse_request_head(data[:end], self._settings.head_limits)
            return self._begin(head, data[end:])
        except PellucidError as error:
            error = error.with_traceback(None)
            message = Refused(error, self._arrived(), head, b"" if head else first_bytes(data))
            self.stop()
            return message, EMPTY_PAYLOAD

    def _begin(self, head: ParsedRequest, rest: bytes) -> Message:
        framing = request_framing(head.version, head.fields)
        limit = self._settings.content_bytes
        if limit and framing.length is not None and framing.length > limit:
            raise _too_large(limit)
        arrival = self._arrived()
        self._stop_timer()
        self._arrival = None
        if framing.kind is Kind.NONE or framing.length == 0:
            self._state = _State.HELD
            self._buffer = rest
            return Incoming(head, framing, arrival), EMPTY_PAYLOAD
        connection = self._connection
        self._payload = StreamReader(connection, self._settings.read_buffer, loop=connection._loop)
        self._decoder = ChunkedDecoder(self._settings.head_limits) if framing.kind is Kind.CHUNKED else None
        self._missing = framing.length or 0
        self._state = _State.CONTENT
        self._buffer = b""
        message = Incoming(head, framing, arrival, self._decoder), self._payload
        if rest:
            self._buffer = self._feed_content(rest)
        return message

    # Content.

    def _feed_content(self, data: bytes) -> bytes:
        """Pass content on; what is left of `data` after its end."""
        if self._decoder is not None:
            return self._feed_chunked(self._decoder, data)
        piece = data[: self._missing]
        self._missing -= len(piece)
        self._payload.feed_data(piece)
        if not self._missing:
            self._end_content()
        return data[len(piece) :]

    def _feed_chunked(self, decoder: ChunkedDecoder, data: bytes) -> bytes:
        try:
            pieces = decoder.feed(data, _AT_ONCE)
        except MalformedMessage as error:
            self._fail(error)
            return b""
        if pieces:
            self._payload.feed_data(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        limit = self._settings.content_bytes
        if limit and self._payload.total_bytes > limit:
            self._fail(_too_large(limit))
            return b""
        if decoder.pending and self._turn is None:
            self._connection._pause_reading_for_buffer()
            self._turn = self._connection._loop.call_soon(self._go_on)
        if not decoder.done:
            return b""
        self._end_content()
        return decoder.leftover

    @property
    def _pending(self) -> bool:
        return self._state is _State.CONTENT and self._decoder is not None and self._decoder.pending

    def _go_on(self) -> None:
        """Read on in content of so many chunks that others had to have a turn in between."""
        self._turn = None
        if self._pending:
            self._buffer += self._feed_content(b"")
        if not self._pending and not self.full:
            self._connection._resume_reading_for_buffer()

    def _end_content(self) -> None:
        self._state = _State.HELD
        self._payload.feed_eof()

    def _fail(self, error: Exception) -> None:
        self.stop()
        self._payload.set_exception(error)

    # Time.

    def _arrived(self) -> Arrival:
        if self._arrival is None:
            self._arrival = Arrival(time(), perf_counter())
        return self._arrival

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self._connection._loop.call_later(self._settings.header_time, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        seconds = self._settings.header_time
        error = Refusal(f"the head of the request was not complete after {seconds:g} s", status=408)
        self._connection.take_message(*self.refuse(error))


def _too_large(limit: int) -> Refusal:
    return Refusal(f"the content of the request is larger than {limit} bytes", status=413)
