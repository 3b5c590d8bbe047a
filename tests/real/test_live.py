"""What stays open: WebSockets, server-sent events and long polls pass through as they happen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.real.running import pellucid


@contextlib.asynccontextmanager
async def live_origin(told: asyncio.Queue[str]) -> AsyncIterator[str]:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data.upper())
            elif message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        )
        await response.prepare(request)
        while (event := await told.get()) != "end":
            await response.write(f"data: {event}\n\n".encode())
        return response

    async def poll(request: web.Request) -> web.Response:
        return web.Response(text=await told.get())

    app = web.Application()
    app.add_routes([web.get("/echo", echo), web.get("/events", events), web.get("/poll", poll)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    finally:
        await runner.cleanup()


async def test_a_websocket_echo(tmp_path: Path) -> None:
    async with (
        live_origin(asyncio.Queue()) as origin,
        pellucid(origin, tmp_path) as proxy,
        aiohttp.ClientSession() as client,
    ):
        async with client.ws_connect(f"{proxy.url}/echo") as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "HELLO"
            await socket.send_bytes(b"\x00" * 300_000)
            assert await socket.receive_bytes() == b"\x00" * 300_000
        [record] = await proxy.records_of(1)
        assert record["response"]["status"] == 101
        assert record["response"]["content_bytes"] > 300_000


async def test_events_arrive_one_by_one(tmp_path: Path) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with (
        live_origin(told) as origin,
        pellucid(origin, tmp_path) as proxy,
        aiohttp.ClientSession() as client,
    ):
        told.put_nowait("first")
        async with client.get(f"{proxy.url}/events") as response:
            assert await response.content.readuntil(b"\n\n") == b"data: first\n\n"
            for event in ("second", "third"):
                told.put_nowait(event)
                assert await response.content.readuntil(b"\n\n") == f"data: {event}\n\n".encode()
            told.put_nowait("end")
            assert await response.content.read() == b""


async def test_a_long_poll_is_answered_when_there_is_something(tmp_path: Path) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with (
        live_origin(told) as origin,
        pellucid(origin, tmp_path) as proxy,
        aiohttp.ClientSession() as client,
    ):
        asking = asyncio.ensure_future(client.get(f"{proxy.url}/poll"))
        await asyncio.sleep(0.2)
        assert not asking.done()
        told.put_nowait("news")
        response = await asking
        assert await response.text() == "news"
