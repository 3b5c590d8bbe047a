"""A response of one of several servers, which tells when it is over."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from proxy.message.fields import Fields
from proxy.message.response import Response
from proxy.upstream.contract import Timing, Tunnel, UpstreamResponse


class Answered:
    """`UpstreamResponse` of the server that answered in the end; `over` is called once, when it is done with.

    `tried` are the servers that were asked, in order, and `retry` why another was or was not asked.
    """

    def __init__(
        self,
        response: UpstreamResponse,
        over: Callable[[], None],
        *,
        tried: tuple[str, ...],
        attempts: int,
        retry: str,
        affinity: bytes | None,
    ) -> None:
        self._response = response
        self._over: Callable[[], None] | None = over
        self._timing = replace(
            response.timing, tried=tried, attempts=attempts, retry=retry, affinity=affinity
        )

    @property
    def head(self) -> Response:
        return self._response.head

    @property
    def length(self) -> int | None:
        return self._response.length

    @property
    def whole(self) -> bool:
        return self._response.whole

    @property
    def trailers(self) -> Fields:
        return self._response.trailers

    @property
    def timing(self) -> Timing:
        return self._timing

    async def read(self) -> bytes:
        """The next piece of content; empty at the end."""
        try:
            data = await self._response.read()
        except BaseException:
            self._end()
            raise
        if not data:
            self._end()
        return data

    def tunnel(self) -> Tunnel:
        """After a 101: the connection itself. The exchange counts as over: a tunnel may last for days."""
        self._end()
        return self._response.tunnel()

    def close(self) -> None:
        """Give up what has not been read."""
        self._end()
        self._response.close()

    def _end(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()
