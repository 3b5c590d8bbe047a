"""Content on its way to the disk: a small one in memory, a large one in its file as it comes."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from proxy.caching.stored import StoredResponse
from proxy.storage.disk.body import Spool
from proxy.storage.disk.entry import DiskEntry
from proxy.storage.disk.record import INLINE
from proxy.storage.disk.tables import Tables
from proxy.storage.pieces import Pieces

_BACKLOG = 4 << 20
"""Bytes that wait to be written, before who brings more waits for the disk."""

_PATIENCE = 2.0
_HELD = 1 << 20
"""Bytes at the end of a content that are held in memory as well, for those who read it as it comes."""

_STEP = 1 << 20


class SpooledPieces(Pieces):
    """A content as it comes in, of which all but the end may be read from its file."""

    __slots__ = ("spool",)

    def __init__(self) -> None:
        super().__init__()
        self.spool: Spool | None = None

    def take(self, first: int, end: int | None = None) -> bytes | memoryview:
        """What there is from `first` on and before `end`, in one piece of some size. Raises LookupError."""
        try:
            return super().take(first, end)
        except LookupError:
            if self.spool is None or first >= self.spool.written:
                raise
            # It was written a moment ago, so that the system has it in memory.
            return self.spool.read(first, self.length if end is None else end)


class Home(Protocol):
    """What a writer asks of its store."""

    object_limit: int

    def promise(self, writer: DiskWriter, more: int, large: bool) -> bool: ...
    def arrive(self, writer: DiskWriter, size: int) -> None: ...
    def release(self, writer: DiskWriter) -> None: ...
    def spool(self, writer: DiskWriter, data: bytes, more: int) -> Future[bool | None]: ...
    async def keep(
        self, writer: DiskWriter, stored: StoredResponse, digest: str, expires: float | None
    ) -> DiskEntry | None: ...


class DiskWriter:
    """Takes a content piece by piece.

    `promised` bytes of the budget are set aside for it in this process, `arrived` have come; `begun` is the
    tick of `tables` at which it began. `failed` is set when the disk would not take it, `spoiled` when it was
    invalidated by this process: of what others invalidate the map knows when it is committed.
    """

    __slots__ = (
        "_ended", "_home", "_known", "_reserved", "_waiting", "arrived", "begun", "failed", "held", "key",
        "labels", "large", "pieces", "promised", "replaces", "spoiled", "spool", "tables",
    )  # fmt: skip

    def __init__(
        self,
        home: Home,
        key: bytes,
        labels: tuple[bytes, ...],
        replaces: tuple[int, ...],
        length: int | None,
        tables: Tables,
        begun: int,
    ) -> None:
        self.key = key
        self.labels = labels
        self.replaces = replaces
        self.tables = tables
        self.begun = begun
        self.promised = self.arrived = 0
        self.failed = self.spoiled = self.large = False
        self.held: list[bytes] = []
        self.spool: Spool | None = None
        self.pieces = SpooledPieces()
        self._known = length
        self._home = home
        self._reserved = 0
        self._waiting: list[tuple[int, Future[bool | None]]] = []
        self._ended = False

    @property
    def length(self) -> int:
        """The bytes that were taken."""
        return self.pieces.length

    def write(self, data: bytes) -> bool:
        """Take the next piece; False when it no longer fits, or the writer has ended already."""
        if self._ended:
            return False
        length, home = self.length + len(data), self._home
        missing = self.arrived + len(data) - self.promised
        large = self.large or length > INLINE
        if (
            self.failed
            or self.spoiled
            or length > home.object_limit
            or (missing > 0 and not home.promise(self, missing, large))
            or not self._caught_up()
        ):
            self.abort()
            return False
        home.arrive(self, len(data))
        self.pieces.add(data)
        if large:
            self._spool(data, length)
        else:
            self.held.append(data)
        return True

    def _spool(self, data: bytes, length: int) -> None:
        if not self.large:
            self.large = True
            data = b"".join((*self.held, data))
            self.held.clear()
        wanted = max(length, self._known or 0) if self._known else -(-length // _STEP) * _STEP
        reserve, self._reserved = wanted - self._reserved, max(wanted, self._reserved)
        self._waiting.append((len(data), self._home.spool(self, data, max(0, reserve))))

    def _caught_up(self) -> bool:
        """Whether the disk keeps up; it may take a moment to find out, where it is slower than the origin."""
        waiting = self._waiting
        while waiting and waiting[0][1].done():
            waiting.pop(0)
        if sum(size for size, _ in waiting) > _BACKLOG:
            try:
                waiting[len(waiting) // 2][1].result(_PATIENCE)
            except TimeoutError:
                return False
        if self.large and self.pieces.spool is not None and self.pieces.spool.written > _HELD:
            self.pieces.forget(self.length - self.pieces.spool.written + _HELD)
        return not self.failed

    async def commit(
        self, stored: StoredResponse, digest: str, expires: float | None = None
    ) -> DiskEntry | None:
        """Make the entry findable. None when it was not kept; ValueError where lengths differ."""
        if self._ended:
            return None
        if stored.length != self.length:
            self.abort()
            raise ValueError(f"{self.length} bytes were written, not {stored.length}")
        self._ended = True
        return await self._home.keep(self, stored, digest, expires)

    def abort(self) -> None:
        """Forget what was written."""
        if not self._ended:
            self._ended = True
            self.held.clear()
            self._home.release(self)
