"""One request and its response on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from proxy.message.fields import Fields
from proxy.message.framing import persistent
from proxy.message.head import HeadLimits
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.connection import Connection
from proxy.upstream.contract import BrokenResponse, Content, Timing, Tunnel, UpstreamError
from proxy.upstream.failures import connection_loss, silence
from proxy.upstream.inbox import Inbox
from proxy.upstream.incoming import Incoming
from proxy.upstream.planner import idle_time
from proxy.upstream.sending import Outgoing, Upload
from proxy.upstream.settings import UpstreamSettings
from proxy.upstream.tunnel import UpgradedConnection

Interim = Callable[[Response], Awaitable[None]]


class Exchange:
    """Sends one request, and is its `UpstreamResponse` afterwards.

    It has the connection from the head of the request to the last byte of the response; the connection then
    goes back to its keeper, while what is still unread stays here.
    """

    __slots__ = (
        "_began",
        "_connection",
        "_done",
        "_error",
        "_first_byte",
        "_inbox",
        "_incoming",
        "_settings",
        "_tunnel",
        "_upload",
        "_waited",
        "_waiter",
        "answered",
        "attempts",
        "reused",
    )

    def __init__(
        self,
        connection: Connection,
        request: Request,
        settings: UpstreamSettings,
        limits: HeadLimits,
        attempts: int = 1,
    ) -> None:
        self.answered = False  # some byte of a response has come
        self.attempts = attempts
        self.reused = connection.reused
        self._connection = connection
        self._settings = settings
        self._incoming = Incoming(request, connection.server, limits)
        self._inbox = Inbox(connection)
        self._upload: Upload | None = None
        self._tunnel: UpgradedConnection | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: BaseException | None = None
        self._done = False  # the connection is no longer this exchange's
        self._began = 0.0
        self._first_byte = 0.0
        self._waited = 0.0  # seconds that the server was waited for before it was this exchange's

    @property
    def head(self) -> Response:
        """The head as received; only once it is there."""
        head = self._incoming.head
        assert head is not None
        return head

    @property
    def length(self) -> int | None:
        """How many bytes of content `read` gives in all, None where that's unknown."""
        framing = self._incoming.framing
        return framing.length if framing is not None else None

    @property
    def whole(self) -> bool:
        """Whether all of its content has come already."""
        return self._done and self._error is None and self._tunnel is None

    @property
    def trailers(self) -> Fields:
        """The trailer section, once the content has been read."""
        return self._incoming.trailers

    @property
    def timing(self) -> Timing:
        """How long it took; `first_byte` runs from the sending of the request to the end of the head."""
        connection = self._connection
        connect = 0.0 if self.reused else connection.connect_time
        return Timing(str(connection.server), connect, self._first_byte, self.reused, self.attempts)

    @property
    def sent(self) -> bool:
        """Whether anything of the request was sent."""
        return bool(self._began) and (self._upload is None or self._upload.begun)

    @property
    def content_read(self) -> bool:
        """Whether the request's content has been asked for its pieces, so that it can't be sent again."""
        return self._upload is not None and self._upload.content_read

    async def perform(self, outgoing: Outgoing, content: Content | None, interim: Interim) -> None:
        """Send the request and wait for the head of the final response, or of a 101.

        Raises `UpstreamError`, and whatever `interim` and the pieces of `content` raise.
        """
        self._begin(outgoing, content)
        await self.proceed(interim)

    async def proceed(self, interim: Interim) -> None:
        """Wait for the head of the final response, or of a 101, to the request that was sent already."""
        incoming = self._incoming
        while True:
            while incoming.interims:
                response = incoming.interims.popleft()
                await interim(response)
                if response.status == 100 and self._upload is not None:
                    self._upload.proceed()
            if incoming.head is not None:
                break
            if self._error is not None:
                raise self._error
            await self._wait()
        if self._tunnel is not None and self._upload is not None:
            await self._upload.wait()  # the new protocol starts after the whole request (RFC 9110 §7.8)
            if self._error is not None:
                raise self._error

    async def read(self) -> bytes:
        """The next piece of content, as it comes; empty at the end. Raises `UpstreamError`."""
        inbox = self._inbox
        while not inbox.size:
            if self._error is not None:
                raise self._error
            if self._done:
                return b""
            await self._wait()
        return inbox.take()

    def tunnel(self) -> Tunnel:
        """After a 101: the connection itself."""
        assert self._tunnel is not None
        return self._tunnel

    def close(self) -> None:
        """Give up what has not been read; the connection is closed where the response isn't complete."""
        if self._tunnel is not None:
            self._tunnel.close()
        elif not self._done or self._inbox.size:
            self._inbox.clear()
            self._fail(BrokenResponse("the response was given up", server=str(self._connection.server)))

    def begun(self, moment: float) -> None:
        """The request was sent already, at `moment` by `time.monotonic`."""
        self._began = moment
        self._waited = monotonic() - moment

    def feed(self, data: bytes) -> None:
        """The next bytes from the server."""
        if not self.sent:
            # They answer no request of ours: what comes next on this connection could be anything.
            self._fail(connection_loss(None, self._connection.server, answered=False))
            return
        self.answered = True
        incoming = self._incoming
        begun = incoming.head is not None
        try:
            content = incoming.feed(data)
        except UpstreamError as error:
            self._fail(error)
            return
        if content:
            self._inbox.put(content)
        if not begun and incoming.head is not None:
            self._first_byte = monotonic() - self._began
            if incoming.head.status == 101:
                self._switch()
            elif self._upload is not None:
                self._stop_unwanted(self._upload, incoming.head)
        if incoming.complete and not self._done:
            self._finish()
        if begun or incoming.head is not None or incoming.interims:
            self._wake()

    def ended(self, cause: BaseException | None) -> None:
        """The server sends nothing more."""
        if cause is None and self._incoming.end():
            self._finish()
            self._wake()
        else:
            self._fail(connection_loss(cause, self._connection.server, answered=self.answered))

    def _begin(self, outgoing: Outgoing, content: Content | None) -> None:
        connection = self._connection
        if not connection.usable or (connection.reused and not connection.quiet):
            raise connection_loss(None, connection.server, answered=False)
        connection.attach(self)
        self._began = monotonic()
        if content is None:
            connection.write(outgoing.head)
        else:
            self._upload = Upload(connection, outgoing, content, self._settings, self._uploaded)

    def _uploaded(self, error: BaseException | None) -> None:
        if error is not None:
            self._fail(error)
        elif self._waiter is not None:
            self._connection.alarm.set(self._patience(), self._late)

    def _stop_unwanted(self, upload: Upload, head: Response) -> None:
        """Stop sending content that the server doesn't want to see (RFC 9112 §9.5, RFC 9110 §10.1.1).

        A server that answers with success and keeps the connection open may well be reading on: one that
        works on content as it comes.
        """
        if head.status >= 300 or not upload.content_read or not persistent(head.version, head.fields):
            upload.stop()

    def _switch(self) -> None:
        self._detach()
        self._tunnel = UpgradedConnection(self._connection)
        if self._incoming.surplus:
            self._tunnel.feed(self._incoming.surplus)

    def _finish(self) -> None:
        """The response is complete: give the connection back, or close it where it can't serve again."""
        self._detach()
        connection, upload = self._connection, self._upload
        if self._incoming.surplus:
            connection.keeper.strayed(connection)
        if upload is not None and not upload.finished:
            upload.stop()
            connection.abort()
        elif self._incoming.reusable and connection.usable:
            connection.release(idle_time(self.head.fields, self._settings.idle))
        else:
            connection.close()

    def _fail(self, error: BaseException) -> None:
        if self._error is not None:
            return
        self._error = error
        if not self._done:
            self._detach()
            if self._upload is not None:
                self._upload.stop()
            self._connection.abort()
        self._wake()

    def _detach(self) -> None:
        """From here on the connection is no longer this exchange's."""
        self._done = True
        self._inbox.detach()
        self._connection.alarm.clear()

    async def _wait(self) -> None:
        """Until something comes. While the request is still being sent, the server has time."""
        connection = self._connection
        self._waiter = connection.loop.create_future()
        if self._upload is None or self._upload.finished:
            connection.alarm.set(self._patience(), self._late)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if not self._done:
                connection.alarm.clear()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _patience(self) -> float:
        """How many seconds the server may be silent now."""
        settings = self._settings
        if self._incoming.head is not None:
            return settings.between_bytes
        waited, self._waited = self._waited, 0.0
        return max(settings.first_byte - waited, 0.0)

    def _late(self) -> None:
        begun = self._incoming.head is not None
        self._fail(silence(self._patience(), self._connection.server, begun=begun))
