"""An entry of the disk tier: what was read of it, and where to ask whether that still holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import Executor
from typing import Protocol

from msgspec import Struct

from proxy.caching.stored import StoredResponse
from proxy.storage.disk.body import Body
from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.record import Record
from proxy.storage.head import unpack

_FIXED = 500
"""Bytes that an entry takes in memory beside its key and its head."""


class Home(Protocol):
    """What an entry asks of its store."""

    def current(self, entry: DiskEntry) -> bytes | None: ...
    def used(self, entry: DiskEntry) -> None: ...
    def content_of(self, entry: DiskEntry) -> bytes | None: ...
    def damaged(self, entry: DiskEntry) -> None: ...
    @property
    def pool(self) -> Executor: ...


class DiskEntry(Struct, gc=False, eq=False):
    """One stored response as it was looked up; another look-up gives another of these.

    `head` is what `pack` made of the stored response and its digest, with soft purges in it. `seen` is the
    number of the map's transaction by which it was known to be there, `folder` the folder that it is in.
    """

    home: Home
    folder: str
    record: Record
    head: bytes
    seen: int
    body: Body | None = None
    gone: bool = False

    def __repr__(self) -> str:
        return f"DiskEntry({self.record.key!r}, {self.record.length} bytes)"

    @property
    def key(self) -> bytes:
        return self.record.key

    @property
    def number(self) -> int:
        """Tells it from all others in its folder."""
        return self.record.number

    @property
    def stored(self) -> StoredResponse:
        return unpack(self.head)[0]

    @property
    def digest(self) -> str:
        return unpack(self.head)[1]

    @property
    def labels(self) -> tuple[bytes, ...]:
        return self.record.labels

    @property
    def content(self) -> bytes | None:
        """The whole content where it was small enough to be read at once."""
        return None if self.record.file else self.record.content

    @property
    def state(self) -> object | None:
        """None once any process has let it go; else the same object for as long as nothing changes in it."""
        return None if self.gone else self.home.current(self)

    def lean(self) -> int:
        """Let go of the content in memory, for `fetch` to bring it; the bytes that are still held.

        For who keeps the entry and has it to themselves: its `content` is empty from then on.
        """
        self.record.content = b""
        return _FIXED + len(self.record.key) + len(self.head)

    def fetch(self) -> bytes | None:
        """The whole content as it stands in the map; None where the entry has left or has changed."""
        return self.home.content_of(self)

    def touch(self) -> None:
        """Note that the entry was used: once for each exchange that it answers."""
        self.home.used(self)

    def read(self, first: int, last: int) -> AsyncIterator[bytes | memoryview]:
        """Bytes `first` to `last` of the content. Raises ValueError out of its bounds.

        What is read of a large one is checked part by part: the iterator raises `Damaged`.
        """
        record = self.record
        if not 0 <= first <= last + 1 <= record.length:
            raise ValueError(f"no bytes {first} to {last} in a content of {record.length}")
        self.home.used(self)
        if self.body is not None:
            return _Parts(self, self.body, first, last + 1)
        return _Whole(record.content, first, last + 1)


class _Whole:
    """A small content in one piece. Not a generator: it can be left without being closed."""

    __slots__ = ("_piece",)

    def __init__(self, content: bytes, first: int, end: int) -> None:
        whole = first == 0 and end == len(content)
        self._piece: bytes | memoryview = content if whole else memoryview(content)[first:end]

    def __aiter__(self) -> _Whole:
        return self

    async def __anext__(self) -> bytes | memoryview:
        piece, self._piece = self._piece, b""
        if not len(piece):
            raise StopAsyncIteration
        return piece


class _Parts:
    """A large content part by part. Not a generator either."""

    __slots__ = ("_body", "_end", "_entry", "_next")

    def __init__(self, entry: DiskEntry, body: Body, first: int, end: int) -> None:
        self._entry = entry
        self._body = body
        self._next = first
        self._end = end

    def __aiter__(self) -> _Parts:
        return self

    async def __anext__(self) -> bytes | memoryview:
        if self._next >= self._end:
            raise StopAsyncIteration
        home = self._entry.home
        try:
            part = await self._body.part(self._next, self._end, home.pool)
        except (Damaged, OSError) as error:
            home.damaged(self._entry)
            raise Damaged("a stored content can't be read to its end", evidence=str(error)) from error
        self._next += len(part)
        return part
