"""A request on its way to the server: its framing, and the sending of its content."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from msgspec import Struct

from proxy.message.chunked import encode_chunk, last_chunk
from proxy.message.fields import Fields
from proxy.message.grammar import list_members
from proxy.message.head import serialise_request
from proxy.message.request import Request
from proxy.upstream.alarm import Alarm
from proxy.upstream.connection import Connection
from proxy.upstream.contract import Content, TooSlow, UpstreamError
from proxy.upstream.settings import UpstreamSettings

_FRAMING = (b"content-length", b"transfer-encoding")
_FRAMING_LENGTHS = (len(_FRAMING[0]), len(_FRAMING[1]))


class Outgoing(Struct, frozen=True, gc=False):
    """A request as it's sent: the bytes of its head, how its content is framed and whether that waits."""

    head: bytes
    chunked: bool = False
    waits: bool = False


def outgoing(request: Request, content: Content | None) -> Outgoing:
    """How to send `request`, with the framing fields that its content needs (RFC 9112 §6.1, §6.2).

    A Content-Length stays where the length is known; without it the content goes chunked. No other field
    is added or changed, except that framing which doesn't fit the content must not get out.
    """
    fields = request.fields
    if content is None:
        framed = _without_content(fields)
        return Outgoing(serialise_request(request if framed is fields else replace(request, fields=framed)))
    chunked = content.length is None or b"content-length" not in fields
    fields = fields.without(b"transfer-encoding")
    if chunked:
        fields = fields.without(b"content-length").adding((b"Transfer-Encoding", b"chunked"))
    elif fields.all(b"content-length") != (length := b"%d" % content.length,):  # type: ignore[str-format]
        fields = fields.setting(b"Content-Length", length)
    expected = fields.get(b"expect")
    waits = expected is not None and b"100-continue" in list_members(expected)
    return Outgoing(serialise_request(replace(request, fields=fields)), chunked, waits)


def _without_content(fields: Fields) -> Fields:
    """`fields` less what would announce content; the names are looked at one by one, which costs least."""
    for name, value in fields:
        if len(name) not in _FRAMING_LENGTHS:
            continue
        lowered = name.lower()
        if lowered in _FRAMING and (lowered, value) != (b"content-length", b"0"):
            return fields.without(*_FRAMING)
    return fields


class Upload:
    """The sending of one request that has content, while its exchange watches for the response.

    `ended` is called when all of it has been sent (with None), or with what the content or the server did
    wrong. Nothing is called after `stop`, nor where the connection was lost, which the exchange sees itself.
    """

    def __init__(
        self,
        connection: Connection,
        request: Outgoing,
        content: Content,
        settings: UpstreamSettings,
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self.begun = False  # the head was written
        self.content_read = False  # the content has been asked for its pieces
        self.finished = False
        self._connection = connection
        self._request = request
        self._content = content
        self._settings = settings
        self._ended = ended
        self._permission: asyncio.Event | None = asyncio.Event() if request.waits else None
        self._task = connection.loop.create_task(self._send())
        self._task.add_done_callback(self._after)

    def proceed(self) -> None:
        """The server wants the content, or may as well have it (RFC 9110 §10.1.1)."""
        if self._permission is not None:
            self._permission.set()

    def stop(self) -> None:
        """Send nothing more."""
        if not self.finished:
            self._ended = _nothing
            self._task.cancel()

    async def wait(self) -> None:
        """Until it is over, one way or the other."""
        await asyncio.wait([self._task])

    async def _send(self) -> None:
        connection, chunked = self._connection, self._request.chunked
        connection.write(self._request.head)
        self.begun = True
        if self._permission is not None:
            await self._wait_for_permission(self._permission)
        self.content_read = True
        length, sent = self._content.length, 0
        async for piece in self._content.pieces:
            sent += len(piece)
            if length is not None and sent > length:
                raise self._wrong_length(sent)
            connection.write(encode_chunk(piece) if chunked else piece)
            if connection.blocked:
                await self._drain()
        if length is not None and sent < length:
            raise self._wrong_length(sent)
        if chunked:
            connection.write(last_chunk(self._content.trailers()))
        self.finished = connection.usable

    async def _wait_for_permission(self, permission: asyncio.Event) -> None:
        timer = self._connection.loop.call_later(self._settings.expectation, permission.set)
        try:
            await permission.wait()
        finally:
            timer.cancel()

    async def _drain(self) -> None:
        """Wait until the server has taken what is written."""
        alarm = Alarm(self._connection.loop)
        alarm.set(self._settings.between_bytes, self._late)
        try:
            await self._connection.drain()
        finally:
            alarm.stop()

    def _late(self) -> None:
        server = str(self._connection.server)
        seconds = self._settings.between_bytes
        ended = self._ended
        self.stop()
        ended(
            TooSlow(
                f"{server} took nothing of the content for {seconds:g} s",
                server=server,
                token="connection_write_timeout",
            )
        )

    def _wrong_length(self, sent: int) -> UpstreamError:
        return UpstreamError(
            "the content of the request is not as long as it was said to be",
            evidence=f"{sent} bytes in the place of {self._content.length}",
            server=str(self._connection.server),
        )

    def _after(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            error = task.exception()
            if error is not None or self.finished:
                self._ended(error)


def _nothing(_: BaseException | None) -> None:
    pass
