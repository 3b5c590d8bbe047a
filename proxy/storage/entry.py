"""An entry of the memory tier: three blocks of bytes and its places in the store's indexes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

from msgspec import Struct

from proxy.caching.stored import StoredResponse
from proxy.storage.eviction import Place
from proxy.storage.head import unpack
from proxy.storage.labels import Group

PIECE = 64 << 10
"""The largest piece that is read at a time, in bytes."""


class MemoryEntry(Struct, gc=False, eq=False):
    """One stored response with its content.

    `head` is what `pack` made of the stored response and its digest; it changes when the entry is freshened.
    `size` is what it takes of the budget. `groups` are those of its labels. `older` is the next older entry
    under the same key. `deadline` is the place in the order of expiry, 0 for none. `place` is that in the
    order of eviction: None once it was let go. Hidden from the garbage collector as that is.
    """

    key: bytes
    head: bytes
    held: bytes
    size: int
    groups: tuple[Group, ...] = ()
    older: MemoryEntry | None = None
    deadline: int = 0
    place: Place | None = None

    def __repr__(self) -> str:
        return f"MemoryEntry({self.key!r}, {len(self.held)} bytes)"

    @property
    def stored(self) -> StoredResponse:
        return unpack(self.head)[0]

    @property
    def digest(self) -> str:
        return unpack(self.head)[1]

    @property
    def labels(self) -> tuple[bytes, ...]:
        return tuple(group.label for group in self.groups)

    @property
    def content(self) -> bytes:
        """The whole held content; having it counts as a use."""
        self.touch()
        return self.held

    @property
    def state(self) -> object | None:
        """None once the entry may not be used any more; else the same object for as long as nothing changes.

        Whoever remembers an answer that was made from this entry asks `entry.state is remembered`.
        """
        return self.head if self.usable else None

    @property
    def usable(self) -> bool:
        """Whether the entry is in the store, and none of its labels was invalidated."""
        if self.place is None:
            return False
        return not self.groups or not any(group.doomed for group in self.groups)

    def touch(self) -> None:
        """Note that the entry was used."""
        if self.place is not None:
            self.place.visited = True

    def read(self, first: int, last: int) -> AsyncIterator[bytes]:
        """Bytes `first` to `last` of the content in pieces of 64 KiB. Raises ValueError out of its bounds."""
        if not 0 <= first <= last + 1 <= len(self.held):
            raise ValueError(f"no bytes {first} to {last} in a content of {len(self.held)}")
        return _Pieces(self.content, first, last + 1)


class _Pieces:
    """Slices of a content, which it keeps alive. Not a generator: it can be left without being closed."""

    __slots__ = ("_content", "_end", "_next")

    def __init__(self, content: bytes, first: int, end: int) -> None:
        self._content = content
        self._next = first
        self._end = end

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> bytes:
        first = self._next
        if first >= self._end:
            raise StopAsyncIteration
        self._next = min(first + PIECE, self._end)
        return self._content[first : self._next]


_ALLOCATOR = 8
_SLOT = 45
_INTEGER = 32
_PLACE = 16 + 8 * len(Place.__struct_fields__)
_ENTRY = 16 + 8 * len(MemoryEntry.__struct_fields__)

FIXED = _ENTRY + _PLACE + 5 * _SLOT + 2 * _INTEGER
"""Bytes that every entry takes beside its three blocks.

Itself; its place in the order of eviction; room in five tables (by key, entries, sizes, places, deadlines),
each about 45 bytes, as a table is between half and all full; its size and its deadline.
"""

PER_LABEL = _SLOT + 8
"""Bytes for each label of an entry; the label's own bytes are shared by all that carry it."""


def cost(key: bytes, head: bytes, content: bytes, labels: int) -> int:
    """The bytes of memory that an entry takes: content, fields and bookkeeping."""
    blocks = sys.getsizeof(key) + sys.getsizeof(head) + sys.getsizeof(content) + 3 * _ALLOCATOR
    return blocks + FIXED + (labels and 56 + labels * PER_LABEL)
