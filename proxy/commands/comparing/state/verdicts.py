"""How each variant's figures stand to those of sessions: better, worse, or no difference that counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from proxy.commands.comparing.state.results import Figure, Report, Row

BASES = ("sessions-sticky", "sessions-one", "sessions-shared")
"""What the others are held against: the first of these that was measured."""

_COUNTS, _COUNTS_ONCE = 0.05, 0.2
"""What differs by less than this share is no difference: the second where there was one round only."""

_NEGLIGIBLE = {"µs": 5.0, "ms": 0.05, "s": 0.1, "MB": 0.3, "kB": 0.1, "bytes": 2.0, "%": 1.0}
"""By unit, what is no difference however small the figures are."""


class Verdict(Enum):
    """Of one figure of one variant."""

    BETTER = "better"
    WORSE = "worse"
    EVEN = "no difference"
    BASE = "what the others are held against"
    NONE = "not measured"


@dataclass(frozen=True, slots=True)
class Cell:
    """One variant's figure; `row` is None where it was not measured."""

    variant: str
    row: Row | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """One figure over all variants, `at` the place of its axis that counts most: the last that all have."""

    figure: Figure
    at: float | None
    cells: list[Cell]


def judge(row: Row, base: Row, better: str, unit: str = "") -> Verdict:
    """Where the spreads overlap, or the medians are nearly the same, there is no difference.

    But what happened in half of the rounds or more to one, and never to the other, is a difference.
    """
    if not unit and (row.high == 0 < base.median or base.high == 0 < row.median):
        return Verdict.BETTER if (row.high > 0) == (better == "more") else Verdict.WORSE
    if row.low <= base.high and base.low <= row.high:
        return Verdict.EVEN
    once = len(row.samples) == 1 and len(base.samples) == 1
    counts = _COUNTS_ONCE if once else _COUNTS
    least = max(counts * max(abs(row.median), abs(base.median)), _NEGLIGIBLE.get(unit, 0.0))
    if abs(row.median - base.median) <= least:
        return Verdict.EVEN
    return Verdict.BETTER if (row.median > base.median) == (better == "more") else Verdict.WORSE


def sheet(report: Report) -> list[Line]:
    """Every figure that was measured, over all variants that took part."""
    variants = [one.name for one in report.variants if one.left_out is None]
    return [_line(figure, variants) for figure in report.figures]


def _line(figure: Figure, variants: list[str]) -> Line:
    at = last_place(figure)
    base_name = next((name for name in BASES if figure.row(name, at)), None)
    base = figure.row(base_name, at) if base_name else None
    cells = []
    for name in variants:
        row = figure.row(name, at)
        if row is None:
            verdict = Verdict.NONE
        elif name == base_name or base is None:
            verdict = Verdict.BASE
        else:
            verdict = judge(row, base, figure.better, figure.unit)
        cells.append(Cell(name, row, verdict))
    return Line(figure, at, cells)


def last_place(figure: Figure) -> float | None:
    """The last place of the axis where all its variants were measured, else the last of any."""
    if not figure.axis:
        return None
    variants = {row.variant for row in figure.rows}
    places = sorted({row.at for row in figure.rows if row.at is not None})
    common = [at for at in places if all(figure.row(name, at) for name in variants)]
    return (common or places)[-1]
