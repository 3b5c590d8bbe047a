"""Asks a server whether it is well."""

from __future__ import annotations

import asyncio

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.address import Server
from proxy.upstream.contract import UpstreamError
from proxy.upstream.fleet.settings import BalanceSettings
from proxy.upstream.pool import Pool

PATIENCE = 2.0
"""Seconds that a check may take."""

_LARGEST = 1 << 20


async def check(pool: Pool, server: Server, rules: BalanceSettings) -> str | None:
    """Why a server is not well, in a few words; None where it is.

    It has to answer a GET for `rules.check` with a status from 200 to 399; without one, to be connected to.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            if not rules.check:
                error = await pool.probe()
                return None if error is None else error.message
            return await _ask(pool, server, rules.check)
    except TimeoutError:
        return f"no answer to a check within {PATIENCE:g} s"
    except UpstreamError as error:
        return error.message


async def _ask(pool: Pool, server: Server, path: str) -> str | None:
    fields = Fields([(b"Host", server.authority), (b"User-Agent", b"pellucid-check"), (b"Accept", b"*/*")])
    request = Request(
        b"GET", path.encode(), fields, scheme=server.scheme.encode(), authority=server.authority
    )
    response = await pool.send(request, None, _ignored)
    try:
        count = 0
        while count < _LARGEST and (data := await response.read()):
            count += len(data)
    finally:
        response.close()
    status = response.head.status
    return None if 200 <= status < 400 else f"it answers a check with {status}"


async def _ignored(_: Response) -> None:
    return None
