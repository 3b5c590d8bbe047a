"""What happened when: counted in slices of time, of which there are never too many."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.visibility.inspecting.report import Slice

MOST = 240
"""How many slices there are at most."""

LAST = 253_402_300_799.0
"""The last second that has a date, in seconds since the epoch. What a log dates later, or before 1970, is
counted, but not as a time."""


class Timeline:
    """Slices of `width` seconds; the width doubles whenever there would be too many."""

    __slots__ = ("first", "last", "slices", "width")

    def __init__(self) -> None:
        self.width = 1
        self.slices: dict[int, list[int]] = {}
        self.first: float | None = None
        self.last: float | None = None

    def slot(self, time: float) -> list[int]:
        """The counters for a time, in seconds since the epoch: exchanges, hits, errors, bytes."""
        at = int(time) // self.width if 0 <= time <= LAST else 0
        found = self.slices.get(at)
        if found is None:
            found = self.slices[at] = [0, 0, 0, 0]
            if len(self.slices) > MOST:
                self._widen()
                return self.slot(time)
        return found

    def span(self, first: float, last: float) -> None:
        """Take note of the first and the last time of some exchanges."""
        if not 0 <= first <= last <= LAST:
            return
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def merge(self, other: Timeline) -> None:
        """Add the slices of another one."""
        width = max(self.width, other.width)
        counted = [
            (at * one.width // width, counts) for one in (self, other) for at, counts in one.slices.items()
        ]
        self.width, self.slices = width, _summed(counted)
        while len(self.slices) > MOST:
            self._widen()
        if other.first is not None and other.last is not None:
            self.span(other.first, other.last)

    def all(self) -> tuple[Slice, ...]:
        """The slices in order. Those in which nothing happened are left out."""
        return tuple(
            Slice(float(at * self.width), float(self.width), *counts)
            for at, counts in sorted(self.slices.items())
        )

    def _widen(self) -> None:
        self.width *= 2
        self.slices = _summed((at // 2, counts) for at, counts in self.slices.items())


def _summed(counted: Iterable[tuple[int, list[int]]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for at, counts in counted:
        mine = found.setdefault(at, [0, 0, 0, 0])
        for index, count in enumerate(counts):
            mine[index] += count
    return found
