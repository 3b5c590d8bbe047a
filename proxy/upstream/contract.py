"""What the engine asks of the way upstream, and the errors that it may meet there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from proxy.message.errors import PellucidError
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


class UpstreamError(PellucidError):
    """No usable response came from upstream.

    `token` is the error's name in `Proxy-Status` (RFC 9209 §2.3); `status` is what to answer with;
    `server` is the address that was tried, as `host:port`, and `attempts` how many times. `sent`: some of the
    request may have reached it; `read`: content of the request is gone, so that it can't be sent again.
    Where there are several servers, `tried` are those that were asked and `retry` says why no other was.
    """

    status = 502
    token = "proxy_internal_error"
    attempts = 0
    sent = True
    read = False
    tried: tuple[str, ...] = ()
    retry = ""

    def __init__(self, message: str, *, evidence: str = "", server: str = "", token: str = "") -> None:
        super().__init__(message, evidence=evidence)
        self.server = server
        if token:
            self.token = token


class Unreachable(UpstreamError):  # noqa: N818
    """No connection: refused, no route, unknown name, TLS failure."""

    status = 502
    token = "destination_unavailable"


class TooSlow(UpstreamError):  # noqa: N818
    """A time limit passed: connecting, waiting for the first byte, or between bytes."""

    status = 504
    token = "http_response_timeout"


class Overloaded(UpstreamError):  # noqa: N818
    """Too many connections or waiting requests already."""

    status = 503
    token = "connection_limit_reached"


class MalformedResponse(UpstreamError):  # noqa: N818
    """What came is not a response, or is framed ambiguously."""

    status = 502
    token = "http_protocol_error"


class BrokenResponse(UpstreamError):  # noqa: N818
    """The response broke off before its end: in its head, or (raised while it is read) in its content."""

    status = 502
    token = "http_response_incomplete"


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a request on its way upstream.

    `length` in bytes, None where unknown (it is then sent chunked). `pieces` can be read once, and are read
    while the response may already be coming. Where the request expects 100-continue they are first asked for
    when the origin has sent 100 (which went to `interim` before) or has been silent for a while (RFC 9110
    §10.1.1): who gives the pieces then tells the client to send them. `trailers` gives the trailer section
    once the pieces have been read.
    """

    length: int | None
    pieces: AsyncIterator[bytes]
    trailers: Callable[[], Fields] = Fields


class Timing(Struct, frozen=True, gc=False):
    """How long upstream took, in seconds; `connect` is 0.0 on a connection that was used again.

    Where there are several servers, `tried` are those that were asked, `retry` says why another was or was
    not asked after one had failed, and `affinity` is the `Set-Cookie` by which the client comes back to this
    one, None where there is no need.
    """

    server: str
    connect: float
    first_byte: float
    reused: bool
    attempts: int = 1
    tried: tuple[str, ...] = ()
    retry: str = ""
    affinity: bytes | None = None


class Tunnel(Protocol):
    """A connection after 101 (Switching Protocols): bytes both ways until either side closes."""

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        ...

    async def write(self, data: bytes) -> None: ...
    async def close_writing(self) -> None: ...
    def close(self) -> None: ...


class UpstreamResponse(Protocol):
    """A response whose head has arrived."""

    @property
    def head(self) -> Response:
        """The head as received, all fields included."""
        ...

    @property
    def length(self) -> int | None:
        """How many bytes of content `read` gives in all, None where that's unknown."""
        ...

    @property
    def whole(self) -> bool:
        """Whether all of its content has come already, so that `read` never waits and never fails."""
        ...

    @property
    def trailers(self) -> Fields: ...
    @property
    def timing(self) -> Timing: ...

    async def read(self) -> bytes:
        """The next piece of content, as it comes; empty at the end. Raises `BrokenResponse` or `TooSlow`."""
        ...

    def tunnel(self) -> Tunnel:
        """After a 101: the connection itself."""
        ...

    def close(self) -> None:
        """Give up what has not been read. After the end of the content the connection is used again."""
        ...


class Ahead(Protocol):
    """A request without content that went upstream before its exchange asked for it."""

    @property
    def request(self) -> Request: ...

    @property
    def sent(self) -> float:
        """When, in seconds since the epoch."""
        ...

    @property
    def began(self) -> float:
        """The same by the monotonic clock."""
        ...

    async def response(self, interim: Callable[[Response], Awaitable[None]]) -> UpstreamResponse:
        """What `Upstream.send` of the request gives, with the same errors; to be called once."""
        ...

    def close(self) -> None:
        """Give up what was not asked for."""
        ...


class Upstream(Protocol):
    """The servers behind."""

    async def send(
        self,
        request: Request,
        content: Content | None,
        interim: Callable[[Response], Awaitable[None]],
    ) -> UpstreamResponse:
        """Send a request and wait for the head of its final response (or of a 101).

        Each other 1xx response is given to `interim` as it comes. Raises `UpstreamError`.
        """
        ...

    async def close(self) -> None: ...
