"""Measures what the memory tier takes of the machine, against its budget.

    python scripts/memory.py flow [--responses 10000000] [--memory 256MiB]      straight through the store
    python scripts/memory.py fill [--responses 1000000]                         all of them stay
    python scripts/memory.py serve [--responses 1000000] [--memory 256MiB]      through `pellucid serve`

Each response is of 1 KB, has its own URL and 8 fields. The resident set is that of the whole process: of the
one that serves with `serve`, of this one with the others (less what it had before the store).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.process import return_large_blocks
from proxy.storage.memory.store import MemoryStore
from proxy.units import parse_size

CONNECTIONS = 32
NOW = 1_700_000_000.0
DIGEST = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
READY = re.compile(rb"http://127\.0\.0\.1:([0-9]+)")
MIB = 1 << 20


def resident(pid: int | str = "self") -> int:
    """The resident set of a process in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def response(number: int) -> StoredResponse:
    """A response of 1 KB as an API gives it, with what was asked."""
    request = Request(
        b"GET",
        b"/items/%d?page=2" % number,
        Fields([(b"Host", b"api.example.org"), (b"Accept", b"*/*"), (b"Accept-Encoding", b"gzip, br")]),
        authority=b"api.example.org",
    )
    fields = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"1024"),
        (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (b"Cache-Control", b"public, max-age=3600"),
        (b"ETag", b'"%032x"' % number),
        (b"Vary", b"Accept-Encoding"),
        (b"Server", b"gunicorn"),
        (b"X-Request-Id", b"%032x" % (number * 7919)),
    ]
    return StoredResponse(request, Response(200, Fields(fields), b"OK"), NOW + number, NOW + number, 1024)


async def put(store: MemoryStore, number: int) -> None:
    """One more response, which would be of use for a day."""
    writer = store.begin(b"GET http api.example.org /items/%d?page=2" % number, (), (), 1024)
    assert writer is not None
    writer.write(os.urandom(1024))
    stored = response(number)
    await writer.commit(stored, DIGEST, stored.response_time + 90_000)


async def through_store(responses: int, budget: int) -> None:
    """Put so many responses into one store, and say how much memory it takes meanwhile."""
    return_large_blocks()
    before = resident()
    store = MemoryStore(budget, 32 * MIB)
    peak, began = 0, time.perf_counter()
    print(f"{'responses':>12} {'held':>10} {'counted':>10} {'resident':>10}   of {budget / MIB:.0f} MiB")
    for number in range(1, responses + 1):
        await put(store, number)
        if number % 1000 == 0:
            await store.expire(NOW + number)
        if number % max(1, responses // 20) == 0:
            taken, figures = resident() - before, store.figures()
            peak = max(peak, taken)
            print(
                f"{number:12,} {figures.entries:10,} {figures.bytes / MIB:6.0f} MiB {taken / MIB:6.0f} MiB"
                f"   {taken / budget:.2f} ×",
                flush=True,
            )
    held = store.figures().entries
    print(f"{peak / held:,.0f} bytes resident for each of {held:,} held, at the most; ", end="")
    print(f"{(time.perf_counter() - began) / responses * 1e6:.0f} µs for each that passed")


ORIGIN = """
import asyncio, os, uvloop
BODY = os.urandom(700).hex()[:1024].encode()
HEAD = (b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 1024\\r\\nServer: m\\r\\n"
        b"Date: Sun, 06 Nov 2094 08:49:37 GMT\\r\\nCache-Control: public, max-age=3600\\r\\n"
        b"Vary: Accept-Encoding\\r\\nETag: \\"%032x\\"\\r\\n\\r\\n")
class Origin(asyncio.Protocol):
    count = 0
    def connection_made(self, transport): self.transport, self.rest = transport, b""
    def data_received(self, data):
        *whole, self.rest = (self.rest + data).split(b"\\r\\n\\r\\n")
        for _ in whole:
            Origin.count += 1
            self.transport.write(HEAD % Origin.count + BODY)
async def main():
    server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()
uvloop.run(main())
"""


@contextlib.contextmanager
def server(*command: str) -> Iterator[tuple[int, int]]:
    """A process: its id and the port that it printed."""
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        found = READY.search(process.stdout.readline())
        assert found is not None, f"{command} did not start"
        yield process.pid, int(found[1])
        assert process.poll() is None, f"{command} ended by itself with {process.returncode}"
    except ConnectionError as error:
        raise RuntimeError(f"{command}: {process.poll()} (None: it is still running)") from error
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


class Asking(asyncio.Protocol):
    """One connection that asks for one URL after the other; the numbers come from `numbers`."""

    def __init__(self, numbers: list[int], limit: int) -> None:
        self.numbers, self.limit, self.left = numbers, limit, 0
        self.ended = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("the proxy closed the connection"))

    def ask(self) -> None:
        self.numbers[0] += 1
        if self.numbers[0] > self.limit:
            self.ended.set_result(None)
            return
        self.transport.write(
            b"GET /items/%d?page=2 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: memory\r\n\r\n"
            % self.numbers[0]
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, content = self.buffer.partition(b"\r\n\r\n")
        if end and len(content) >= 1024:
            assert head.startswith(b"HTTP/1.1 200 "), head
            self.buffer = b""
            self.ask()


async def through_server(responses: int, memory: str) -> None:
    """Ask `pellucid serve` for so many URLs, and watch its resident set."""
    budget = parse_size(memory)
    with (
        server("-c", ORIGIN) as (_, origin),
        server(
            *("-m", "proxy", "serve", "--upstream", f"http://127.0.0.1:{origin}", "--memory", memory),
            *("--listen", "127.0.0.1:0", "--log", "/dev/null"),
        ) as (pid, port),
    ):
        print(f"before the first request: {resident(pid) / MIB:.0f} MiB resident")
        numbers, most, loop = [0], 0, asyncio.get_running_loop()
        asking = [
            (await loop.create_connection(lambda: Asking(numbers, responses), "127.0.0.1", port))[1].ended
            for _ in range(CONNECTIONS)
        ]
        steps = iter(range(1, 21))
        step = next(steps)
        whole = asyncio.gather(*asking)
        while not whole.done():
            await asyncio.wait((whole,), timeout=0.5)
            taken = resident(pid)
            most = max(most, taken)
            if numbers[0] >= responses * step // 20:
                print(
                    f"{min(numbers[0], responses):12,} {taken / MIB:6.0f} MiB   {taken / budget:.2f} ×",
                    flush=True,
                )
                step = next(steps, 21)
        await whole
        print(
            json.dumps(
                {"responses": responses, "memory": budget, "most_resident": most, "ratio": most / budget}
            )
        )


def main() -> None:
    """One of the three, as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("flow", "fill", "serve"))
    parser.add_argument("--responses", type=int)
    parser.add_argument("--memory", default="256MiB")
    wanted = parser.parse_args()
    if wanted.what == "flow":
        asyncio.run(through_store(wanted.responses or 10_000_000, parse_size(wanted.memory)))
    elif wanted.what == "fill":
        asyncio.run(through_store(wanted.responses or 1_000_000, 8 << 30))
    else:
        asyncio.run(through_server(wanted.responses or 1_000_000, wanted.memory))


if __name__ == "__main__":
    main()
