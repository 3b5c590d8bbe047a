"""Content on its way into all tiers at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Writer
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.memory.writer import MemoryWriter
from proxy.storage.pieces import Pieces


class Home(Protocol):
    """What a writer asks of its store."""

    def catch_up(self) -> None: ...
    def ended(self, writer: TiersWriter) -> None: ...
    def stored(self, key: bytes, copy: MemoryEntry | None, entry: Entry | None) -> None: ...
    async def replaced(self, copies: Sequence[MemoryEntry]) -> None: ...


class TiersWriter:
    """Takes a content piece by piece for memory (`copy`) and for the tier below (`lower`).

    Where one of them does not take it any more, the other goes on alone. `pieces` is what was written. What
    is below of those `unknown` copies is to be replaced as well, and has to be found for that.
    """

    __slots__ = ("_copy", "_home", "_lower", "_over", "_spoiled", "_unknown", "key", "labels", "pieces")

    def __init__(
        self,
        home: Home,
        key: bytes,
        labels: tuple[bytes, ...],
        copy: MemoryWriter | None,
        lower: Writer | None,
        unknown: Sequence[MemoryEntry],
    ) -> None:
        self.key = key
        self.labels = labels
        self._home = home
        self._copy = copy
        self._lower = lower
        self._unknown = unknown
        self._spoiled = self._over = False
        first = lower if lower is not None else copy
        assert first is not None
        self.pieces: Pieces = first.pieces

    def spoil(self, soft: float | None) -> None:
        """What is written was purged: it is not kept, or counts as stale from `soft` on."""
        if soft is None:
            self._spoiled = True
        elif self._copy is not None:
            self._copy.softened = soft

    def write(self, data: bytes) -> bool:
        """Take the next piece; False when no tier takes it any more."""
        if self._over or self._spoiled:
            self.abort()
            return False
        before = self.pieces.length
        if self._copy is not None and not self._copy.write(data):
            self._copy = None
        if self._lower is not None and not self._lower.write(data):
            self._lower = None
        if self._copy is None and self._lower is None:
            self.abort()
            return False
        if self.pieces.length == before:
            self.pieces.add(data)  # whose they were has given up
        return True

    async def commit(self, stored: StoredResponse, digest: str, expires: float | None = None) -> Entry | None:
        """Make the entry findable in all tiers; None when none has kept it. ValueError where lengths differ.

        Below first, and others are told: when this returns they find it. What is heard of meanwhile spoils
        the copy; what is heard of afterwards takes it.
        """
        if self._over:
            return None
        home, lower = self._home, self._lower
        entry: Entry | None = None
        copied: MemoryEntry | None = None
        try:
            home.catch_up()
            if self._spoiled:
                return None
            if lower is not None:
                self._lower = None
                entry = await lower.commit(stored, digest, expires)
                if entry is not None and self._unknown:
                    await home.replaced(self._unknown)
            if self._copy is not None and not self._spoiled:
                copied = await self._copy.commit(stored, digest, expires)
            home.stored(self.key, copied, entry)
        finally:
            self.abort()
        return copied or entry

    def abort(self) -> None:
        """Forget what was written."""
        if not self._over:
            self._over = True
            self._home.ended(self)
        for writer in (self._copy, self._lower):
            if writer is not None:
                writer.abort()
        self._copy = self._lower = None
