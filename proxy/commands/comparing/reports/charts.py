"""Bars and latencies as SVG that is as wide as there is room for; labels and figures are text beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from proxy.commands.comparing.spread import Spread

_WIDE = 1000
_TALL = 20
_CROWDED = 5.0
"""A bar that is longer than so many times the middle one is cut off, so that the others can be told apart."""


def scale(medians: Sequence[float], highs: Sequence[float]) -> float:
    """The value at the right end of a workload's bars. Raises ValueError for no bars."""
    ordered = sorted(medians)
    middle = ordered[len(ordered) // 2]
    largest = max(highs)
    return largest if middle <= 0 else min(largest, _CROWDED * middle) or 1.0


def bar(value: Spread, most: float, kind: str, title: str) -> Markup:
    """The median as a bar, with a line from the smallest to the largest; cut off where it is too long."""
    wide = min(value.median / most, 1.0) * _WIDE if most else 0.0
    low, high = (min(end / most, 1.0) * _WIDE if most else 0.0 for end in (value.low, value.high))
    cut = value.median > most
    pieces = [
        Markup('<rect class="{}" x="0" y="4" width="{}" height="12" rx="2"/>').format(kind, f"{wide:.1f}")
    ]
    if cut:
        pieces += [
            Markup('<path class="cut" d="M{} 0l14 0l-10 20l-14 0z"/>').format(place) for place in (930, 955)
        ]
    elif high > low:
        pieces.append(_line("spread", low, high))
    return _drawing(title, pieces)


def latencies(values: Sequence[float], least: float, most: float, kind: str, title: str) -> Markup:
    """Percentiles as dots on a line, on a logarithmic axis from `least` to `most`."""
    places = [_place(value, least, most) for value in values]
    pieces = [_line("spread", places[0], places[-1])]
    for number, place in enumerate(places):
        pieces.append(
            Markup('<rect class="{}" x="{}" y="{}" width="8" height="{}" rx="2"/>').format(
                kind, f"{place - 4:.1f}", 3 + 2 * number, 14 - 4 * number
            )
        )
    return _drawing(title, pieces)


def _place(value: float, least: float, most: float) -> float:
    if value <= 0 or most <= least:
        return 4.0
    return 4 + math.log(max(value, least) / least) / math.log(most / least) * (_WIDE - 8)


def _line(kind: str, start: float, end: float) -> Markup:
    drawn = '<line class="{}" x1="{}" x2="{}" y1="10" y2="10" vector-effect="non-scaling-stroke"/>'
    return Markup(drawn).format(kind, f"{start:.1f}", f"{end:.1f}")


def _drawing(title: str, pieces: Sequence[Markup]) -> Markup:
    start = '<svg class="strip" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
    return Markup(start).format(_WIDE, _TALL, title) + Markup("").join(pieces) + Markup("</svg>")


def meter(value: Spread, most: float, mark: float, kind: str, title: str) -> Markup:
    """A bar with a mark across it."""
    drawn = bar(value, most, kind, title)
    across = '<line class="mark" x1="{}" x2="{}" y1="0" y2="20" vector-effect="non-scaling-stroke"/></svg>'
    place = f"{mark / most * _WIDE:.1f}"
    return Markup(str(drawn).removesuffix("</svg>")) + Markup(across).format(place, place)
