"""How long things took, counted in fixed buckets: constant memory, and percentiles without the durations."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

BOUNDS: tuple[float, ...] = (
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
"""Upper bounds in seconds, inclusive; one more bucket takes what is above the last.

They begin at 10 µs because an answer from the cache takes tens of microseconds, and end at a minute.
"""


def empty() -> list[int]:
    """The counts of a histogram that has seen nothing."""
    return [0] * (len(BOUNDS) + 1)


def percentile(counts: Sequence[int], fraction: float) -> float | None:
    """The duration in seconds that `fraction` of those counted did not exceed; None where there are none.

    Inside a bucket durations are taken to be evenly spread. Above the last bound nothing is known but that
    they are above it, so the last bound is what is said of them.
    """
    total = sum(counts)
    if total == 0:
        return None
    rank, below = fraction * total, 0
    for index, count in enumerate(counts):
        if count and below + count >= rank:
            if index == len(BOUNDS):
                break
            lower = BOUNDS[index - 1] if index else 0.0
            return lower + (BOUNDS[index] - lower) * max(rank - below, 0.0) / count
        below += count
    return BOUNDS[-1]


def percentiles(counts: Sequence[int]) -> dict[str, float | None]:
    """The three that are shown, in seconds: half of the exchanges, 95% and 99% of them took no longer."""
    fractions = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    return {name: percentile(counts, fraction) for name, fraction in fractions}


class Histogram:
    """Counts and sum of durations since the start."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = empty()
        self.sum = 0.0

    def add(self, seconds: float) -> int:
        """Count one duration; the index of its bucket. Below zero, as a clock set back gives it, is zero."""
        seconds = max(seconds, 0.0)
        index = bisect_left(BOUNDS, seconds)
        self.counts[index] += 1
        self.sum += seconds
        return index

    def add_all(self, durations: Sequence[float]) -> list[tuple[int, int]]:
        """Count several durations, none below zero; how many fell into which bucket."""
        ordered = sorted(durations)
        self.sum += sum(ordered)
        found = []
        done = 0
        while done < len(ordered):
            index = bisect_left(BOUNDS, ordered[done])
            end = len(ordered) if index == len(BOUNDS) else bisect_right(ordered, BOUNDS[index], done)
            self.counts[index] += end - done
            found.append((index, end - done))
            done = end
        return found

    def add_counts(self, counts: Sequence[int], seconds: float) -> None:
        """Count what another histogram has counted: its counts, and its sum in seconds."""
        self.counts = [mine + other for mine, other in zip(self.counts, counts, strict=True)]
        self.sum += seconds

    def snapshot(self) -> dict[str, Any]:
        """For JSON: `count`, `sum` in seconds, the percentiles, and each bucket as (upper bound, count).

        The bound of the last bucket is None: it has none.
        """
        return {
            "count": sum(self.counts),
            "sum": self.sum,
            **percentiles(self.counts),
            "buckets": list(zip((*BOUNDS, None), self.counts, strict=True)),
        }
