"""One exchange with a client, as the engine sees it: what was asked, and the way the answer takes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from time import perf_counter

from aiohttp.streams import StreamReader

from proxy.engine.downstream import ClientGone
from proxy.message.chunked import ChunkedDecoder, encode_chunk, last_chunk
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.framing import Kind
from proxy.message.grammar import list_members
from proxy.message.head import serialise_response
from proxy.message.hops import forwardable_trailers, wants_trailers
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.clients.content import ContentReader
from proxy.server.clients.forwarding import Forwarding, forwarded
from proxy.server.clients.incoming import Incoming
from proxy.server.clients.line import Line
from proxy.server.clients.outgoing import Outgoing, interim_head, outgoing, switching_head
from proxy.server.clients.tunnel import pass_both_ways
from proxy.upstream.contract import Ahead, Content, Tunnel
from proxy.visibility.account import Account

_COPIED = 16 << 10
"""Pieces up to this size are copied to be sent together with others; larger ones are sent as they are."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientExchange:
    """`proxy.engine.downstream.Downstream` over one client's connection.

    `begun` is true once a final head was given to `start`; `ended` once the whole message was; `persistent`
    then says whether the connection stays. All that goes out is kept account of.
    """

    __slots__ = (
        "_ahead",
        "_content",
        "_flushing",
        "_forwarding",
        "_line",
        "_message",
        "_outgoing",
        "_payload",
        "_pending",
        "_request",
        "_sent",
        "_told_to_continue",
        "account",
        "broken",
        "ended",
        "received",
    )

    def __init__(
        self,
        message: Incoming,
        received: Request,
        payload: StreamReader,
        line: Line,
        forwarding: Forwarding,
        account: Account,
        ahead: Ahead | None = None,
    ) -> None:
        self._ahead = ahead
        self._message = message
        self.received = received
        self._payload = payload
        self._line = line
        self._forwarding = forwarding
        self.account = account
        self.ended = False
        self.broken = False
        self._request: Request | None = None
        self._told_to_continue = False
        self._content = self._make_content()
        self._outgoing: Outgoing | None = None
        self._pending = b""
        self._flushing: asyncio.Handle | None = None
        self._sent = 0

    # What was asked.

    @property
    def request(self) -> Request:
        """The request as it may be forwarded. Raises `MalformedMessage` where it may not be."""
        if self._request is None:
            client = self.account.client.rpartition(":")[0].strip("[]")
            self._request = forwarded(self.received, client, self._forwarding)
        return self._request

    @property
    def content(self) -> Content | None:
        return self._content

    @property
    def ahead(self) -> Ahead | None:
        """What has gone upstream of it already; to be closed by whoever takes it and has no use for it."""
        ahead, self._ahead = self._ahead, None
        return ahead

    # How it is answered.

    @property
    def begun(self) -> bool:
        """Whether the head of the final response has been given."""
        return self._outgoing is not None

    @property
    def persistent(self) -> bool:
        """Whether the connection can go on to the next request, as far as the answer is concerned."""
        return self.ended and self._outgoing is not None and self._outgoing.persistent

    async def interim(self, response: Response) -> None:
        """Pass a 1xx response on, unless the client is too old for it (RFC 9110 §15.2) or has its answer."""
        if self.received.version < (1, 1) or self.begun or response.status == 101:
            return
        if response.status == 100:
            if self._told_to_continue:
                return
            self._told_to_continue = True
        self._line.write(serialise_response(interim_head(response)))
        await self._line.drain()

    async def start(self, response: Response, length: int | None) -> None:
        """Send the head; it goes out together with the first piece of content where that is at hand."""
        self._begin(response, length, self._forwarding.name)

    async def write(self, data: bytes | memoryview) -> None:
        """Send a piece of content; returns when there is room for more. Raises `ClientGone`."""
        out = self._outgoing
        if out is None:
            raise RuntimeError("content before the head")
        if not data or out.kind is Kind.NONE:
            return
        self._sent += len(data)
        if out.kind is Kind.LENGTH and self._sent > (out.length or 0):
            raise RuntimeError(f"more content than the {out.length} bytes announced")
        if out.kind is not Kind.CHUNKED:
            self._send(data)
        elif len(data) <= _COPIED:
            self._send(encode_chunk(bytes(data)))
        else:
            self._send(b"%x\r\n" % len(data))
            self._line.write(data)
            self._line.write(b"\r\n")
        self.account.response_bytes = self._sent
        if self._line.full:
            await self._line.drain()

    async def finish(self, trailers: Fields) -> None:
        """End the message. Raises `ClientGone` where the client doesn't take it all."""
        out = self._outgoing
        if out is None:
            raise RuntimeError("an end before the head")
        if out.kind is Kind.LENGTH and self._sent != out.length:
            raise RuntimeError(f"{self._sent} bytes of content in the place of {out.length}")
        if out.kind is Kind.CHUNKED:
            wanted = wants_trailers(self.received.fields)
            self._send(last_chunk(forwardable_trailers(trailers, out.head.fields) if wanted else NO_FIELDS))
        else:
            self._flush()
        await self._line.settle()
        self.ended = True

    def abort(self) -> None:
        """Break the message: without its last bytes, or where only the end of the connection would tell, with
        a reset (RFC 9112 §8)."""
        self.broken = True
        self._cancel_flush()
        self.account.complete = False
        out = self._outgoing
        if out is None or out.kind in (Kind.CLOSE, Kind.NONE):
            self._line.reset()
            return
        with suppress(ClientGone):
            self._flush()
            self._line.end_writing()

    async def answer(self, response: Response, content: bytes) -> None:
        """Send an answer of our own, whole."""
        self._begin(response, len(content), None)
        await self.write(content)
        await self.finish(NO_FIELDS)

    async def tunnel(self, response: Response, upstream: Tunnel) -> tuple[int, int]:
        """Send the 101 and pass bytes both ways until both sides have ended, or one has broken off."""
        head = switching_head(response, self._forwarding.name)
        reader = self._line.begin_tunnel()
        self._outgoing = Outgoing(head, Kind.CLOSE, None, False)
        self.account.response = head
        self._pending = serialise_response(head)
        self._flush()
        await pass_both_ways(reader, self._line, upstream, self.account)
        self.ended = True
        return self.account.request_bytes, self.account.response_bytes

    def count_request(self) -> None:
        """Put down how much content came."""
        if not self.account.request_bytes:
            self.account.request_bytes = self._payload.total_bytes

    # Within.

    def _begin(self, response: Response, length: int | None, via: str | None) -> None:
        if self._outgoing is not None:
            raise RuntimeError("a second head")
        stays = self._line.may_stay(client_waits=self._client_waits)
        self._outgoing = out = outgoing(response, length, self.received, stays=stays, name=via)
        self.account.response = out.head
        self._pending = serialise_response(out.head)
        self._flushing = self._line.loop.call_soon(self._flush_quietly)

    def _send(self, data: bytes | memoryview) -> None:
        if self._pending:
            self._cancel_flush()
            head, self._pending = self._pending, b""
            self._note_first_byte()
            if len(data) > _COPIED:
                self._line.write_all((head, data))
                return
            data = b"".join((head, data))
        self._line.write(data)

    def _flush(self) -> None:
        if self._pending:
            self._send(b"")

    def _flush_quietly(self) -> None:
        self._flushing = None
        with suppress(ClientGone):  # whoever writes next is told
            self._flush()

    def _cancel_flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None

    def _note_first_byte(self) -> None:
        self.account.first_byte = perf_counter() - self._message.arrival.clock

    def _make_content(self) -> Content | None:
        framing = self._message.framing
        if framing.kind is Kind.NONE:
            return None
        pieces = ContentReader(self._payload, self._line.settings.content_time, self._continue)
        decoder = self._message.decoder
        if decoder is None:
            return Content(framing.length, pieces)
        return Content(None, pieces, partial(_trailers, decoder, self.received.fields))

    @property
    def _client_waits(self) -> bool:
        """Whether the client may be waiting for a 100 (RFC 9110 §10.1.1)."""
        if self._told_to_continue or self._payload.total_bytes or self.received.version < (1, 1):
            return False
        expected = self.received.fields.get(b"expect")
        return expected is not None and b"100-continue" in list_members(expected)

    def _continue(self) -> None:
        """Somebody wants the content and no 100 came from the origin: so it comes from here."""
        if self._client_waits and not self.begun:
            self._told_to_continue = True
            self._line.write(_CONTINUE)


def _trailers(decoder: ChunkedDecoder, header: Fields) -> Fields:
    return forwardable_trailers(decoder.trailers, header)
