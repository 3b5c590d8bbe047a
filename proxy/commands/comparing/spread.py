"""Medians, spreads and percentiles of what was measured several times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """What several measurements of one thing came to: the middle one, the smallest and the largest."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value. Raises ValueError for none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return Spread(median, ordered[0], ordered[-1])


def ratios(values: Mapping[int, float], base: Mapping[int, float]) -> Spread | None:
    """How values relate to others that were measured in the same rounds; None where no round has both.

    Rounds are compared each with itself: a slow moment of the machine hits both sides of it.
    """
    both = [values[number] / base[number] for number in values if base.get(number)]
    return spread(both) if both else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest ordered value that `share` of them (0 to 1) don't exceed. Raises ValueError for none."""
    if not ordered:
        raise ValueError("nothing was measured")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
