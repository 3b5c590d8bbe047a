"""Clients that keep connections busy with as little as they can: they are let go, nobody waits for them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
import pytest_asyncio

from proxy.server.configuration import Settings
from proxy.server.settings import ServerSettings
from tests.attack.conftest import Attacked
from tests.server.served import Wire

IMPATIENT = ServerSettings(header_time=0.3, content_time=0.3, idle=0.3, stall=0.3, linger=0.1)
MANY = 60


@pytest_asyncio.fixture
async def impatient() -> AsyncIterator[Attacked]:
    """A proxy that waits for a third of a second where others wait for a minute."""
    attacked = Attacked(Settings(server=IMPATIENT))
    await attacked.start()
    try:
        yield attacked
        await attacked.quiet()
        assert attacked.left_over() == {}
    finally:
        await attacked.stop()


async def drip(wire: Wire, beginning: bytes, drop: bytes) -> bytes:
    """Send `drop` again and again until the proxy has had enough; what it said."""
    await wire.send(beginning)
    said = asyncio.create_task(wire.rest())
    with suppress(ConnectionError):
        while not said.done():
            await wire.send(drop)
            await asyncio.wait((said,), timeout=0.05)
    return await said


async def slow_head(wire: Wire) -> None:
    said = await drip(wire, b"GET / HTTP/1.1\r\nHost: a.example\r\n", b"X: y\r\n")
    assert not said or said.startswith(b"HTTP/1.1 408 ")


async def slow_line(wire: Wire) -> None:
    assert not (await drip(wire, b"GET /", b"x")).startswith(b"HTTP/1.1 200 ")


async def silent_content(wire: Wire) -> None:
    await wire.send(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\nabc")
    assert not (await wire.rest()).startswith(b"HTTP/1.1 200 ")


async def silent_chunks(wire: Wire) -> None:
    await wire.send(b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
    assert not (await wire.rest()).startswith(b"HTTP/1.1 200 ")


async def idle(wire: Wire) -> None:
    assert await wire.rest() == b""


async def huge_line(wire: Wire) -> None:
    with suppress(ConnectionError):
        await wire.send(b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert (await wire.rest()).startswith(b"HTTP/1.1 414 ")


async def many_fields(wire: Wire) -> None:
    with suppress(ConnectionError):
        await wire.send(b"GET / HTTP/1.1\r\nHost: a.example\r\n" + b"X: y\r\n" * 50_000)
        assert (await wire.rest()).startswith(b"HTTP/1.1 431 ")


async def never_reads(wire: Wire) -> None:
    """Pipelines requests for much, and takes nothing of it."""
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    with suppress(ConnectionError):
        await wire.send(b"GET /large?size=3000000&cc=max-age%3D60 HTTP/1.1\r\nHost: a.example\r\n\r\n" * 3)


KINDS = (slow_head, slow_line, silent_content, silent_chunks, idle, huge_line, many_fields, never_reads)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_others_are_served_meanwhile_and_nothing_is_left(
    impatient: Attacked, kind: Callable[[Wire], Awaitable[None]]
) -> None:
    async def client() -> Wire:
        wire = Wire(*await asyncio.open_connection(*impatient.address, limit=1 << 16))
        wire.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(ConnectionError):
            await kind(wire)
        return wire

    slow = asyncio.gather(*(client() for _ in range(MANY)))
    honest = 0
    while not slow.done() or honest < 5:
        wire = Wire(*await asyncio.open_connection(*impatient.address))
        await wire.send(b"GET /honest?size=200&cc=max-age%3D60 HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert (await wire.answer()).head.status == 200
        await wire.close()
        honest += 1
        await asyncio.sleep(0.02)
    await impatient.quiet()
    for wire in await slow:
        await wire.close()
