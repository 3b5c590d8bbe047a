"""Real processes on loopback: the proxy as a user starts it, and servers to put it in front of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY = re.compile(r"listens on http://([^/ ]+):([0-9]+)")


@dataclass
class Running:
    """A process that was started, with what it has printed so far."""

    process: asyncio.subprocess.Process
    port: int = 0
    log: Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def records(self) -> list[dict[str, Any]]:
        """The records written so far."""
        assert self.log is not None
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    async def records_of(self, count: int) -> list[dict[str, Any]]:
        """The records, once there are `count` of them: they are written off the path of the exchange."""
        async with asyncio.timeout(20):
            while len(self.records()) < count:  # noqa: ASYNC110 - nothing tells when a file has grown
                await asyncio.sleep(0.02)
        return self.records()

    def peak_memory(self) -> int:
        """The largest resident set so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmHWM:\s+([0-9]+) kB", status)
        assert match is not None
        return int(match[1]) * 1024


@contextlib.asynccontextmanager
async def pellucid(upstream: str, folder: Path, *arguments: str) -> AsyncIterator[Running]:
    """`pellucid serve` in front of `upstream` on a port of its own, ended with SIGTERM."""
    log = folder / "exchanges.jsonl"
    command = [sys.executable, "-m", "proxy", "serve", "--upstream", upstream]
    command += ["--listen", "127.0.0.1:0", "--log", str(log), *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    running = Running(process, log=log)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        match = READY.search(line)
        assert match is not None, f"the proxy did not start: {line!r}"
        running.port = int(match[2])
        yield running
    finally:
        await end(process)


@contextlib.asynccontextmanager
async def program(*command: str, port: int, cwd: Path | None = None) -> AsyncIterator[Running]:
    """Any server that was told to listen on `port` of loopback; entered once it accepts connections."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        await accepting(port, process)
        yield Running(process, port)
    finally:
        await end(process)


async def accepting(port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until somebody accepts connections on `port`."""
    async with asyncio.timeout(60):
        while True:
            assert process.returncode is None, "the server ended before it accepted connections"
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.05)


async def end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, and SIGKILL where that is not heeded."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(15):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
