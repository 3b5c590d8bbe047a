"""The origin server's process: `python -m proxy.commands.comparing.origin.process`.

It listens on an ephemeral port of loopback, prints that port, and serves until its standard input ends. It
does as little as an HTTP server can for the requests that proxies forward: it is not what is measured.
`GET /-/count` tells how many requests there were, `/-/count?TARGET` how many for one target.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import Counter
from email.utils import formatdate
from typing import cast
from urllib.parse import unquote

from proxy.commands.comparing.origin.content import (
    COLD_SECONDS,
    ITEMS,
    content,
    head,
    item,
    private,
    versioned,
)

COUNT = "/-/count"
_BUFFER = 16 << 20


class Origin:
    """What all connections share: the counts, and the date to the second."""

    def __init__(self) -> None:
        self.requests = 0
        self.single: Counter[str] = Counter()
        self._second = 0
        self._start = b""
        self._answers: dict[bytes, tuple[bytes, bytes]] = {}

    def answer(self, target: bytes) -> tuple[bytes, ...]:
        """The pieces of a whole answer, as they go out."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._start = b"HTTP/1.1 200 OK\r\nDate: " + formatdate(second, usegmt=True).encode() + b"\r\n"
        if target.startswith(b"/version/"):
            name = target.decode("latin-1")
            self.single[name] += 1
            return (self._start, *versioned(name, self.single[name]))
        ready = self._answers.get(target)
        if ready is None:
            name = target.decode("latin-1")
            body = content(name)
            if body is None:
                return (b"HTTP/1.1 404 Not Found\r\n", head(name))
            ready = (head(name), body)
            self._answers[target] = ready
        return (self._start, *ready)

    def count(self, target: bytes) -> bytes:
        """The answer to a question for a count."""
        _, asked, which = target.decode("latin-1").partition("?")
        number = self.single[unquote(which)] if asked else self.requests
        body = str(number).encode()
        return b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )


class Connection(asyncio.Protocol):
    """One connection of a proxy: requests without content, one after another or several at once."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_BUFFER)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        *heads, self._rest = data.split(b"\r\n\r\n")
        for one in heads:
            parts = one.split(b" ", 2)
            if len(parts) == 3:
                self._asked(parts[1], parts[0] == b"HEAD", b"\r\nconnection: close" in parts[2].lower())

    def _asked(self, target: bytes, only_head: bool, last: bool) -> None:
        if target.startswith(b"/-/"):
            self._write((self._origin.count(target),), last)
            return
        self._origin.requests += 1
        if target.startswith(b"/cold/"):
            self._origin.single[target.decode("latin-1")] += 1
            loop = asyncio.get_running_loop()
            loop.call_later(COLD_SECONDS, self._write, self._origin.answer(target), last)
            return
        answer = self._origin.answer(target)
        self._write(answer[:2] if only_head else answer, last)

    def _write(self, pieces: tuple[bytes, ...], last: bool) -> None:
        if self._transport is None:
            return  # whoever asked has left
        self._transport.write(b"".join(pieces))
        if last:
            self._transport.close()


async def serve() -> None:
    """Listen, say where, and serve until standard input ends."""
    origin = Origin()
    for number in range(ITEMS):
        origin.answer(item(number).encode())
        origin.answer(private(number).encode())
    gc.freeze()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(origin), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


def main() -> None:
    """Serve on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()
