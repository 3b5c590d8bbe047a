"""What is told of exchanges, and where nobody listens."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from tests.attack.conftest import Attacked
from tests.real.running import free_port
from tests.server.served import Wire


async def test_times_are_told_to_the_microsecond(attacked: Attacked) -> None:
    wire = Wire(*await asyncio.open_connection(*attacked.address))
    for _ in range(20):
        await wire.send(b"GET /?cc=no-store HTTP/1.1\r\nHost: a.example\r\n\r\n")
        await wire.answer()
    await wire.close()
    await attacked.quiet()
    for account in attacked.kept.accounts:
        assert account.duration is not None
        assert account.first_byte is not None
        assert account.upstream_first_byte is not None
        assert 0 < account.upstream_first_byte < account.first_byte <= account.duration
    durations = [round((account.duration or 0) * 1e6) for account in attacked.kept.accounts]
    assert any(microseconds % 1000 for microseconds in durations)


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full", ">&- 2>&- --log -"])
def test_it_serves_although_nobody_hears_what_it_says(streams: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    arguments = f"-m proxy serve --upstream http://127.0.0.1:1 --listen {address} --watch always"
    with subprocess.Popen(["sh", "-c", f"exec {sys.executable} {arguments} {streams}"]) as process:
        try:
            assert asyncio.run(answered(address)).startswith(b"HTTP/1.1 502 ")
        finally:
            process.terminate()
        assert process.wait(15) == 0


async def answered(address: str) -> bytes:
    """The status line that comes of a request, as soon as somebody listens."""
    host, port = address.split(":")
    async with asyncio.timeout(20):
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, int(port))
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
                continue
            writer.write(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return line
