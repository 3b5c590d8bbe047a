"""Content on its way to a disk and into a store that a fleet shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Writer
from proxy.storage.pieces import Pieces
from proxy.storage.tiers.copies import Reading


class Home(Protocol):
    """What a writer asks of its store."""

    async def replaced(self, key: bytes, replaced: Sequence[Entry]) -> None: ...
    def stored(self, key: bytes, *, shared: bool) -> None: ...
    def ended(self, reading: Reading) -> None: ...


class NearbyWriter:
    """Takes a content piece by piece for both; where one does not take it any more, the other goes on.

    `reading` knows what was heard of it since it was begun.
    """

    __slots__ = ("_disk", "_fleet", "_home", "_key", "_reading", "_replaced", "pieces")

    def __init__(
        self,
        home: Home,
        key: bytes,
        reading: Reading,
        disk: Writer | None,
        fleet: Writer | None,
        replaced: Sequence[Entry],
    ) -> None:
        self._home = home
        self._key = key
        self._reading = reading
        self._disk = disk
        self._fleet = fleet
        self._replaced = replaced
        first = disk if disk is not None else fleet
        assert first is not None
        self.pieces: Pieces = first.pieces

    def write(self, data: bytes) -> bool:
        """Take the next piece; False when neither takes it any more."""
        before = self.pieces.length
        if self._disk is not None and not self._disk.write(data):
            self._disk = None
        if self._fleet is not None and not self._fleet.write(data):
            self._fleet = None
        if self._disk is None and self._fleet is None:
            self.abort()
            return False
        if self.pieces.length == before:
            self.pieces.add(data)  # whose they were has given up
        return True

    async def commit(self, stored: StoredResponse, digest: str, expires: float | None = None) -> Entry | None:
        """Make the entry findable; None when neither has kept it, or something was heard of it."""
        far = near = None
        try:
            if (fleet := self._fleet) is not None:
                self._fleet = None
                far = await fleet.commit(stored, digest, expires)
                if far is not None:
                    await self._home.replaced(self._key, self._replaced)
            if far is None and self._reading.disturbed_for(()):
                return None
            if (disk := self._disk) is not None:
                self._disk = None
                near = await disk.commit(stored, digest, expires)
            if far is not None or near is not None:
                self._home.stored(self._key, shared=far is not None)
        finally:
            self.abort()
        return near or far

    def abort(self) -> None:
        """Forget what was written."""
        self._home.ended(self._reading)
        for writer in (self._disk, self._fleet):
            if writer is not None:
                writer.abort()
        self._disk = self._fleet = None
