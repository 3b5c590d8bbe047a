"""What the engine asks of the client's connection: the contract that the server shell keeps."""

from __future__ import annotations

from typing import Protocol

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.contract import Ahead, Content, Tunnel


class ClientGone(Exception):  # noqa: N818
    """The client closed its connection; raised by `Downstream` writes."""


class Downstream(Protocol):
    """One exchange with a client."""

    @property
    def received(self) -> Request:
        """The request as it arrived, every field included."""
        ...

    @property
    def request(self) -> Request:
        """The request as it may be forwarded: hop-by-hop fields gone, `Via` and `Forwarded` added."""
        ...

    @property
    def content(self) -> Content | None: ...

    @property
    def ahead(self) -> Ahead | None:
        """What has gone upstream of it already, given once: whoever has no use for it has to close it."""
        ...

    async def interim(self, response: Response) -> None:
        """Send a 1xx response (not to an HTTP/1.0 client, RFC 9110 §15.2)."""
        ...

    async def start(self, response: Response, length: int | None) -> None:
        """Send the head, with `Via` and the framing fields added; `length` in bytes, None where unknown."""
        ...

    async def write(self, data: bytes | memoryview) -> None:
        """Send a piece of content, of any size; returns when there is room for more. Raises `ClientGone`.

        What can't be sent at once is not copied: a view is held for as long as it takes.
        """
        ...

    async def finish(self, trailers: Fields) -> None:
        """End the message."""
        ...

    def abort(self) -> None:
        """Break the message so that the client can see that it is not whole (RFC 9112 §8)."""
        ...

    async def tunnel(self, response: Response, upstream: Tunnel) -> tuple[int, int]:
        """Send the 101 and pass bytes both ways until either side closes; bytes received and sent."""
        ...
