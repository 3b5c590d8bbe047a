"""What every tier of storage does: the one contract that the engine knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from proxy.caching.stored import StoredResponse


@dataclass(frozen=True, slots=True)
class Figures:
    """How full a store is: entries and bytes held, the budget in bytes, and what it let go so far."""

    entries: int
    bytes: int
    budget: int
    evicted: int
    expired: int


class Entry(Protocol):
    """One stored response with its content."""

    @property
    def key(self) -> bytes: ...
    @property
    def stored(self) -> StoredResponse: ...
    @property
    def labels(self) -> tuple[bytes, ...]: ...
    @property
    def digest(self) -> str:
        """The content's digest as the log gives it, worked out once when it was stored."""
        ...

    def read(self, first: int, last: int) -> AsyncIterator[bytes]:
        """Bytes `first` to `last` of the held content, both included, in pieces of at most 64 KiB."""
        ...


class Writer(Protocol):
    """Content on its way into a store: not to be found before `commit`, gone after `abort`."""

    def write(self, data: bytes) -> bool:
        """Take the next piece. False when it no longer fits: the writer has then aborted by itself."""
        ...

    async def commit(self, stored: StoredResponse, digest: str) -> Entry | None:
        """Make the entry findable, in the place of those it replaces; None when it was not kept after all."""
        ...

    def abort(self) -> None: ...


class Store(Protocol):
    """Where stored responses live. Lookups return what is there, whether fresh or not: the rules decide."""

    async def look_up(self, key: bytes) -> Sequence[Entry]: ...

    async def labelled(self, label: bytes, limit: int) -> Sequence[Entry]:
        """At most `limit` entries that carry `label`, the newest first."""
        ...

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> Writer | None:
        """Start to store a content of `length` bytes (None: unknown); None where it can't fit at all."""
        ...

    async def freshen(self, entry: Entry, stored: StoredResponse) -> None:
        """Replace what is known of `entry`; its content stays."""
        ...

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels; the number of them."""
        ...

    async def remove(self, entry: Entry) -> None: ...

    def figures(self) -> Figures: ...

    async def close(self) -> None: ...
