"""What was let go not long ago, remembered by eight bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Hashable

_WAYS = 8
_MARK = (1 << 24) - 1
_LAST = 1 << 40

GHOST = 16
"""Bytes that the ghosts take for each entry of a cache: eight for each, in a table at least half full."""


class Ghosts:
    """The keys that were let go last, by hash, each until it comes back or many others have gone after it.

    A table of numbers: the upper 40 bits of each are the time when it went, counted in keys, and the lower 24
    are from the key's hash. A key has eight slots to choose from, of which it takes that of who went first.
    Python salts the hash of bytes, so nobody can aim at a slot; one key is taken for another once in a
    million times, and that does no harm.
    """

    __slots__ = ("_gone", "_slots")

    def __init__(self) -> None:
        self._slots = array("Q")
        self._gone = 0

    def __len__(self) -> int:
        """For how many there is room."""
        return len(self._slots)

    def add(self, key: Hashable, among: int) -> None:
        """Remember that `key` has gone from a cache of `among` entries.

        The table has a slot for each of these at least. One that has become too small, or far too large, is
        begun anew: what it knew is soon learnt again, and to take it along could take long.
        """
        among = max(among, _WAYS)
        if not among <= len(self._slots) <= 8 * among or self._gone + 1 == _LAST:
            self._slots = array("Q", bytes(8 << (among - 1).bit_length()))
            self._gone = 0
        self._gone += 1
        mark, first = self._place(key)
        choice = self._slots[first : first + _WAYS]
        self._slots[first + choice.index(min(choice))] = self._gone << 24 | mark

    def take(self, key: Hashable, within: int) -> bool:
        """Whether `key` was one of the last `within` to go; it is forgotten then."""
        if not self._slots:
            return False
        mark, first = self._place(key)
        latest = 0
        for at, slot in enumerate(self._slots[first : first + _WAYS], first):
            if slot and slot & _MARK == mark:
                latest = max(latest, slot)
                self._slots[at] = 0
        return latest > 0 and self._gone - (latest >> 24) < within

    def clear(self) -> None:
        """Forget all of them."""
        self._slots = array("Q")

    def _place(self, key: Hashable) -> tuple[int, int]:
        """The mark of a key, and the first of its slots."""
        mixed = hash((key,))  # well mixed even where the hash of the key itself is not
        return (mixed >> 36) & _MARK, (mixed & (len(self._slots) // _WAYS - 1)) * _WAYS
