"""Far more than there is room for: what is stored stays within its budget, as does what is remembered."""

from __future__ import annotations

import asyncio
import gc
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from proxy.server.configuration import Settings
from proxy.storage.settings import LEAST, StorageSettings
from tests.attack.conftest import Attacked
from tests.server.served import Wire


@pytest_asyncio.fixture
async def small(request: pytest.FixtureRequest) -> AsyncIterator[Attacked]:
    """A proxy with as much memory as the test says, 64 KiB unless it does."""
    attacked = Attacked(Settings(storage=StorageSettings(memory=getattr(request, "param", LEAST))))
    await attacked.start()
    try:
        yield attacked
        await attacked.quiet()
        assert attacked.left_over() == {}
    finally:
        await attacked.stop()


async def ask(wire: Wire, target: bytes, fields: bytes = b"") -> bytes:
    """The content that comes back, with 200."""
    await wire.send(b"GET %b HTTP/1.1\r\nHost: a.example\r\n%b\r\n" % (target, fields))
    answer = await wire.answer()
    assert answer.head.status == 200
    return answer.content


def within_budget(attacked: Attacked) -> bool:
    figures = attacked.proxy._store.figures()
    return 0 <= figures.bytes <= figures.budget


@pytest.mark.parametrize("small", [0, LEAST, 1 << 20], indirect=True)
async def test_random_load_is_answered_right_within_any_budget(small: Attacked) -> None:
    async def client(seed: int) -> None:
        chance = random.Random(seed)
        wire = Wire(*await asyncio.open_connection(*small.address))
        for _ in range(60):
            number = int(chance.paretovariate(0.5)) % 200
            size = (100, 3000, 20_000, 100_000)[number % 4]
            control = (b"max-age%3D60", b"max-age%3D0", b"no-store", b"max-age%3D60")[number // 4 % 4]
            mode = (b"length", b"chunks")[number % 2]
            target = b"/%d?size=%d&cc=%b&mode=%b&etag=1" % (number, size, control, mode)
            lines = set((await ask(wire, target)).splitlines())
            assert len(lines) == 1
            assert lines.pop().split(b"|")[3] == target
            assert within_budget(small)
        await wire.close()

    await asyncio.gather(*(client(seed) for seed in range(5)))


async def test_a_flood_of_variants_fills_one_key_and_no_more(small: Attacked) -> None:
    small_store = small.proxy._store
    wire = Wire(*await asyncio.open_connection(*small.address))
    other = await ask(wire, b"/other?cc=max-age%3D60")
    for number in range(400):
        await ask(wire, b"/?cc=max-age%3D60&vary=x-v&size=200", b"X-V: %d\r\n" % number)
        assert within_budget(small)
        assert small_store.figures().entries <= 33
    assert await ask(wire, b"/other?cc=max-age%3D60") == other, "32 small variants push nothing else out"
    await wire.close()


async def test_what_is_different_each_time_leaves_nothing_behind(small: Attacked) -> None:
    """New targets, field names, credentials, directives and tags of some KB each, in every request."""
    wire = Wire(*await asyncio.open_connection(*small.address))
    chance = random.Random(5)

    async def flood(count: int) -> None:
        for _ in range(count):
            once = chance.randbytes(900).hex().encode()
            target = b"/%b?cc=max-age%%3D60,%b&vary=x-%b" % (once, once[:1000], once[:700])
            fields = b"%b: 1\r\nCookie: s=%b\r\nAuthorization: Bearer %b\r\n" % (once, once, once)
            fields += b"Cache-Control: %b, max-stale=9\r\nX-V: a=%b&token=%b\r\n" % (once[:700], once, once)
            await ask(wire, target, fields + b'If-None-Match: "%b"\r\n' % once)
            small.kept.accounts.clear()
            small.kept.lines = b""

    tracemalloc.start()
    try:
        await flood(550)  # as many as the dashboard remembers, and as any table that is short
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        await flood(250)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    await wire.close()
    assert within_budget(small)
    assert grown < 250 * 1000, f"{grown} bytes more after 250 requests of 9 KB"
