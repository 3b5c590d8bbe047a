"""The responses to one request, read out of bytes; no I/O."""

from __future__ import annotations

from collections import deque

from proxy.message.chunked import ChunkedDecoder
from proxy.message.errors import MalformedMessage
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.framing import Framing, Kind, persistent, response_framing
from proxy.message.head import HeadLimits, find_end, parse_response_head
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.address import Server
from proxy.upstream.failures import (
    long_head,
    malformed_content,
    malformed_head,
    no_status_line,
    unasked_switch,
)

_VERSION = b"HTTP/1."
_HEADS = 4
"""How many times the limit of one head all heads of an exchange may reach together (1xx can be repeated)."""


class Incoming:
    """What has come in answer to `request`.

    `interims` are 1xx responses that wait to be passed on, `head` is the final response's (or a 101's) with
    its `framing`. With the last byte of the response `complete` turns true, `trailers` holds the trailer
    section and `surplus` the bytes that came after it, which belong to no response.
    """

    __slots__ = (
        "_decoder",
        "_head_bytes",
        "_left",
        "_limits",
        "_partial",
        "_request",
        "_server",
        "complete",
        "framing",
        "head",
        "interims",
        "surplus",
        "trailers",
    )

    def __init__(self, request: Request, server: Server, limits: HeadLimits) -> None:
        self._request = request
        self._server = server
        self._limits = limits
        self._partial: bytearray | None = None  # the beginning of a head whose end has not come
        self._head_bytes = 0
        self._decoder: ChunkedDecoder | None = None
        self._left = 0
        self.interims: deque[Response] = deque()
        self.head: Response | None = None
        self.framing: Framing | None = None
        self.trailers = NO_FIELDS
        self.complete = False
        self.surplus = b""

    @property
    def reusable(self) -> bool:
        """Whether the connection can serve again after this response (RFC 9112 §9.3).

        Not where a 204 announces content: who does that is likely to send it as well (RFC 9110 §15.3.5).
        """
        head, framing = self.head, self.framing
        return (
            self.complete
            and not self.surplus
            and head is not None
            and framing is not None
            and framing.kind is not Kind.CLOSE
            and self._request.method != b"CONNECT"
            and persistent(head.version, head.fields)
            and not (head.status == 204 and announces_content(head.fields))
        )

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes from the connection; the content that they held, without its framing.

        Raises `MalformedResponse`.
        """
        if self.head is None:
            rest = self._feed_heads(data)
            return self._feed_content(rest) if rest and not self.complete else b""
        return self._feed_content(data)

    def end(self) -> bool:
        """The connection was closed in good order: whether the response is complete with that."""
        self.complete = self.complete or (self.framing is not None and self.framing.kind is Kind.CLOSE)
        return self.complete

    def _feed_heads(self, data: bytes) -> bytes:
        """Read the heads that are all there; what comes after the final one."""
        buffer: bytes | bytearray = data
        offset = start = 0
        if self._partial is not None:
            start = max(len(self._partial) - 3, 0)
            self._partial += data
            buffer = self._partial
        while (end := find_end(buffer, start)) >= 0:
            head = self._parse(bytes(buffer[offset:end]))
            offset = start = end
            if head.status >= 200 or head.status == 101:
                self._partial = None
                return self._begin_content(head, bytes(buffer[offset:]))
            self.interims.append(head)
        self._check_beginning(buffer, offset)
        self._partial = bytearray(buffer[offset:]) if buffer is data or offset else self._partial
        return b""

    def _parse(self, head: bytes) -> Response:
        if len(head) > self._limits.block:
            raise long_head(len(head), self._server)
        self._head_bytes += len(head)
        if self._head_bytes > _HEADS * self._limits.block:
            raise long_head(self._head_bytes, self._server)
        if not head.startswith(_VERSION):
            raise no_status_line(head, self._server)
        try:
            return parse_response_head(head, self._limits)
        except MalformedMessage as error:
            raise malformed_head(error, self._server) from error

    def _check_beginning(self, buffer: bytes | bytearray, offset: int) -> None:
        """Refuse early what will never be a head, or would be too long a one."""
        beginning = bytes(buffer[offset : offset + 40])
        if beginning[: len(_VERSION)] != _VERSION[: len(beginning)]:
            raise no_status_line(beginning, self._server)
        if len(buffer) - offset > self._limits.block:
            raise long_head(len(buffer) - offset, self._server)

    def _begin_content(self, head: Response, rest: bytes) -> bytes:
        if head.status == 101 and b"upgrade" not in self._request.fields:
            raise unasked_switch(self._server)
        try:
            framing = response_framing(self._request.method, head)
        except MalformedMessage as error:
            raise malformed_head(error, self._server) from error
        self.head, self.framing = head, framing
        if framing.length == 0:
            self._finish(rest)
            return b""
        if framing.kind is Kind.CHUNKED:
            self._decoder = ChunkedDecoder(self._limits)
        elif framing.length is not None:
            self._left = framing.length
        return rest

    def _feed_content(self, data: bytes) -> bytes:
        if self._decoder is not None:
            return self._feed_chunked(self._decoder, data)
        left = self._left
        if not left:  # only the end of the connection ends the content
            return data
        if len(data) < left:
            self._left = left - len(data)
            return data
        self._finish(data[left:])
        return data[:left]

    def _feed_chunked(self, decoder: ChunkedDecoder, data: bytes) -> bytes:
        try:
            pieces = decoder.feed(data)
        except MalformedMessage as error:
            raise malformed_content(error, self._server) from error
        if decoder.done:
            self.trailers = decoder.trailers
            self._finish(decoder.leftover)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _finish(self, surplus: bytes) -> None:
        self.complete = True
        self.surplus = surplus


def announces_content(fields: Fields) -> bool:
    """Whether a section of fields says that content comes, which not every response may have."""
    return b"transfer-encoding" in fields or (fields.get(b"content-length") or b"0").strip(b"0") != b""
