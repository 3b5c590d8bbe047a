"""The memory tier under random histories with far too little room."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.memory.store import MemoryStore
from proxy.storage.memory.writer import MemoryWriter
from tests.storage.store_contract import DIGEST, NOW, read, response

KEYS = [b"%d" % number for number in range(7)]


class History:
    """A store with one writer for each key at most; a content repeats its key."""

    def __init__(self, budget: int) -> None:
        self.store = MemoryStore(budget, 4000, variants=3)
        self.writers: dict[bytes, tuple[MemoryWriter, int]] = {}

    async def begin(self, key: bytes, size: int) -> None:
        """Announces the length only where it is odd; replaces what is there only where it is large."""
        await self.abort(key, size)
        replaces = await self.store.look_up(key) if size > 1500 else ()
        writer = self.store.begin(key, (key[:1],), replaces, size if size % 2 else None)
        if writer is not None:
            self.writers[key] = writer, 0

    async def write(self, key: bytes, size: int) -> None:
        """May write more than was announced."""
        writer, written = self.writers.get(key, (None, 0))
        if writer is not None and writer.write(key * size):
            self.writers[key] = writer, written + size
        else:
            self.writers.pop(key, None)

    async def commit(self, key: bytes, size: int) -> None:
        writer, written = self.writers.pop(key, (None, 0))
        if writer is not None:
            await writer.commit(response(written), DIGEST, NOW + size if size % 3 else None)

    async def put(self, key: bytes, size: int) -> None:
        await self.begin(key, size)
        await self.write(key, size)
        await self.commit(key, size)

    async def abort(self, key: bytes, size: int) -> None:
        writer, _ = self.writers.pop(key, (None, 0))
        if writer is not None:
            writer.abort()

    async def freshen(self, key: bytes, size: int) -> None:
        """With a head that may be much larger."""
        for entry in await self.store.look_up(key):
            larger = Response(200, Fields([(b"X", bytes(size))]))
            await self.store.freshen(
                entry, StoredResponse(Request(b"GET", b"/"), larger, NOW, NOW, len(entry.held))
            )

    async def invalidate(self, key: bytes, size: int) -> None:
        await self.store.invalidate([key] if size % 2 else [], [key[:1]])

    async def expire(self, key: bytes, size: int) -> None:
        await self.store.expire(NOW + size)

    async def check(self) -> None:
        figures = self.store.figures()
        assert 0 <= figures.bytes <= figures.budget
        for key in KEYS:
            for entry in await self.store.look_up(key):
                assert set(await read(entry)) <= set(key)

    async def end(self) -> None:
        for key in KEYS:
            await self.abort(key, 0)
        held = [entry for key in KEYS for entry in await self.store.look_up(key)]
        figures = self.store.figures()
        assert (len(held), sum(entry.size for entry in held)) == (figures.entries, figures.bytes)
        await self.store.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "begin", "write", "commit", "abort", "freshen", "invalidate", "expire"]),
        st.sampled_from(KEYS),
        st.integers(0, 3000),
    ),
    max_size=50,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(1500, 12_000))
def test_law_the_budget_holds_at_every_moment_and_contents_stay_apart(
    steps: list[tuple[str, bytes, int]], budget: int
) -> None:
    async def history() -> None:
        history = History(budget)
        for step, key, size in steps:
            await getattr(history, step)(key, size)
            await history.check()
        await history.end()

    asyncio.run(history())
