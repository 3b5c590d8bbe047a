"""When to leave something alone that doesn't work: a pure table of moments."""

from __future__ import annotations


class Breaker:
    """Opens after `most` failures in a row; `now` is any clock's seconds.

    Open, it asks for a trial after `first` seconds, then after twice as many each time, up to `last`.
    """

    __slots__ = ("_failures", "_first", "_last", "_most", "_pause", "_until", "opened")

    def __init__(self, most: int, first: float, last: float) -> None:
        self._most, self._first, self._last = most, first, last
        self._failures = 0
        self._pause = 0.0
        self._until = 0.0
        self.opened = 0  # how often it has

    @property
    def open(self) -> bool:
        """Whether to leave it alone."""
        return self._pause > 0

    def due(self, now: float) -> bool:
        """Whether it's time for a trial."""
        return now >= self._until

    def failed(self, now: float, *, certain: bool = False) -> None:
        """It did not work, or certainly won't."""
        self._failures += 1
        if self._pause:
            if now >= self._until:
                self._pause = min(self._pause * 2, self._last)
                self._until = now + self._pause
        elif certain or self._failures >= self._most:
            self._pause, self._until = self._first, now + self._first
            self.opened += 1

    def worked(self) -> None:
        """It did."""
        self._failures = 0
        self._pause = 0.0
