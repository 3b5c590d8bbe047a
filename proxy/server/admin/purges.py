"""Purging at the admin address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from proxy.engine.purging import Answer, BadWish, Report, Wish
from proxy.message.errors import PellucidError

_LARGEST = 4 << 20

Purge = Callable[[Wish, str], Awaitable[Report]]
"""Has what is named removed for a client (`host:port`). Raises PellucidError with a status of 4xx."""


class NotPurgeable(PellucidError):  # noqa: N818 - as the other refusals are called
    """There is nothing here that could be purged."""

    status = 404


class PurgePages:
    """The handler. `purge` does it; None where nobody does."""

    def __init__(self, purge: Purge | None) -> None:
        self._purge = purge

    async def purged(self, request: web.Request) -> web.Response:
        """Purge what is named: `{"urls": ["http://example.org/items/1"], "soft": true}`.

        Only JSON is taken, which no page of another origin can send unasked.
        """
        if self._purge is None:
            raise NotPurgeable("nothing can be purged here")
        if request.content_type != "application/json":
            raise BadWish("what to purge is given as JSON, with that media type", status=415)
        try:
            wish = msgspec.json.decode(await _content(request), type=Wish)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadWish(f"not a purge: {error}") from error
        report = await self._purge(wish, _client(request))
        return web.Response(
            body=msgspec.json.encode(Answer.of(report.items, soft=report.soft, dry=report.dry)) + b"\n",
            content_type="application/json",
        )


async def _content(request: web.Request) -> bytes:
    content = bytearray()
    async for piece in request.content.iter_any():
        content += piece
        if len(content) > _LARGEST:
            raise BadWish(f"more than {_LARGEST} bytes at one time", status=413)
    return bytes(content)


def _client(request: web.Request) -> str:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not isinstance(peer, tuple):
        return ""
    host, port = peer[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
