"""aiohttp alone: `python -m proxy.commands.comparing.contenders.aiohttp_process PORT ORIGIN LOG`.

Under /private/ it asks the origin with a `ClientSession` and passes the answer through; for every other
target it has the content at hand. It is what aiohttp needs where no proxy and no cache is around it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from aiohttp import ClientSession, TCPConnector, web

from proxy.commands.comparing.contenders.contract import IDLE
from proxy.commands.comparing.origin.content import content

_LENT = ("Content-Type", "Cache-Control", "ETag", "Last-Modified")


class Server:
    """Answers each request, by one of the two ways."""

    def __init__(self, origin: str, session: ClientSession) -> None:
        self._origin = origin
        self._session = session

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to one request."""
        if request.path.startswith("/private/"):
            async with self._session.get(self._origin + request.path) as given:
                body = await given.read()
                fields = {name: given.headers[name] for name in _LENT if name in given.headers}
                return web.Response(status=given.status, body=body, headers=fields)
        known = content(request.path)
        if known is None:
            return web.Response(status=404)
        fields = {"Content-Type": "application/json", "Cache-Control": "public, max-age=3600"}
        return web.Response(body=known, headers={**fields, "Vary": "Accept-Encoding"})


async def serve(port: int, origin: str, log: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    handler = logging.FileHandler(log)
    access = logging.getLogger("aiohttp.access")
    access.addHandler(handler)
    access.setLevel(logging.INFO)
    access.propagate = False
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with ClientSession(connector=TCPConnector(limit=256, keepalive_timeout=IDLE)) as session:
        server = web.Server(Server(origin, session).answer, access_log=access, keepalive_timeout=IDLE)
        runner = web.ServerRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
        await stopped.wait()
        await runner.cleanup()
    handler.close()


def main(arguments: list[str]) -> None:
    """Serve on uvloop where there is one."""
    port, origin, log = arguments
    serving = serve(int(port), f"http://127.0.0.1:{origin}", log)
    try:
        import uvloop
    except ImportError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)


if __name__ == "__main__":
    main(sys.argv[1:])
