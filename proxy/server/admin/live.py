"""Exchanges as they end, as server-sent events (HTML Living Standard §9.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from aiohttp import hdrs, web

from proxy.server.admin.recent import Exchange, Recent, Seen

Line = Callable[[Exchange], bytes]
"""Gives one exchange as its line of JSON, redacted."""

PAUSE = 0.25
"""Seconds between two looks: with at most 100 exchanges a look, watching stays cheap whatever the load."""

SILENCE = 15.0
"""Seconds after which a comment is sent, so that a connection that is gone is noticed."""

PATIENCE = 30.0
"""Seconds that a watcher may take to read before it is given up."""

_AT_A_TIME = 20

_log = logging.getLogger(__name__)


async def lines(accounts: Sequence[Exchange], line: Line) -> AsyncIterator[bytes]:
    """Each exchange as a line without its end. Other work gets its turn in between."""
    for number, account in enumerate(accounts):
        if number % _AT_A_TIME == _AT_A_TIME - 1:
            await asyncio.sleep(0)
        yield line(account).rstrip(b"\n")


async def live(request: web.Request, recent: Recent, line: Line) -> web.StreamResponse:
    """Answer with an event `exchange` for each exchange, and `lost` with the number of those left out.

    It ends when the client goes, reads nothing for long, or the admin address closes. Raises TooManyWatchers.
    """
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8"})
    if request.method == hdrs.METH_HEAD:
        return response
    with recent.watch() as watcher:
        await response.prepare(request)
        try:
            await _send(request, response, b"retry: 2000\n\n")
            while not watcher.closed and request.transport is not None:
                try:
                    async with asyncio.timeout(SILENCE):
                        seen = await watcher.look()
                except TimeoutError:
                    await _send(request, response, b": nothing new\n\n")
                    continue
                await _send(request, response, await _events(seen, line))
                await asyncio.sleep(PAUSE)
        except (ConnectionError, TimeoutError):
            pass  # it went, which is how watching usually ends
        except Exception:
            _log.exception("the live stream of exchanges broke off")
            _cut(request)  # an answer that has begun can't turn into another
    return response


async def _events(seen: Seen, line: Line) -> bytes:
    events = [b"event: lost\ndata: %d\n\n" % seen.lost] if seen.lost else []
    events += [b"event: exchange\ndata: %b\n\n" % data async for data in lines(seen.accounts, line)]
    return b"".join(events)


async def _send(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Raises TimeoutError, with the connection cut, where the client does not read."""
    try:
        async with asyncio.timeout(PATIENCE):
            await response.write(data)
    except TimeoutError:
        _cut(request)
        raise


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
