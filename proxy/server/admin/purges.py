"""Purging at the admin address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from proxy.engine.purging import Answer, BadWish, Report, Wish
from proxy.message.errors import PellucidError
from proxy.server.admin.content import json_content

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
        """Purge what is named: `{"urls": ["http://example.org/items/1"], "soft": true}`."""
        if self._purge is None:
            raise NotPurgeable("nothing can be purged here")
        content = await json_content(request, _LARGEST)
        try:
            wish = msgspec.json.decode(content, type=Wish)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadWish(f"not a purge: {error}") from error
        report = await self._purge(wish, _client(request))
        return web.Response(
            body=msgspec.json.encode(Answer.of(report.items, soft=report.soft, dry=report.dry)) + b"\n",
            content_type="application/json",
        )


def _client(request: web.Request) -> str:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not isinstance(peer, tuple):
        return ""
    host, port = peer[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
