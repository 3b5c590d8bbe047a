"""How long it takes to purge a tag that very many stored responses have: `python scripts/purging.py 1000000`.

The store of a proxy is filled in this process; what is measured is a POST to its admin address, from the
first byte to the last, and how long other requests take meanwhile and for three seconds after it.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp
from aiohttp import web

from proxy.caching.tags import tag_label
from proxy.commands.comparing.stores.filling import fill
from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.storage.settings import StorageSettings
from proxy.upstream.address import Server
from proxy.visibility.redaction import Redaction

LABELS = (tag_label(b"everything"),)


async def main(count: int) -> None:
    app = web.Application()
    app.router.add_get("/{path:.*}", lambda _: _answer())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = Settings(storage=StorageSettings(memory=4 << 30))
    proxy = Proxy(settings, Server("http", "127.0.0.1", runner.addresses[0][1]), log=None, terminal=None)
    host, port = await proxy.start(("127.0.0.1", 0))
    admin = "http://{}:{}/purge".format(*await proxy.start_admin(("127.0.0.1", 0), Redaction()))
    async with aiohttp.ClientSession() as session:
        for wish in ({"soft": True, "tags": ["everything"]}, {"tags": ["everything"]}, {"match": ["/9+$"]}):
            await fill(proxy._store, count, LABELS)
            await _measure(session, admin, f"http://{host}:{port}/hot", wish)
    await proxy.stop()
    await runner.cleanup()


async def _answer() -> web.Response:
    return web.Response(text="hot", headers={"Cache-Control": "max-age=600"})


async def _measure(session: aiohttp.ClientSession, admin: str, hot: str, wish: dict[str, object]) -> None:
    slowest, done = 0.0, asyncio.Event()

    async def others() -> None:
        nonlocal slowest
        while not done.is_set():
            began = time.perf_counter()
            async with session.get(hot) as response:
                await response.read()
            slowest = max(slowest, time.perf_counter() - began)

    asking = asyncio.create_task(others())
    await asyncio.sleep(0.2)
    slowest = 0.0
    began = time.perf_counter()
    async with session.post(admin, json=wish) as response:
        told = await response.json()
    took = time.perf_counter() - began
    await asyncio.sleep(3)
    done.set()
    await asking
    print(
        f"{wish}: {told['entries']} in {took * 1000:.1f} ms; "
        f"another request took {slowest * 1000:.1f} ms at most"
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
