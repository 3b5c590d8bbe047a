"""Origins that send what is no response: a clear answer or a visibly broken one, and a record of each."""

from __future__ import annotations

import asyncio

import pytest

from proxy.message.problems import reason_phrase
from tests.attack.conftest import Attacked
from tests.server.served import Wire

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"

ANSWERED = {
    "nothing": (b"", 504),
    "garbage": (b"\x00\xff garbage \r\n\r\n", 502),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", 502),
    "another version": (b"HTTP/2 200 OK\r\n\r\n", 502),
    "half a head": (OK + b"Content-Length: 5\r\n", 504),
    "two status lines": (OK + OK + b"Content-Length: 2\r\n\r\nok", 502),
    "a huge head": (OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n", 502),
    "a thousand fields": (OK + b"X: y\r\n" * 1000 + b"\r\n", 502),
    "a negative length": (OK + b"Content-Length: -2\r\n\r\nok", 502),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", 502),
    "a length and chunks": (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502),
    "a coding that nobody knows": (OK + b"Transfer-Encoding: zip, chunked\r\n\r\n0\r\n\r\n", 502),
    "a switch that nobody asked for": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 502),
    "hints without end": (b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 20_000, 502),
    "a carriage return in a value": (OK + b"X: a\rb\r\nContent-Length: 0\r\n\r\n", 502),
}

BROKEN = {
    "less than was announced": OK + b"Content-Length: 100\r\n\r\n0123456789",
    "a chunk that is none": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
    "chunks that stop": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "silence before the end": OK
    + b"Cache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "less, to be kept": OK + b"Cache-Control: max-age=60\r\nContent-Length: 100\r\n\r\n0123456789",
}


@pytest.mark.parametrize("name", ANSWERED)
async def test_what_is_no_response_is_answered_for(attacked: Attacked, name: str) -> None:
    script, status = ANSWERED[name]
    attacked.origin.scripts[b"/odd"] = script
    wire = Wire(*await asyncio.open_connection(*attacked.address))
    await wire.send(b"GET /odd HTTP/1.1\r\nHost: a.example\r\n\r\n")
    answer = await wire.answer()
    assert answer.head.status == status
    assert reason_phrase(status).encode() in answer.content
    assert b"error=" in (answer.field(b"proxy-status") or b"")
    await wire.send(b"GET /?size=100 HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert (await wire.answer()).head.status == 200
    await wire.close()
    await attacked.quiet()
    first, second = attacked.kept.accounts
    assert (first.complete, second.complete) == (True, True)
    assert first.error
    assert first.attempts == 1


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_what_breaks_off_is_seen_to_break_off(attacked: Attacked, name: str, version: bytes) -> None:
    attacked.origin.scripts[b"/odd"] = BROKEN[name]
    wire = Wire(*await asyncio.open_connection(*attacked.address))
    await wire.send(b"GET /odd HTTP/%b\r\nHost: a.example\r\n\r\n" % version)
    with pytest.raises((EOFError, ConnectionError)):
        await wire.answer()
    await wire.close()
    await attacked.quiet()
    [account] = attacked.kept.accounts
    assert not account.complete
    assert account.error
    assert attacked.proxy._store.figures().entries == 0


async def test_what_is_compressed_is_not_looked_into(attacked: Attacked) -> None:
    bomb = b"\x1f\x8b" + b"\x00" * 1000
    head = b"Content-Encoding: gzip\r\nCache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    attacked.origin.scripts[b"/bomb"] = OK + head + bomb
    wire = Wire(*await asyncio.open_connection(*attacked.address))
    for _ in range(2):
        await wire.send(b"GET /bomb HTTP/1.1\r\nHost: a.example\r\n\r\n")
        answer = await wire.answer()
        assert (answer.content, answer.field(b"content-encoding")) == (bomb, b"gzip")
    await wire.close()


@pytest.mark.parametrize("keep", [b"", b"Cache-Control: max-age=60\r\n"])
@pytest.mark.parametrize("framing", [b"Content-Length: 9999999999\r\n", b""])
async def test_an_endless_response_ends_with_its_client(
    attacked: Attacked, keep: bytes, framing: bytes
) -> None:
    attacked.origin.scripts[b"/endless"] = OK + keep + framing + b"\r\n" + b"x" * 5_000_000
    wire = Wire(*await asyncio.open_connection(*attacked.address, limit=1 << 10))
    await wire.send(b"GET /endless HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert (await wire.head()).status == 200
    await wire.reset()
    await attacked.quiet()
    assert attacked.proxy._store.figures().bytes == 0
