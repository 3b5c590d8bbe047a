"""The order in which entries cease to be of use, kept in coarse steps."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable
from typing import Generic, TypeVar

E = TypeVar("E", bound=Hashable)

_FARTHEST = 1 << 53


class Deadlines(Generic[E]):
    """Entries by the time from which they are of no use.

    A time is rounded up by at most a 64th of the lifetime (a second at least): so few distinct times are
    kept that each costs next to nothing, and an entry is let go that much later at most.
    """

    __slots__ = ("_heap", "_members")

    def __init__(self) -> None:
        self._members: dict[int, dict[E, None]] = {}
        self._heap: list[int] = []

    def add(self, entry: E, expires: float | None, since: float) -> int:
        """Note that `entry`, which came at `since`, is of no use after `expires` (seconds since the epoch).

        Gives the deadline under which it is kept, 0 where it never comes.
        """
        if expires is None or not expires < _FARTHEST:
            return 0
        lifetime = int(max(0.0, expires - since))
        step = 1 << max(0, lifetime.bit_length() - 7)
        deadline = max(1, math.ceil(expires / step) * step)
        members = self._members.get(deadline)
        if members is None:
            members = self._members[deadline] = {}
            heapq.heappush(self._heap, deadline)
        members[entry] = None
        return deadline

    def discard(self, entry: E, deadline: int) -> None:
        """Forget `entry`, which was kept under `deadline` (0: nothing to forget)."""
        # The deadline stays even when nothing is kept under it, so that it is in the heap once.
        members = self._members.get(deadline)
        if members is not None:
            members.pop(entry, None)

    def pop_due(self, now: float) -> E | None:
        """Take out an entry whose deadline has passed at `now`; None where there is none."""
        heap = self._heap
        while heap and heap[0] < now:
            members = self._members[heap[0]]
            if members:
                return members.popitem()[0]
            del self._members[heapq.heappop(heap)]
        return None

    def clear(self) -> None:
        """Forget everything."""
        self._members.clear()
        self._heap.clear()
