"""Charts of this measurement as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from proxy.commands.comparing.measures import show
from proxy.commands.pages.charts import nice

_WIDE, _TALL, _LEFT, _RIGHT, _BELOW, _ABOVE = 620, 210, 62, 30, 34, 10


@dataclass(frozen=True, slots=True)
class Curve:
    """One variant's values along an axis: (place, median, smallest, largest)."""

    title: str
    kind: str
    points: Sequence[tuple[float, float, float, float]]


def curves(found: Sequence[Curve], axis: str, unit: str, title: str) -> Markup:
    """Lines with the spread of each point; from zero up."""
    if not any(curve.points for curve in found):
        return Markup("")
    right = max(point[0] for curve in found for point in curve.points) or 1.0
    top = nice(max(point[3] for curve in found for point in curve.points) or 1.0)
    wide, tall = _WIDE - _LEFT - _RIGHT, _TALL - _BELOW - _ABOVE

    def x(value: float) -> float:
        return _LEFT + value / right * wide

    def y(value: float) -> float:
        return _ABOVE + tall - value / top * tall

    pieces = list(_grid(top, y))
    places = sorted({point[0] for curve in found for point in curve.points})
    pieces += list(_ticks(places, x, axis))
    for curve in found:
        path = " ".join(
            f"{'L' if number else 'M'}{x(at):.1f} {y(median):.1f}"
            for number, (at, median, _, _) in enumerate(curve.points)
        )
        pieces.append(Markup('<path class="curve {}" d="{}"/>').format(curve.kind, path))
        for at, median, low, high in curve.points:
            told = f"{curve.title}, {at:,.0f} {axis}: {show(median)} {unit} ({show(low)}–{show(high)})"
            pieces.append(
                Markup('<line class="whisker {}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                    curve.kind, f"{x(at):.1f}", f"{x(at):.1f}", f"{y(low):.1f}", f"{y(high):.1f}"
                )
                + Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.5"><title>{}</title></circle>').format(
                    curve.kind, f"{x(at):.1f}", f"{y(median):.1f}", told
                )
            )
    start = Markup('<svg class="curves" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return start.format(_WIDE, _TALL, title) + Markup("").join(pieces) + Markup("</svg>")


def _grid(top: float, y: object) -> Sequence[Markup]:
    assert callable(y)
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    text = Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>')
    found = []
    for quarter in range(5):
        value = top * quarter / 4
        place = f"{y(value):.1f}"
        found.append(line.format(_LEFT, _WIDE - _RIGHT, place, place))
        found.append(text.format(_LEFT - 6, f"{y(value) + 4:.1f}", show(value)))
    return found


def _ticks(places: Sequence[float], x: object, axis: str) -> Sequence[Markup]:
    """The places of the axis, as many as there is room for, and what they are."""
    assert callable(x)
    text = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>')
    found, last = [], -1e9
    for at in places:
        here = x(at)
        if here - last >= 34:
            found.append(text.format(f"{here:.1f}", _TALL - _BELOW + 16, f"{at:,.0f}"))
            last = here
    middle = f"{(_LEFT + _WIDE - _RIGHT) / 2:.0f}"
    found.append(text.format(middle, _TALL - 3, axis))
    return found


def course(
    answered: Sequence[int],
    failed: Sequence[int],
    disturbed: Sequence[float],
    bucket: float,
    blow: float | None,
    healed: float | None,
    title: str,
) -> Markup:
    """A run's course: answers and failures by time, the blow as a line, what shoppers noticed as dots."""
    count = max(len(answered), len(failed), 1)
    most = max([*answered, *failed, 1])
    wide, tall = 1000.0, 46.0
    step = wide / count
    pieces = []
    if blow is not None:
        until = healed if healed is not None else count * bucket
        pieces.append(_area("blow", blow / bucket * step, (until - blow) / bucket * step, tall))
    for values, kind in ((answered, "went"), (failed, "bad")):
        for place, value in enumerate(values):
            if value:
                high = max(2.0, value / most * (tall - 8))
                pieces.append(
                    Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                        kind,
                        f"{place * step + 1:.1f}",
                        f"{tall - high:.1f}",
                        f"{step - 2:.1f}",
                        f"{high:.1f}",
                    )
                )
    for moment in disturbed:
        here = f"{moment / bucket * step:.1f}"
        pieces.append(
            Markup(
                '<line class="lost" x1="{}" x2="{}" y1="0" y2="6" vector-effect="non-scaling-stroke"/>'
            ).format(here, here)
        )
    start = Markup(
        '<svg class="course" viewBox="0 0 1000 46" preserveAspectRatio="none" role="img" aria-label="{}">'
    )
    return start.format(title) + Markup("").join(pieces) + Markup("</svg>")


def _area(kind: str, start: float, wide: float, tall: float) -> Markup:
    return Markup('<rect class="{}" x="{}" y="0" width="{}" height="{}"/>').format(
        kind, f"{start:.1f}", f"{max(wide, 2):.1f}", tall
    )
