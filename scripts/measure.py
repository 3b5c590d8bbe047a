"""Measures what the README states, side by side in one run: `python scripts/measure.py [SECONDS]`.

Each server is a process of its own on loopback; the load comes from this process, over 32 kept connections.
Processor time is the server's own, user and system, read before and after: it's steadier than requests per
second on a machine that does other things too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")
READY = re.compile(rb"http://127\.0\.0\.1:([0-9]+)")
CONSTANT = """
import asyncio, uvloop
from aiohttp import web
async def answer(request): return web.Response(body=b"x" * 1024)
async def main():
    runner = web.ServerRunner(web.Server(answer), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()
uvloop.run(main())
"""
ORIGIN = CONSTANT.replace(
    'web.Response(body=b"x" * 1024)',
    'web.Response(body=b"x" * 1024, headers={"Cache-Control": request.query.get("cc", "no-store")})',
)


@contextlib.contextmanager
def server(*command: str) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """A process, the port that it printed, and the seconds until it did."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        found = READY.search(process.stdout.readline())
        assert found is not None, f"{command} did not start"
        yield process, int(found[1]), time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def processor_seconds(process: subprocess.Popen[bytes]) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def ask(port: int, target: str, until: float) -> int:
    """Ask again and again over one connection; how often it was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {target} HTTP/1.1\r\nHost: a.example\r\nUser-Agent: measure\r\n\r\n".encode()
    count = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await reader.readexactly(1024)
        count += 1
    writer.close()
    return count


async def microseconds(process: subprocess.Popen[bytes], port: int, target: str, seconds: float) -> float:
    """The server's processor time per request under load."""
    await ask(port, target, time.perf_counter() + 0.2)
    before, until = processor_seconds(process), time.perf_counter() + seconds
    counts = await asyncio.gather(*(ask(port, target, until) for _ in range(CONNECTIONS)))
    return (processor_seconds(process) - before) / sum(counts) * 1e6


async def main(seconds: float) -> None:
    """Three rounds in turn, and the median of each."""
    with (
        server("-c", CONSTANT) as (constant, constant_port, _),
        server("-c", ORIGIN) as (_, origin_port, _),
        server(
            *("-m", "proxy", "serve", "--upstream", f"http://127.0.0.1:{origin_port}"),
            *("--listen", "127.0.0.1:0", "--log", "/dev/null"),
        ) as (proxy, proxy_port, start),
    ):
        rows = {
            "aiohttp alone, a constant answer": (constant, constant_port, "/"),
            "Pellucid, a hit, with its record": (proxy, proxy_port, "/?cc=max-age%3D600"),
            "Pellucid, passed through, with its record": (proxy, proxy_port, "/"),
        }
        found: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(3):
            for name, (process, port, target) in rows.items():
                found[name].append(await microseconds(process, port, target, seconds))
        base = statistics.median(found["aiohttp alone, a constant answer"])
        for name, values in found.items():
            middle = statistics.median(values)
            spread = f"{min(values):.0f} to {max(values):.0f}"
            print(
                f"{name:<44} {middle:6.0f} µs of processor time per request ({spread}), {middle / base:.1f} ×"
            )
        print(f"{'from the command to accepting connections':<44} {start:6.2f} s")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0))
