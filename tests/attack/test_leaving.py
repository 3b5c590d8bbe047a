"""Clients that leave at every moment, politely or not: nothing is left behind of any of them."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from pathlib import Path

from tests.attack.conftest import Attacked
from tests.server.served import Wire

CLIENTS = 600
AT_ONCE = 100

TARGETS = [
    b"/?cc=max-age%3D60&size=200000&delay=0.02",
    b"/?cc=max-age%3D60&size=400000&mode=chunked",
    b"/?cc=private&size=3000",
    b"/?cc=max-age%3D60&size=2000000",
    b"/?cc=max-age%3D1&delay=0.3",
]


def some_request(chance: random.Random) -> bytes:
    target = chance.choice(TARGETS) + b"&n=%d" % chance.randrange(30)
    content = b"x" * chance.choice([10, 100_000])
    length = b"Content-Length: %d\r\n" % len(content)
    head = b" " + target + b" HTTP/1.1\r\nHost: a.example\r\n"
    return chance.choice(
        [
            b"GET" + head + b"\r\n",
            b"GET" + head + b"\r\n",
            b"POST" + head + length + b"\r\n" + content,
            b"QUERY" + head + length + b"\r\n" + content,
            b"PUT" + head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\ny\r\n" * 2000 + b"0\r\n\r\n",
            b"POST" + head + b"Expect: 100-continue\r\n" + length + b"\r\n",
            (b"GET" + head + b"\r\n") * 30,
            chance.randbytes(chance.randint(1, 2000)),
        ]
    )


async def visit(attacked: Attacked, chance: random.Random) -> None:
    """Send some of a request, or all of it, wait for some of the answer, or none, and leave."""
    wire = Wire(*await asyncio.open_connection(*attacked.address, limit=chance.choice([1 << 10, 1 << 20])))
    request = some_request(chance)
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(0.2):
            await wire.send(request[: chance.choice([chance.randrange(len(request)), len(request)])])
            manner = chance.random()
            if manner < 0.3:
                await asyncio.sleep(chance.random() * 0.05)
            elif manner < 0.6:
                await wire.reader.read(chance.randint(1, 100_000))
            elif manner < 0.7:
                wire.writer.write_eof()
                await wire.reader.read()
    await (wire.reset() if chance.random() < 0.5 else wire.close())


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0


async def test_nothing_is_left_of_clients_that_leave(attacked: Attacked) -> None:
    chance = random.Random(3)
    before = open_files()
    for _ in range(CLIENTS // AT_ONCE):
        await asyncio.gather(*(visit(attacked, chance) for _ in range(AT_ONCE)))
    await attacked.quiet()
    assert attacked.left_over() == {}
    kept_open = 2 * len(attacked.proxy._upstream._idle)  # both ends are in this process
    assert open_files() <= before + kept_open
    assert all(account.duration is not None for account in attacked.kept.accounts)
    assert any(not account.complete for account in attacked.kept.accounts)
