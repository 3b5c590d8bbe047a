"""An entry of the memory tier: three blocks of bytes and its places in the store's indexes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

from msgspec import Struct

from proxy.caching.stored import StoredResponse
from proxy.storage.head import soften, unpack
from proxy.storage.memory.eviction import MOST, USE, Place
from proxy.storage.memory.ghosts import GHOST
from proxy.storage.memory.labels import Group
from proxy.storage.memory.members import Members

PIECE = 64 << 10
"""Bytes from which a content is a large one."""

VIEW = 1 << 20
"""The largest part of a content that is read at a time, in bytes."""


class MemoryEntry(Struct, gc=False, eq=False):
    """One stored response with its content.

    `head` is what `pack` made of the stored response and its digest; it changes when the entry is freshened.
    `size` is what it takes of the budget. `groups` are those of its labels. `older` is the next older entry
    under the same key. `due` are those that expire with it, None where it never does. `place` is that in the
    order of eviction: None once it was let go. `below` is its number in the tier below, 0 where there is none
    that keeps an order; `told` says whether that knows of its last use. Hidden from the garbage collector as
    its place is.
    """

    key: bytes
    head: bytes
    held: bytes
    size: int
    groups: tuple[Group, ...] = ()
    older: MemoryEntry | None = None
    due: Members | None = None
    place: Place | None = None
    below: int = 0
    told: bool = True

    def __repr__(self) -> str:
        return f"MemoryEntry({self.key!r}, {len(self.held)} bytes)"

    @property
    def stored(self) -> StoredResponse:
        return unpack(self._settled())[0]

    @property
    def digest(self) -> str:
        return unpack(self.head)[1]

    @property
    def labels(self) -> tuple[bytes, ...]:
        return tuple(group.label for group in self.groups)

    @property
    def content(self) -> bytes:
        """The whole held content; to have it is no use yet."""
        return self.held

    @property
    def state(self) -> object | None:
        """None once the entry may not be used any more; else the same object for as long as nothing changes.

        Whoever remembers an answer that was made from this entry asks `entry.state is remembered`.
        """
        return self._settled() if self.usable else None

    @property
    def usable(self) -> bool:
        """Whether the entry is in the store, and none of its labels was invalidated."""
        if self.place is None:
            return False
        return not self.groups or not any(group.doomed for group in self.groups)

    def tell(self) -> int:
        """How often it was used since this was asked last, as far as its eviction remembers that."""
        if self.told:
            return 0
        self.told, place = True, self.place
        return 1 if place is None else max(1, place.credit // USE)

    def _settled(self) -> bytes:
        """The head, as soft purges of its labels have left it."""
        for group in self.groups:
            if group.softened is not None:
                self.head = soften(self.head, group.softened)
        return self.head

    def soften(self, at: float) -> bool:
        """Have it count as stale from `at` on (seconds since the epoch); False where that changes nothing."""
        before = self._settled()
        self.head = soften(before, at)
        return self.head is not before

    def touch(self) -> None:
        """Note that the entry was used: once for each exchange that it answers."""
        place = self.place
        if place is not None:
            if place.credit < MOST:
                place.credit += USE
            self.told = False

    def read(self, first: int, last: int) -> AsyncIterator[bytes | memoryview]:
        """Bytes `first` to `last` of the content as views of it. Raises ValueError out of its bounds."""
        if not 0 <= first <= last + 1 <= len(self.held):
            raise ValueError(f"no bytes {first} to {last} in a content of {len(self.held)}")
        self.touch()
        return _Views(self.held, first, last + 1)


class _Views:
    """Views of a content, which keep it alive. Not a generator: it can be left without being closed."""

    __slots__ = ("_content", "_end", "_next")

    def __init__(self, content: bytes, first: int, end: int) -> None:
        self._content = content
        self._next = first
        self._end = end

    def __aiter__(self) -> _Views:
        return self

    async def __anext__(self) -> bytes | memoryview:
        first, content = self._next, self._content
        if first >= self._end:
            raise StopAsyncIteration
        end = self._next = min(first + VIEW, self._end)
        return content if end - first == len(content) else memoryview(content)[first:end]


_ALLOCATOR = 8
_SLOT = 45
_INTEGER = 32
_PLACE = 16 + 8 * len(Place.__struct_fields__)
_ENTRY = 16 + 8 * len(MemoryEntry.__struct_fields__)

FIXED = _ENTRY + _PLACE + 5 * _SLOT + 2 * _INTEGER + GHOST
"""Bytes that every entry takes beside its three blocks.

Itself; its place in the order of eviction; room in five tables (by key, entries, sizes, places, deadlines),
each about 45 bytes, as a table is between half and all full; its size and its number below; and what is
remembered of one that has gone.
"""

PER_LABEL = _SLOT + 8
"""Bytes for each label of an entry; the label's own bytes are shared by all that carry it."""


def cost(key: bytes, head: bytes, content: bytes, labels: int) -> int:
    """The bytes of memory that an entry takes: content, fields and bookkeeping."""
    blocks = sys.getsizeof(key) + sys.getsizeof(head) + sys.getsizeof(content) + 3 * _ALLOCATOR
    return blocks + FIXED + (labels and 56 + labels * PER_LABEL)
