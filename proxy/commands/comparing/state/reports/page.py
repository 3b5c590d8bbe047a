"""The measurement as one page of HTML, with charts, that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from proxy.commands.comparing.measures import show
from proxy.commands.comparing.reports import charts
from proxy.commands.comparing.spread import Spread
from proxy.commands.comparing.state.figures import PART_TITLES, SCENARIOS
from proxy.commands.comparing.state.reports.curves import Curve, course, curves
from proxy.commands.comparing.state.reports.words import (
    MARKS,
    balance_of,
    full_value,
    range_of,
    remake,
    title_of,
    value_of,
)
from proxy.commands.comparing.state.results import Figure, Hidden, Report, Run
from proxy.commands.comparing.state.shopping.account import BUCKET
from proxy.commands.comparing.state.variants import RELIABILITY, VARIANTS, VISIBILITY
from proxy.commands.comparing.state.verdicts import Line, Verdict, sheet
from proxy.commands.pages.rendering import render as render_template

_CSS = {Verdict.BETTER: "good", Verdict.WORSE: "worse", Verdict.EVEN: "quiet"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One variant's line of a chart."""

    title: str
    stateless: bool
    drawing: Markup
    told: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure on the page: bars, or curves where it has an axis; and its table."""

    figure: Figure
    title: str
    bars: list[Bar]
    drawing: Markup
    head: list[str]
    rows: list[tuple[str, list[str]]]
    samples: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Scene:
    """One scenario: its figures as a table, and the course of the first round's runs."""

    title: str
    sentence: str
    figures: list[Figure]
    rows: list[tuple[str, bool, list[str]]]
    courses: list[tuple[str, Markup, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the four parts of the measurement."""

    name: str
    title: str
    sentence: str
    shown: list[Shown]
    scenes: list[Scene]
    hidden: list[Hidden]
    command: str


def render(report: Report) -> str:
    """The whole page."""
    variants = [one for one in report.variants if one.left_out is None]
    lines = sheet(report)
    return render_template(
        "proxy.commands.comparing.state.reports",
        "state.html",
        report=report,
        variants=variants,
        kinds={name: f"v{number}" for number, name in enumerate(VARIANTS)},
        parts=list(_parts(report)),
        sheet=[(line, _cells(line)) for line in lines],
        part_titles=PART_TITLES,
        title_of=title_of,
        worse=list(_worse(report, lines)),
        balance=balance_of(report),
        balanced=not any(run.faults for run in report.runs),
        command=" ".join(report.command),
        scenarios=SCENARIOS,
    )


def _cells(line: Line) -> list[tuple[str, str, str, str]]:
    """Value, mark, class and words for each variant."""
    return [
        (value_of(cell.row), MARKS[cell.verdict], _CSS.get(cell.verdict, ""), _told(line, cell.verdict))
        for cell in line.cells
    ]


def _told(line: Line, verdict: Verdict) -> str:
    more = "more is better" if line.figure.better == "more" else "less is better"
    return f"{verdict.value}; {more}"


def _worse(report: Report, lines: list[Line]) -> Iterator[str]:
    """Where a stateless variant loses, in plain sentences."""
    stateless = {one.name for one in report.variants if one.stateless}
    for line in lines:
        base = next((cell for cell in line.cells if cell.verdict is Verdict.BASE), None)
        losers = [
            f"{report.title(cell.variant)} {value_of(cell.row)}"
            for cell in line.cells
            if cell.verdict is Verdict.WORSE and cell.variant in stateless
        ]
        if base is not None and losers:
            title = title_of(line.figure, line.at)
            yield f"{title}: {', '.join(losers)}; {report.title(base.variant)} {value_of(base.row)}."


def _parts(report: Report) -> Iterator[Part]:
    order = [one.name for one in report.variants]
    for name, (title, sentence) in PART_TITLES.items():
        figures = [one for one in report.figures if one.part == name]
        if figures:
            yield Part(
                name=name,
                title=title,
                sentence=sentence,
                shown=[] if name == RELIABILITY else [_shown(report, one) for one in figures],
                scenes=list(_scenes(report, figures)) if name == RELIABILITY else [],
                hidden=sorted(report.hidden, key=lambda one: order.index(one.variant))
                if name == VISIBILITY
                else [],
                command=remake(report, name),
            )


def _measured(report: Report, figures: list[Figure]) -> list[str]:
    found = {row.variant for one in figures for row in one.rows}
    return [one.name for one in report.variants if one.name in found]


def _kind(variant: str) -> str:
    return f"v{list(VARIANTS).index(variant)}" if variant in VARIANTS else "bar"


def _stateless(report: Report, variant: str) -> bool:
    return any(one.name == variant and one.stateless for one in report.variants)


def _shown(report: Report, figure: Figure) -> Shown:
    variants = _measured(report, [figure])
    samples = [
        (
            report.title(row.variant) + (f", {row.at:,.0f} {figure.axis}" if row.at is not None else ""),
            ", ".join(show(value) for value in row.samples),
        )
        for row in figure.rows
    ]
    if not figure.axis:
        return Shown(
            figure, title_of(figure), list(_bars(report, figure, variants)), Markup(""), [], [], samples
        )
    places = sorted({row.at for row in figure.rows if row.at is not None})
    found = [
        Curve(
            report.title(name),
            _kind(name),
            [(at, row.median, row.low, row.high) for at in places if (row := figure.row(name, at))],
        )
        for name in variants
    ]
    return Shown(
        figure,
        title_of(figure),
        [],
        curves(found, figure.axis, figure.unit, f"{figure.title} along {figure.axis}"),
        [f"{at:,.0f}" for at in places],
        [(report.title(name), [full_value(figure.row(name, at)) for at in places]) for name in variants],
        samples,
    )


def _bars(report: Report, figure: Figure, variants: list[str]) -> Iterator[Bar]:
    rows = [row for name in variants if (row := figure.row(name))]
    most = max([row.high for row in rows], default=0.0) or 1.0
    for row in rows:
        title = report.title(row.variant)
        told = f"{show(row.median)} {figure.unit}".strip()
        value = Spread(max(0.0, row.median), max(0.0, row.low), max(0.0, row.high))
        drawing = charts.bar(value, most, _kind(row.variant), f"{title}: {told}")
        spread = range_of(row)
        yield Bar(title, _stateless(report, row.variant), drawing, f"{told} ({spread})" if spread else told)


def _scenes(report: Report, figures: list[Figure]) -> Iterator[Scene]:
    for name, scenario in SCENARIOS.items():
        found = [one for one in figures if one.name.partition(".")[0] == name]
        if not found:
            continue
        variants = _measured(report, found)
        yield Scene(
            title=scenario.title,
            sentence=scenario.sentence,
            figures=found,
            rows=[
                (report.title(one), _stateless(report, one), [full_value(each.row(one)) for each in found])
                for one in variants
            ],
            courses=[_course(report, run) for run in _first_runs(report, name, variants)],
        )


def _first_runs(report: Report, scenario: str, variants: list[str]) -> Iterator[Run]:
    for name in variants:
        run = next((one for one in report.runs if (one.scenario, one.variant) == (scenario, name)), None)
        if run is not None:
            yield run


def _course(report: Report, run: Run) -> tuple[str, Markup, str]:
    title = report.title(run.variant)
    line, account = run.timeline, run.account
    told = f"{account.lost} carts lost, {account.failed} requests failed"
    drawing = course(
        line.answered, line.failed, line.disturbed, BUCKET, run.blow, run.healed, f"{title}: {told}"
    )
    return title, drawing, told
