"""A report as one HTML page that a person can send on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup

from proxy.commands.pages import charts, render
from proxy.commands.pages.rendering import number, percent
from proxy.visibility.inspecting.report import Answer, Dependence, Endpoint, Prediction, Report, Slice

MOST_SLICES = 240
"""How many columns the chart over time has at most."""


def html(report: Report) -> str:
    """The page. Whatever messages hold is escaped; nothing is fetched from anywhere, and no script runs."""
    return render(
        "proxy.commands.inspecting",
        "report.html",
        {"meter": _meter, "telling": _telling},
        report=report,
        timeline=_timeline(report.timeline),
        reasons=_reasons(report),
        Answer=Answer,
    )


def _meter(prediction: Prediction) -> Markup:
    before, after = prediction.before.hit_ratio, prediction.after.hit_ratio
    return charts.before_and_after(before, after, f"hits {percent(before)} before, {percent(after)} after")


def _telling(endpoint: Endpoint) -> list[Dependence]:
    """What is known of an endpoint's dependence, what it depends on first."""
    order = {Answer.DEPENDS: 0, Answer.DOES_NOT: 1, Answer.UNKNOWN: 2}
    return sorted(endpoint.dependence, key=lambda one: (order[one.answer], -one.confidence))


def _timeline(slices: Sequence[Slice]) -> Markup:
    if len(slices) < 2:
        return Markup("")
    joined = _joined(slices)
    hits = [float(one.hits) for one in joined]
    errors = [float(min(one.errors, one.exchanges - one.hits)) for one in joined]
    others = [float(one.exchanges - one.hits) - error for one, error in zip(joined, errors, strict=True)]
    series = (
        charts.Series("from the cache", hits, "cache"),
        charts.Series("from the origin", others, "upstream"),
        charts.Series("errors", errors, "bad"),
    )
    day = joined[-1].time - joined[0].time > 86_400
    form = "%m-%d %H:%M" if day else "%H:%M:%S"
    labels = [datetime.fromtimestamp(one.time, UTC).strftime(form) for one in joined]
    return charts.stacked(series, labels, "Exchanges over time, by who answered")


def _joined(slices: Sequence[Slice]) -> list[Slice]:
    """At most so many slices as fit side by side."""
    each = -(-len(slices) // MOST_SLICES)
    groups = [slices[start : start + each] for start in range(0, len(slices), each)]
    return [
        Slice(
            group[0].time,
            sum(one.seconds for one in group),
            sum(one.exchanges for one in group),
            sum(one.hits for one in group),
            sum(one.errors for one in group),
            sum(one.bytes for one in group),
        )
        for group in groups
    ]


def _reasons(report: Report) -> Markup:
    rows = [(one.slug, float(one.main), number(one.main)) for one in report.reasons[:12] if one.main]
    return charts.bars(rows, "How often each reason was the main one") if rows else Markup("")
