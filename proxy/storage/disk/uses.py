"""What entries are used for: noted by any thread, put down, or asked for, by the one that writes."""

from __future__ import annotations

from proxy.storage.disk.change import Asks, Change, unused
from proxy.storage.disk.order import note_uses

_AT_ONCE = 4096


class Uses:
    """Uses that are not put down yet, by the numbers of the entries.

    `asks` tells of what is not even noted: how often the copy of an entry was used that somebody else holds.
    It is called by the thread that writes.
    """

    __slots__ = ("_noted", "asks")

    def __init__(self) -> None:
        self.asks: Asks = unused
        self._noted: dict[int, int] = {}

    def __len__(self) -> int:
        """How many entries they are of."""
        return len(self._noted)

    def note(self, number: int, times: int = 1) -> None:
        """An entry was used so many times."""
        self._noted[number] = self._noted.get(number, 0) + times

    def of(self, key: bytes, number: int) -> int:
        """How often an entry was used that was not put down yet, here or by who holds a copy of it."""
        return self._noted.pop(number, 0) + self.asks(key, number)

    def put_down(self, change: Change) -> None:
        """Have the order of eviction know of some thousands. Raises lmdb.Error."""
        noted = self._noted
        note_uses(change, [noted.popitem() for _ in range(min(len(noted), _AT_ONCE))])
