"""Has one exchange with an origin server, over the way upstream that the proxy takes."""

from __future__ import annotations

import asyncio
import time

from proxy.caching.effects import Arrived
from proxy.commands.explaining.origins import Had
from proxy.engine.performer import no_interim, received
from proxy.message.request import Request
from proxy.server.configuration import Settings
from proxy.upstream.address import Server
from proxy.upstream.contract import UpstreamResponse
from proxy.upstream.pool import Pool

BEGINNING = 65_536
"""Bytes of content that are looked at."""

PATIENCE = 10.0
"""Seconds in which the content has to end: a stream of events goes on for ever."""


async def fetch(server: Server, request: Request, settings: Settings) -> Had:
    """Send a request and read its response, no more of the content than is stored. Redirects aren't followed.

    Raises UpstreamError where there's no usable response, and ConfigurationError for unusable settings.
    """
    pool = Pool(server, settings.upstream)
    limit = min(settings.storage.object_limit, settings.storage.memory // 4)
    try:
        sent = time.time()
        response = await pool.send(request, None, no_interim)
        now = time.time()
        try:
            read, ended, beginning = await _read(response, limit)
        finally:
            response.close()
    finally:
        await pool.close()
    arrived = Arrived(received(response.head, now), sent, max(sent, now), response.length)
    return Had(request, arrived, read, ended, limit, beginning)


async def _read(response: UpstreamResponse, limit: int) -> tuple[int, bool, bytes]:
    """How many bytes of content came, whether that was all, and the first of them."""
    count, beginning = 0, bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            while data := await response.read():
                count += len(data)
                beginning += data[: BEGINNING - len(beginning)]
                if count > limit:
                    return count, False, bytes(beginning)
    except TimeoutError:
        return count, False, bytes(beginning)
    return count, True, bytes(beginning)
