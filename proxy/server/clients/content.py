"""The content of a request on its way from the client, read as fast as it is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp.streams import StreamReader

from proxy.engine.downstream import ClientGone
from proxy.server.clients.incoming import Refusal


class ContentReader:
    """The pieces of one request's content, to be iterated over once.

    `wanted` is called before the first wait for the client: it may be waiting for a 100 (RFC 9110 §10.1.1).
    `silence` limits each wait, in seconds. Raises `Refusal` (408) when that has passed, `MalformedMessage` or
    `Refusal` (413) for content that can't be taken, `ClientGone` where the client stopped before its end.
    """

    __slots__ = ("_payload", "_silence", "_wanted")

    def __init__(self, payload: StreamReader, silence: float, wanted: Callable[[], None]) -> None:
        self._payload = payload
        self._silence = silence
        self._wanted = wanted

    def __aiter__(self) -> ContentReader:
        return self

    async def __anext__(self) -> bytes:
        payload = self._payload
        if payload.is_eof():
            piece = await payload.readany()
        else:
            if not payload.total_bytes:
                self._wanted()
            try:
                async with asyncio.timeout(self._silence):
                    piece = await payload.readany()
            except TimeoutError:
                seconds = self._silence
                raise Refusal(f"no content came for {seconds:g} s", status=408) from None
            except RuntimeError:  # aiohttp's word for a connection that is gone
                raise ClientGone("the client left before the end of the content") from None
        if not piece:
            raise StopAsyncIteration
        return piece
