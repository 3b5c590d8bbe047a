"""The order in which entries cease to be of use, kept in coarse steps."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable
from typing import Generic, TypeVar

from proxy.storage.memory.members import Members

E = TypeVar("E", bound=Hashable)

_FARTHEST = 1 << 53


class Deadlines(Generic[E]):
    """Entries by the time from which they are of no use.

    A time is rounded up by at most a 64th of the lifetime (a second at least): so few distinct times are
    kept that each costs next to nothing, and an entry is let go that much later at most.
    """

    __slots__ = ("_due", "_heap")

    def __init__(self) -> None:
        self._due: dict[int, Members] = {}
        self._heap: list[int] = []

    def add(self, entry: E, expires: float | None, since: float) -> Members | None:
        """Note that `entry`, which came at `since`, is of no use after `expires` (seconds since the epoch).

        Gives those that it is now one of, to be left by `discard`; None where the time never comes.
        """
        if expires is None or not expires < _FARTHEST:
            return None
        lifetime = int(max(0.0, expires - since))
        step = 1 << max(0, lifetime.bit_length() - 7)
        deadline = max(1, math.ceil(expires / step) * step)
        due = self._due.get(deadline)
        if due is None:
            # It stays even when nothing is left in it, so that its time is in the heap once.
            due = self._due[deadline] = Members({})
            heapq.heappush(self._heap, deadline)
        due.add(entry)
        return due

    def pop_due(self, now: float) -> E | None:
        """Take out an entry whose deadline has passed at `now`; None where there is none."""
        heap = self._heap
        while heap and heap[0] < now:
            due = self._due[heap[0]]
            if due.entries:
                entry: E = due.pop()
                return entry
            del self._due[heapq.heappop(heap)]
        return None

    def clear(self) -> None:
        """Forget everything."""
        for due in self._due.values():
            due.clear()
        self._due.clear()
        self._heap.clear()

    def __del__(self) -> None:
        self.clear()
