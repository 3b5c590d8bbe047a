"""Content on its way into the memory tier."""

from __future__ import annotations

import asyncio
from typing import Protocol

from proxy.caching.stored import StoredResponse
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.pieces import Pieces

_AT_ONCE = 1 << 20
"""Bytes of a large content that are put in their place before others have a turn: less than a millisecond."""


class Home(Protocol):
    """What a writer asks of its store."""

    object_limit: int

    def promise(self, writer: MemoryWriter, more: int) -> bool: ...
    def arrive(self, writer: MemoryWriter, size: int) -> None: ...
    def release(self, writer: MemoryWriter) -> None: ...
    def keep(
        self, writer: MemoryWriter, stored: StoredResponse, digest: str, content: bytes, expires: float | None
    ) -> MemoryEntry | None: ...


class MemoryWriter:
    """Takes a content piece by piece.

    `promised` bytes of the store's budget are set aside for it: what was announced, or has come beyond that.
    Only the `arrived` bytes among them push out others, so that an announcement alone empties no cache.
    `spoiled` is set when its key or one of its labels was invalidated since it began, `softened` to when it
    was purged softly (seconds since the epoch). `pieces` is what it has taken, which can be read meanwhile
    and afterwards.
    """

    __slots__ = (
        "_content",
        "_home",
        "arrived",
        "key",
        "labels",
        "pieces",
        "promised",
        "replaces",
        "softened",
        "spoiled",
    )

    def __init__(
        self, home: Home, key: bytes, labels: tuple[bytes, ...], replaces: tuple[MemoryEntry, ...]
    ) -> None:
        self.key = key
        self.labels = labels
        self.replaces = replaces
        self.promised = 0
        self.arrived = 0
        self.spoiled = False
        self.softened: float | None = None
        self._home = home
        self._content: Pieces | None = Pieces()
        self.pieces = self._content

    def write(self, data: bytes) -> bool:
        """Take the next piece; False when it no longer fits, or the writer has ended already."""
        content, home = self._content, self._home
        if content is None:
            return False
        missing = self.arrived + len(data) - self.promised
        if (
            self.spoiled
            or content.length + len(data) > home.object_limit
            or (missing > 0 and not home.promise(self, missing))
        ):
            self.abort()
            return False
        home.arrive(self, len(data))
        content.add(data)
        return True

    async def commit(
        self, stored: StoredResponse, digest: str, expires: float | None = None
    ) -> MemoryEntry | None:
        """Make the entry findable. None when it was not kept; ValueError where lengths differ."""
        content, self._content = self._content, None
        if content is None:
            return None
        if stored.length != content.length:
            self._home.release(self)
            raise ValueError(f"{content.length} bytes were written, not {stored.length}")
        try:
            while not content.gather(_AT_ONCE):  # noqa: ASYNC110 - others have a turn between
                await asyncio.sleep(0)
        except BaseException:
            self._home.release(self)
            raise
        return self._home.keep(self, stored, digest, content.value(), expires)

    def abort(self) -> None:
        """Forget what was written."""
        if self._content is not None:
            self._content = None
            self._home.release(self)
