from __future__ import annotations

import asyncio
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.stored import StoredResponse
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.pieces import Pieces

SIZES = st.lists(st.integers(1, 40_000), min_size=1, max_size=30)


def taken(pieces: Pieces, first: int = 0, end: int | None = None) -> bytes:
    """All that there is from `first` on, as a reader gets it."""
    whole = b""
    while piece := pieces.take(first + len(whole), end):
        whole += piece
    return whole


def filled(sizes: list[int]) -> tuple[Pieces, bytes]:
    pieces = Pieces()
    content = b""
    for number, size in enumerate(sizes):
        data = bytes([number]) * size
        pieces.add(data)
        content += data
    return pieces, content


@given(SIZES, st.integers(0, 300_000), st.integers(0, 300_000))
def test_any_part_is_the_same_before_while_and_after_it_is_gathered(
    sizes: list[int], first: int, size: int
) -> None:
    pieces, content = filled(sizes)
    end = min(first + size, len(content))
    first = min(first, end)
    assert pieces.length == len(content)
    gathered = False
    while not gathered:
        assert taken(pieces) == content
        assert taken(pieces, first, end) == content[first:end]
        gathered = pieces.gather(100_000)
    assert pieces.value() == content
    assert taken(pieces) == content
    assert taken(pieces, first, end) == content[first:end]


def test_what_is_taken_is_no_copy() -> None:
    pieces = Pieces()
    data = b"x" * 100_000
    pieces.add(data)
    assert pieces.take(0) is data
    part = pieces.take(10)
    assert isinstance(part, memoryview)
    assert part.obj is data
    assert pieces.value() is data
    assert pieces.take(0, len(data)) is data


def test_what_is_not_there_yet_is_empty() -> None:
    pieces = Pieces()
    assert pieces.take(0) == b""
    pieces.add(b"abc")
    assert pieces.take(3) == b""
    pieces.add(b"def")
    assert pieces.take(3) == b"def"


def test_of_what_is_forgotten_the_end_is_still_there() -> None:
    pieces, content = filled([30_000] * 5)
    pieces.forget(50_000)
    with pytest.raises(LookupError):
        pieces.take(10)
    assert taken(pieces, 100_000) == content[100_000:]
    assert pieces.length == len(content)


def test_many_small_pieces_take_little_more_than_their_bytes() -> None:
    pieces = Pieces()
    tracemalloc.start()
    try:
        for _ in range(50_000):
            pieces.add(b"x")
        assert tracemalloc.get_traced_memory()[0] < 70_000
    finally:
        tracemalloc.stop()


def test_a_large_content_is_never_there_twice() -> None:
    pieces, content = filled([100_000] * 80)
    size = len(content)
    del content
    tracemalloc.start()
    try:
        whole = pieces.value()
        assert sys.getsizeof(whole) >= size
        # What came before was not counted: all that is new is the one block.
        assert tracemalloc.get_traced_memory()[1] < size * 1.3
    finally:
        tracemalloc.stop()


async def test_an_entry_is_read_in_views_of_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.storage.memory.entry.VIEW", 4)
    entry = MemoryEntry(b"key", b"", b"0123456789", 0)
    views = [view async for view in entry.read(1, 8)]
    assert [bytes(view) for view in views] == [b"1234", b"5678"]
    assert all(isinstance(view, memoryview) and view.obj is entry.held for view in views)
    small = MemoryEntry(b"key", b"", b"0123", 0)
    assert await anext(aiter(small.read(0, 3))) is small.held


async def test_others_have_their_turns_while_a_large_content_is_put_in_its_place() -> None:
    store = MemoryStore(1 << 24, 1 << 23)
    content = b"x" * (1 << 22)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    for ending in ("kept", "invalidated", "cancelled"):
        writer = store.begin(ending.encode(), (), (), len(content))
        assert writer is not None
        for number in range(16):
            assert writer.write(content[number << 18 : (number + 1) << 18])
        stored = StoredResponse(Request(b"GET", b"/"), Response(200), 0.0, 0.0, len(content), 0, len(content))
        turns = 0
        committing = asyncio.ensure_future(writer.commit(stored, ""))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if ending == "cancelled":
            committing.cancel()
        if ending == "invalidated":
            await store.invalidate([b"invalidated"], [])
        [entry] = await asyncio.gather(committing, return_exceptions=True)
        assert isinstance(entry, MemoryEntry) is (ending == "kept")
        assert ending == "cancelled" or turns > 3
        assert bytes(writer.pieces.take(0, 10)) == b"x" * 10
    counting.cancel()
    assert store.figures().entries == 1
    assert store.figures().bytes < len(content) + 1000
