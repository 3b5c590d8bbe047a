"""Many times the budget flows through, and what is really taken stays what is counted."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from proxy.storage.memory.store import MemoryStore
from tests.storage.store_contract import DIGEST, NOW, response

BUDGET = 2 << 20
ASIDE = 256 << 10
"""What Python keeps for itself, whatever the budget is."""


async def flow(store: MemoryStore, kind: str, count: int) -> AsyncIterator[int]:
    """Store `count` responses of that kind, each under another key."""
    chance = random.Random(1)
    for number in range(count):
        size = int(min(chance.lognormvariate(6.5, 1.2), 60_000)) if kind == "sizes" else 1024
        labels = (b"all", b"%d" % (number % 50)) if kind == "labels" else ()
        writer = store.begin(b"GET http a.example /items/%d" % number, labels, (), size)
        assert writer is not None
        writer.write(chance.randbytes(size))
        at = NOW + number * 20
        expires = at + 90_000 if kind != "lifetimes" else at + chance.expovariate(1 / 90_000)
        entry = await writer.commit(response(size, at=at), DIGEST, expires)
        assert entry is not None
        if kind == "used" and number % 3 == 0:
            entry.touch()
            entry.touch()
        yield number


@pytest.mark.parametrize("kind", ["alike", "sizes", "labels", "lifetimes", "used"])
async def test_what_is_taken_is_what_is_counted_however_much_has_passed(kind: str) -> None:
    store = MemoryStore(BUDGET, 64 << 10)
    gc.collect()
    tracemalloc.start()
    try:
        before, most = tracemalloc.get_traced_memory()[0], 0
        async for number in flow(store, kind, 4000):
            if number % 250 == 0:
                most = max(most, tracemalloc.get_traced_memory()[0] - before)
        assert store.figures().evicted > 1500
        assert 0.8 * BUDGET < store.figures().bytes <= BUDGET
        assert 0.8 * BUDGET < most < 1.1 * BUDGET + ASIDE
        await store.close()
        assert tracemalloc.get_traced_memory()[0] - before < ASIDE
    finally:
        tracemalloc.stop()
