"""Charts as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 960
"""The width of a chart in its own units; the page scales it."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values for each place, and the CSS class that gives them their colour."""

    name: str
    values: Sequence[float]
    kind: str


def stacked(series: Sequence[Series], labels: Sequence[str], title: str, height: int = 180) -> Markup:
    """Areas one on the other over time; `labels` stand below, as many as there is room for.

    Each place can be pointed at for its numbers.
    """
    count = len(labels)
    if not count:
        return Markup("")
    totals = [sum(one.values[place] for one in series) for place in range(count)]
    top = nice(max(totals, default=0) or 1)
    step = WIDTH / count
    gap = 0.0 if count > 200 else min(2.0, step / 6)
    pieces = [_grid(top, height)]
    base = [0.0] * count
    for one in series:
        for place, value in enumerate(one.values):
            tall = value / top * height
            if tall > 0:
                y = height - base[place] - tall
                pieces.append(
                    f'<rect class="{one.kind}" x="{place * step + gap / 2:.2f}" y="{y:.2f}" '
                    f'width="{step - gap:.2f}" height="{tall:.2f}"/>'
                )
                base[place] += tall
    for place, label in enumerate(labels):
        told = ", ".join(f"{one.name}: {one.values[place]:,.0f}" for one in series)
        pieces.append(
            f'<rect class="hover" x="{place * step:.2f}" y="0" width="{step:.2f}" height="{height}">'
            f"<title>{escape(label)}\n{escape(told)}</title></rect>"
        )
    pieces += _below(labels, step, height)
    return _svg(title, height + 22, pieces)


def bars(
    rows: Sequence[tuple[str, float, str]], title: str, kind: str = "bar", top: float | None = None
) -> Markup:
    """Horizontal bars: label, value, and what is written at the bar's end."""
    row, left, right = 24, 300, 120
    top = top or max((value for _, value, _ in rows), default=0) or 1
    pieces = []
    for place, (label, value, told) in enumerate(rows):
        y = place * row
        wide = max(value / top, 0) * (WIDTH - left - right)
        pieces.append(
            f'<text class="label" x="{left - 8}" y="{y + 16}" text-anchor="end">{escape(_short(label, 44))}'
            f"<title>{escape(label)}</title></text>"
            f'<rect class="{kind}" x="{left}" y="{y + 4}" width="{wide:.2f}" height="{row - 8}" rx="2"/>'
            f'<text class="value" x="{left + wide + 6:.2f}" y="{y + 16}">{escape(told)}</text>'
        )
    return _svg(title, row * len(rows), pieces)


def before_and_after(before: float, after: float, title: str) -> Markup:
    """Two shares as one bar: what there was, and what is gained."""
    wide, tall = 240, 12
    gained = max(after - before, 0)
    pieces = [
        f'<rect class="track" x="0" y="0" width="{wide}" height="{tall}" rx="3"/>',
        f'<rect class="gain" x="0" y="0" width="{(before + gained) * wide:.1f}" height="{tall}" rx="3"/>',
        f'<rect class="cache" x="0" y="0" width="{before * wide:.1f}" height="{tall}" rx="3"/>',
    ]
    return _svg(title, tall, pieces, width=wide, css="meter")


def nice(value: float) -> float:
    """The next number above that is pleasant on an axis."""
    power: float = 10.0 ** len(str(int(value))) / 10
    return next(power * step for step in (1, 2, 2.5, 5, 10) if power * step >= value)


def _grid(top: float, height: int) -> str:
    lines = []
    for quarter in (1, 2, 3, 4):
        y = height - height * quarter / 4
        lines.append(
            f'<line class="grid" x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{WIDTH}" y="{y + 11:.1f}" text-anchor="end">'
            f"{top * quarter / 4:,.6g}</text>"
        )
    return "".join(lines)


def _below(labels: Sequence[str], step: float, height: int) -> list[str]:
    every = max(1, -(-len(labels) // 6))
    return [
        f'<text class="tick" x="{place * step:.1f}" y="{height + 16}">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0 and place * step < WIDTH - 60
    ]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _svg(title: str, height: float, pieces: Sequence[str], width: int = WIDTH, css: str = "chart") -> Markup:
    return Markup(
        f'<svg class="{css}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"{''.join(pieces)}</svg>"
    )
