"""How likely it is that what was seen is nothing but chance."""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, exp, lgamma, sqrt

_SMALL = 400


def fisher(hits: int, misses: int, control_hits: int, control_misses: int) -> float:
    """The chance of so many `hits`, or more, if both groups had them at one rate (Fisher's exact test)."""
    group, everything = hits + misses, hits + misses + control_hits + control_misses
    drawn = hits + control_hits
    most = min(group, drawn)
    total = 0.0
    for number in range(hits, most + 1):
        total += _chance(number, group, everything - group, drawn)
    return min(1.0, total)


def stratified(tables: Iterable[tuple[int, int, int, int]]) -> float:
    """How many standard deviations the first group's hits lie above what chance would give it.

    Each table holds hits and misses of the first group, then of the second, under conditions that are alike
    in nothing but themselves (Mantel and Haenszel's test).
    """
    above = variance = 0.0
    for hits, misses, other_hits, other_misses in tables:
        group, others = hits + misses, other_hits + other_misses
        everything, drawn = group + others, hits + other_hits
        if not group or not others or everything < 2:
            continue
        above += hits - group * drawn / everything
        variance += group * others * drawn * (everything - drawn) / (everything**2 * (everything - 1))
    return above / sqrt(variance) if variance else 0.0


def succession(seen: int) -> float:
    """How likely it is that what happened `seen` times without exception happens once more (Laplace)."""
    return (seen + 1) / (seen + 2)


def _chance(number: int, group: int, others: int, drawn: int) -> float:
    if drawn - number > others or number > group:
        return 0.0
    if group + others < _SMALL:
        return comb(group, number) * comb(others, drawn - number) / comb(group + others, drawn)
    return exp(
        _log_comb(group, number) + _log_comb(others, drawn - number) - _log_comb(group + others, drawn)
    )


def _log_comb(whole: int, part: int) -> float:
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
