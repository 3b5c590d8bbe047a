"""Many who read along while one response comes in, over real connections."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.server.configuration import Settings
from tests.attack.conftest import Attacked
from tests.server.served import Wire

SIZE = 4_000_000


@pytest.fixture
def settings() -> Settings:
    """It waits for as long as it takes: on a busy machine a second is over before the origin has its turn."""
    return Settings()


async def connected(attacked: Attacked, *, window: int = 0) -> Wire:
    """A client; with a `window`, one that takes only so many bytes at a time off the network."""
    sock = socket.socket()
    if window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, attacked.address)
    return Wire(*await asyncio.open_connection(sock=sock, limit=window or 1 << 20))


def asking(target: bytes, *lines: bytes, method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: a.example", *lines, b"", b""])


async def test_who_reads_nothing_holds_up_nobody(attacked: Attacked) -> None:
    target = b"/?cc=max-age%%3D60&delay=0.2&size=%d" % SIZE
    wires = [await connected(attacked, window=4096 if number % 2 == 0 else 0) for number in range(20)]
    for wire in wires:
        await wire.send(asking(target))
    readers = [wire.answer() for wire in wires[1::2]]
    answers = await asyncio.gather(*readers)
    assert attacked.origin.requests == 1
    assert len({answer.content for answer in answers}) == 1
    assert len(answers[0].content) >= SIZE
    late = await wires[0].answer()  # the first of all, who led the others
    assert late.content == answers[0].content
    for wire in wires:
        await wire.close()


@pytest.mark.parametrize("mode", [b"length", b"chunked"])
async def test_a_break_is_seen_by_each_and_by_none_as_an_end(attacked: Attacked, mode: bytes) -> None:
    target = b"/?cc=max-age%%3D60&delay=0.2&size=1000000&cut=0.5&mode=%b" % mode

    async def client() -> bool:
        wire = await connected(attacked)
        try:
            await wire.send(asking(target))
            await wire.answer()
        except (EOFError, ConnectionError):
            return True
        finally:
            await wire.close()
        return False

    assert await asyncio.gather(*(client() for _ in range(50))) == [True] * 50
    assert attacked.proxy._store.figures().entries == 0


async def test_the_first_may_leave_before_there_is_anything(attacked: Attacked) -> None:
    target = b"/?cc=max-age%3D60&delay=0.3&size=1000"
    first = await connected(attacked)
    await first.send(asking(target))
    await asyncio.sleep(0.05)
    others = [await connected(attacked) for _ in range(10)]
    for wire in others:
        await wire.send(asking(target))
    await asyncio.sleep(0.05)
    await first.reset()
    answers = await asyncio.gather(*(wire.answer() for wire in others))
    assert attacked.origin.requests == 1
    assert {answer.head.status for answer in answers} == {200}
    for wire in others:
        await wire.close()


async def test_each_gets_what_his_request_is_for(attacked: Attacked) -> None:
    target = b"/?cc=max-age%3D60&delay=0.2&size=100000&etag=1"
    lines = [(), (b"Range: bytes=100-199",), (b"If-None-Match: *",), (b"Range: bytes=-5",)]

    async def client(number: int) -> tuple[int, bytes]:
        wire = await connected(attacked)
        method = b"HEAD" if number % 5 == 4 else b"GET"
        await wire.send(asking(target, *(lines[number % 5] if method == b"GET" else ()), method=method))
        answer = await wire.answer(method)
        await wire.close()
        return answer.head.status, answer.content

    leader = asyncio.ensure_future(client(0))
    await asyncio.sleep(0.05)
    told = await asyncio.gather(leader, *(client(number) for number in range(1, 100)))
    whole = told[0][1]
    wanted = [(200, whole), (206, whole[100:200]), (304, b""), (206, whole[-5:]), (200, b"")]
    assert told == wanted * 20
    assert attacked.origin.requests == 1


async def test_those_who_can_not_share_go_to_the_origin_together(attacked: Attacked) -> None:
    target = b"/?cc=private&delay=0.2&size=10"

    async def client(number: int) -> bytes | None:
        wire = await connected(attacked)
        await wire.send(asking(target, b"Cookie: u=%d" % number))
        answer = await wire.answer()
        await wire.close()
        return answer.field(b"x-for")

    told = await asyncio.gather(*(client(number) for number in range(40)))
    assert told == [b"-/u=%d" % number for number in range(40)]
    assert attacked.origin.requests == 40
