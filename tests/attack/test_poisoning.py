"""Requests that are odd in what names their target: what they bring is nobody's answer who asked plainly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.server.settings import ServerSettings
from proxy.upstream.address import Server
from tests.server.served import Wire

HOST = b"Host: shop.example"
GET = b"GET %(path)b HTTP/1.1"


def message(*lines: bytes, content: bytes = b"") -> bytes:
    return b"\r\n".join((*lines, b"", content))


PLAIN = message(GET, HOST)
ODD = {
    "another host": message(GET, b"Host: evil.example"),
    "another port": message(GET, HOST + b":8080"),
    "a dot at the host's end": message(GET, HOST + b"."),
    "an absolute target with another host": message(b"GET http://evil.example%(path)b HTTP/1.1", HOST),
    "the right one with another Host": message(
        b"GET http://shop.example%(path)b HTTP/1.1", b"Host: evil.example"
    ),
    "another scheme": message(b"GET https://shop.example%(path)b HTTP/1.1", HOST),
    "two hosts": message(GET, HOST, b"Host: evil.example"),
    "a list of hosts": message(GET, HOST + b", evil.example"),
    "user information": message(b"GET http://shop.example@evil.example%(path)b HTTP/1.1", HOST),
    "a host with a path in it": message(GET, HOST + b"/evil"),
    "a space before the colon": message(GET, b"Host : evil.example", HOST),
    "a folded Host": message(GET, HOST, b" evil.example"),
    "X-Forwarded-Host": message(GET, HOST, b"X-Forwarded-Host: evil.example"),
    "X-Forwarded-Proto": message(GET, HOST, b"X-Forwarded-Proto: https"),
    "content": message(GET, HOST, b"Content-Length: 4", content=b"evil"),
    "chunks": message(GET, HOST, b"Transfer-Encoding: chunked", content=b"4\r\nevil\r\n0\r\n\r\n"),
    "HEAD": message(b"HEAD %(path)b HTTP/1.1", HOST),
    "another method": message(b"POST %(path)b HTTP/1.1", HOST, b"Content-Length: 4", content=b"evil"),
    "a method in other letters": message(b"get %(path)b HTTP/1.1", HOST),
    "a range": message(GET, HOST, b"Range: bytes=0-3"),
    "an upgrade": message(GET, HOST, b"Connection: upgrade", b"Upgrade: evil"),
    "what Connection takes away": message(GET, HOST, b"Connection: host, x-forwarded-host, forwarded"),
    "an encoded path": message(b"GET /%%69tems%(rest)b HTTP/1.1", HOST),
    "dots in the path": message(b"GET /evil/..%(path)b HTTP/1.1", HOST),
    "two slashes": message(b"GET /%(path)b HTTP/1.1", HOST),
    "a query": message(b"GET %(path)b?evil HTTP/1.1", HOST),
    "an empty query": message(b"GET %(path)b? HTTP/1.1", HOST),
    "HTTP/1.0": message(b"GET %(path)b HTTP/1.0", HOST),
    "HTTP/1.0 without a host": message(b"GET %(path)b HTTP/1.0"),
}


NOT_TOLD = (b"Via:", b"Range:", b"Connection:", b"Upgrade:")


class Mirror:
    """An origin that answers with what it was asked, and lets it be cached. It knows no ranges and
    no other protocol."""

    def __init__(self) -> None:
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                told = [line for line in head.split(b"\r\n") if not line.startswith(NOT_TOLD)]
                if b"content-length: 4" in head.lower():
                    told.append(await reader.readexactly(4))
                elif b"chunked" in head.lower():
                    told.append(await reader.readuntil(b"0\r\n\r\n"))
                body = b"" if head.startswith(b"HEAD ") else b"\n".join(told)
                length = len(b"\n".join(told))
                writer.write(
                    b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n%b"
                    % (length, body)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture(params=[False, True], ids=["own host", "keep host"])
async def mirrored(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, int]]:
    """A proxy's address; an origin that tells what it was asked is behind it."""
    mirror = Mirror()
    await mirror.start()
    settings = Settings(server=ServerSettings(keep_host=request.param, linger=0.1))
    proxy = Proxy(settings, Server("http", "127.0.0.1", mirror.port), log=None, terminal=None)
    try:
        yield await proxy.start(("127.0.0.1", 0))
    finally:
        await proxy.stop()
        await mirror.stop()


async def asked(address: tuple[str, int], head: bytes) -> bytes:
    """All that comes back over a connection of its own."""
    wire = Wire(*await asyncio.open_connection(*address))
    try:
        await wire.send(head)
        answer = await wire.answer(head.split(b" ", 1)[0])
        return answer.content
    except EOFError:
        return b""
    finally:
        await wire.close()


@pytest.mark.parametrize("times", [1, 4], ids=["once", "until it has a licence"])
async def test_who_asks_plainly_gets_what_a_plain_request_brings(
    mirrored: tuple[str, int], times: int
) -> None:
    """Also where each odd request was answered before it."""
    for number, (name, odd) in enumerate(ODD.items()):
        path, twin = b"/items/%03d" % number, b"/twins/%03d" % number
        for _ in range(times):
            await asked(mirrored, odd % {b"path": path, b"rest": path[6:]})
        plain = [await asked(mirrored, PLAIN % {b"path": path}) for _ in range(times)]
        alone = await asked(mirrored, PLAIN % {b"path": twin})
        assert set(plain) == {alone.replace(twin, path)}, name
        assert alone.startswith(b"GET /twins/"), name
        assert b"evil" not in alone


async def test_an_odd_request_gets_nothing_that_was_meant_for_another_host(mirrored: tuple[str, int]) -> None:
    for _ in range(4):
        await asked(mirrored, PLAIN % {b"path": b"/items"})
    for name in ("another host", "an absolute target with another host", "another port", "another scheme"):
        content = await asked(mirrored, ODD[name] % {b"path": b"/items", b"rest": b""})
        plain = await asked(mirrored, PLAIN % {b"path": b"/items"})
        assert content != plain or not content, name
