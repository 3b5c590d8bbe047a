"""Connections that come and go: nothing of them waits for the garbage collector, which seldom looks."""

from __future__ import annotations

import asyncio
import gc

import pytest

from proxy.server.clients.connection import Connection
from proxy.upstream.connection import Connection as Onward
from tests.attack.conftest import Attacked
from tests.server.served import Wire

SAYINGS = {
    "nothing": b"",
    "half a head": b"GET / HT",
    "a hit": b"GET /?cc=max-age%3D60 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "what passes": b"GET /?cc=no-store HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "the last request": b"GET /?cc=no-store HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    "one to an origin that hangs up": b"GET /?mode=close HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a tunnel": b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
}


@pytest.mark.parametrize("leaving", ["close", "reset", "end"])
@pytest.mark.parametrize("saying", SAYINGS)
async def test_what_is_left_of_a_connection_is_nothing(attacked: Attacked, saying: str, leaving: str) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            wire = Wire(*await asyncio.open_connection(*attacked.address))
            await wire.send(SAYINGS[saying])
            if SAYINGS[saying].endswith(b"\r\n\r\n"):
                assert (await wire.answer()).head.status == 200
            if leaving == "end":
                wire.writer.write_eof()
                await wire.reader.read()
            await (wire.reset() if leaving == "reset" else wire.close())
        await attacked.quiet()
        async with asyncio.timeout(5):
            while found := [thing for thing in gc.get_objects() if issubclass(type(thing), Connection)]:
                del found
                await asyncio.sleep(0.01)
        onward = sum(issubclass(type(thing), Onward) for thing in gc.get_objects())
        assert onward <= len(attacked.proxy._upstream._idle)
    finally:
        gc.enable()
