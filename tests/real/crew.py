"""An origin that counts, a proxy of several workers, and what can be seen of its processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.real.running import Running, free_port, pellucid


class Origin:
    """Answers `name version`, after `slow` seconds; a POST makes it the next version."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.port = 0  # from which it was asked last

    async def answer(self, request: web.Request) -> web.Response:
        path, query = request.path, request.query
        self.asked[path] += 1
        if request.transport is not None:
            self.port = request.transport.get_extra_info("peername")[1]
        if request.method == "POST":
            self.versions[path] += 1
            return web.Response(status=204)
        version = self.versions[path]
        await asyncio.sleep(float(query.get("slow", "0")))
        text = f"{path} {version} ".ljust(int(query.get("size", "0")), "x")
        return web.Response(text=text, headers={"Cache-Control": query.get("cc", "max-age=600")})


@asynccontextmanager
async def counting() -> AsyncIterator[Origin]:
    origin, app = Origin(), web.Application()
    app.router.add_route("*", "/{path:.*}", origin.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    origin.url = f"http://127.0.0.1:{port}"
    try:
        yield origin
    finally:
        await runner.cleanup()


class Crew:
    """A running proxy with its workers, and one client that comes over a new connection each time."""

    def __init__(self, running: Running, admin: str, http: aiohttp.ClientSession) -> None:
        self.running = running
        self.url = running.url
        self.admin = admin
        self.http = http

    @property
    def processes(self) -> list[int]:
        """Those that the parent has started, in the order in which it has."""
        parent = self.running.process.pid
        return [int(one) for one in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]

    def kill(self, process: int, number: int = signal.SIGKILL) -> None:
        os.kill(process, number)

    async def get(self, target: str, **options: object) -> tuple[int, str]:
        async with self.http.get(f"{self.url}{target}", **options) as answer:  # type: ignore[arg-type]
            return answer.status, await answer.text()

    async def get_often(self, target: str, times: int) -> list[tuple[int, str]]:
        """One after the other, so that in the end every worker was asked."""
        return [await self.get(target) for _ in range(times)]

    async def figures(self) -> dict[str, dict[str, object]]:
        async with self.http.get(f"{self.admin}/figures") as answer:
            found: dict[str, dict[str, object]] = await answer.json()
            return found


@asynccontextmanager
async def crew(origin: Origin, folder: Path, *arguments: str, workers: int = 2) -> AsyncIterator[Crew]:
    admin = f"127.0.0.1:{free_port()}"
    given = ("--workers", str(workers), "--admin", admin, *arguments)
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with (
        pellucid(origin.url, folder, *given) as running,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        yield Crew(running, f"http://{admin}", http)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that nothing tells of."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def gone(process: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
