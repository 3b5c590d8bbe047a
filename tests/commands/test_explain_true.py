"""What is foretold comes true: in front of the same origin server, the proxy does what was said."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from proxy.commands.explaining.explanation import explain
from proxy.commands.explaining.fetching import fetch
from proxy.commands.explaining.shape import Explanation
from proxy.commands.explaining.situations import AUTHORIZATION, COOKIE
from proxy.commands.explaining.wanted import make_request, parse_url
from proxy.server.configuration import Settings
from proxy.visibility.redaction import Redaction
from tests.real.running import free_port, pellucid

RESPONSES: dict[str, dict[str, str]] = {
    "nothing": {},
    "lifetime": {"Cache-Control": "max-age=60", "ETag": '"a"'},
    "validated": {"Cache-Control": "no-cache", "ETag": '"a"'},
    "dated": {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"},
    "private": {"Cache-Control": "private, max-age=60"},
    "no-store": {"Cache-Control": "no-store"},
    "by-user": {"Cache-Control": "max-age=60", "Vary": "Cookie, Authorization", "ETag": '"a"'},
    "public": {"Cache-Control": "public, max-age=60"},
    "cookie": {"Set-Cookie": "a=b"},
    "any": {"Cache-Control": "max-age=60", "Vary": "*"},
    "stale": {"Cache-Control": "max-age=0, stale-while-revalidate=60", "ETag": '"a"'},
    "old": {"Cache-Control": "max-age=60", "Age": "100", "ETag": '"a"'},
}


async def origin(port: int) -> web.ServerRunner:
    async def answer(request: web.BaseRequest) -> web.Response:
        headers = RESPONSES[request.path.strip("/")]
        if "ETag" in headers and headers["ETag"] in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        if "Last-Modified" in headers and "If-Modified-Since" in request.headers:
            return web.Response(status=304, headers=headers)
        return web.Response(text="here", headers=headers)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def foretold(url: str) -> Explanation:
    server, target = parse_url(url)
    request = make_request(server, target, "GET", [])
    settings = Settings()
    return explain(await fetch(server, request, settings), settings.cache, Redaction())


USUAL = {"User-Agent": "pellucid/test", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br"}


def without_seconds(status: str | None) -> str:
    """Cache-Status but for what depends on the second in which it was said."""
    return re.sub(r"ttl=(-?)[0-9]+", r"ttl=\1N", status or "")


async def test_it_comes_true(tmp_path: Path) -> None:
    port = free_port()
    server = await origin(port)
    wrong: dict[str, object] = {}
    try:
        async with (
            pellucid(f"http://127.0.0.1:{port}", tmp_path) as proxy,
            aiohttp.ClientSession() as client,
        ):
            for name in RESPONSES:
                said = await foretold(f"http://127.0.0.1:{port}/{name}")
                wrong |= {
                    f"{name}, {what}": how
                    async for what, how in compared(client, f"{proxy.url}/{name}", said)
                }
    finally:
        await server.cleanup()
    assert wrong == {}


async def compared(
    client: aiohttp.ClientSession, url: str, said: Explanation
) -> AsyncIterator[tuple[str, object]]:
    """What the proxy said otherwise than was foretold, and both."""
    situations = {one.name: one.cache_status for one in said.situations}
    expected = [
        ("the first", (), said.storing.cache_status),
        ("cookie", (COOKIE,), situations["cookie"]),
        ("authorization", (AUTHORIZATION,), situations["authorization"]),
        ("again", (), situations["again"]),
    ]
    if not said.storing.stored:  # so that this one leaves nothing behind for those that follow
        expected.insert(0, ("authorization-first", (AUTHORIZATION,), situations["authorization-first"]))
    for name, lines, status in expected:
        headers = USUAL | {key.decode(): value.decode() for key, value in lines}
        async with client.get(url, headers=headers) as response:
            await response.read()
            found = response.headers["Cache-Status"]
        if without_seconds(found) != without_seconds(status):
            yield name, (found, status)
