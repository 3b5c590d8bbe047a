"""One GiB up or down leaves the proxy small: content streams both ways, with back-pressure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.real.running import Running, pellucid

GIB = 1 << 30
PIECE = b"0123456789abcdef" * (1 << 14)
ROOM = 100 << 20


@contextlib.asynccontextmanager
async def large_origin() -> AsyncIterator[str]:
    """Sends a GiB for GET, with or without saying so before; counts what it gets for PUT."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"PUT"):
                received = 0
                while received < GIB:
                    received += len(await reader.read(1 << 18))
                answer = b"%d" % received
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
            else:
                known = b"Content-Length: %d\r\n" % GIB if b"/known" in head else b"Connection: close\r\n"
                writer.write(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n" + known + b"\r\n")
                for _ in range(GIB // len(PIECE)):
                    writer.write(PIECE)
                    await writer.drain()
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def download(proxy: Running, target: str) -> int:
    """The number of bytes of content, without decoding its framing more than needed to count them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, limit=1 << 20)
    writer.write(f"GET {target} HTTP/1.0\r\nHost: a.example\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    total = 0
    while data := await reader.read(1 << 20):
        total += len(data)
    writer.close()
    await writer.wait_closed()
    return total


@pytest.mark.parametrize("target", ["/known", "/unknown"])
async def test_a_gib_down(tmp_path: Path, target: str) -> None:
    async with large_origin() as origin, pellucid(origin, tmp_path) as proxy:
        assert await download(proxy, target) == GIB
        assert proxy.peak_memory() < ROOM
        [record] = await proxy.records_of(1)
        assert record["response"]["content_bytes"] == GIB
        assert record["decision"]["stored"] is False


async def test_a_gib_up(tmp_path: Path) -> None:
    async with large_origin() as origin, pellucid(origin, tmp_path) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"PUT /up HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n" % GIB)
        for _ in range(GIB // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(10) == b"%d" % GIB
        assert proxy.peak_memory() < ROOM
        writer.close()
        await writer.wait_closed()
