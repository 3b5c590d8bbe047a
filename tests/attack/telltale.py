"""An origin that says in every line whom it answers and what, and misbehaves where the target asks for it.

The target's query tells how: `cc`, `vary`, `cookie` and `etag` the fields of the response, `size` and `mode`
its content, and `cut`, `extra`, `body`, `early`, `hangup`, `interim`, `delay` and `status` what else is odd.
Where `scripts` knows the target, those bytes are sent, and nothing more until the proxy closes.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qsl

from proxy.message.fields import Fields

POISON = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nPOISON"
RESET = struct.pack("ii", 1, 0)


def who(fields: Fields) -> bytes:
    """The user that a request's credentials stand for."""
    return b"%b/%b" % (fields.get(b"authorization") or b"-", fields.get(b"cookie") or b"-")


class Telltale:
    """The server, on a port of its own; `requests` counts what reached it."""

    def __init__(self, seed: int = 1) -> None:
        self.port = 0
        self.requests = 0
        self.scripts: dict[bytes, bytes] = {}
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()
        while self._writers:  # noqa: ASYNC110 - each sees its end in a turn or two
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._answer(reader, writer):
                    pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self._writers.discard(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may come."""
        head = await reader.readuntil(b"\r\n\r\n")
        line, *lines = head[:-4].split(b"\r\n")
        method, target, _ = line.split(b" ")
        if target in self.scripts:
            writer.write(self.scripts[target])
            await reader.read()
            return False
        fields = Fields((name, value.strip()) for name, _, value in (line.partition(b":") for line in lines))
        wanted = dict(parse_qsl(target.partition(b"?")[2].decode()))
        content = b"" if "early" in wanted else await _content(reader, fields)
        self.requests += 1
        await asyncio.sleep(float(wanted.get("delay", 0)))
        message = self._message(method, target, fields, wanted, content)
        if "cut" in wanted:
            writer.write(message[: int(len(message) * float(wanted["cut"]))])
            await writer.drain()
            if self._random.random() < 0.5:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return False
        cut = self._random.randrange(len(message))
        for piece in (message[:cut], message[cut:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return not {"early", "hangup"} & wanted.keys() and wanted.get("mode") != "close"

    def _message(
        self, method: bytes, target: bytes, fields: Fields, wanted: Mapping[str, str], received: bytes
    ) -> bytes:
        user = who(fields)
        status = wanted.get("status", "200").encode()
        told = (user, self.requests, method, target, zlib.crc32(received))
        line = b"%b|%d|%b|%b|%08x\n" % told
        content = line * (int(wanted.get("size", "100")) // len(line) + 1)
        tag = b'"%08x"' % zlib.crc32(content)
        lines = [b"X-For: " + user, b"ETag: " + tag] if "etag" in wanted else [b"X-For: " + user]
        lines += [b"Cache-Control: " + wanted["cc"].encode()] if "cc" in wanted else []
        lines += [b"Vary: " + wanted["vary"].encode()] if "vary" in wanted else []
        lines += [b"Set-Cookie: for=" + user] if "cookie" in wanted else []
        framing, body = self._framed(wanted.get("mode", "length"), content)
        if "etag" in wanted and tag in (fields.get(b"if-none-match") or b""):
            status, framing, body = b"304", [], b""
        if (method == b"HEAD" or status in (b"204", b"304")) and "body" not in wanted:
            body = b""
        interim = b"HTTP/1.1 103 Early Hints\r\nX-For: %b\r\n\r\n" % user * int(wanted.get("interim", 0))
        head = b"\r\n".join([b"HTTP/1.1 " + status + b" Told", *lines, *framing, b"", b""])
        return interim + head + body + (POISON if "extra" in wanted else b"")

    def _framed(self, mode: str, content: bytes) -> tuple[list[bytes], bytes]:
        if mode == "length":
            return [b"Content-Length: %d" % len(content)], content
        if mode == "close":
            return [b"Connection: close"], content
        chunks, rest = [], content
        while rest:
            size = self._random.randint(1, 20000)
            chunks.append(b"%x\r\n%b\r\n" % (len(rest[:size]), rest[:size]))
            rest = rest[size:]
        return [b"Transfer-Encoding: chunked"], b"".join(chunks) + b"0\r\n\r\n"


async def _content(reader: asyncio.StreamReader, fields: Fields) -> bytes:
    if b"transfer-encoding" not in fields:
        return await reader.readexactly(int(fields.get(b"content-length") or 0))
    content = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return content
