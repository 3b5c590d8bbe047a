"""A comparison as one page of HTML, with charts, that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from proxy.commands.comparing.figures import OURS
from proxy.commands.comparing.measures import MEASURES, Better, Measure, show, show_ratio
from proxy.commands.comparing.reports import charts
from proxy.commands.comparing.reports.text import aim_of, load_name, range_of, remarks, spread_of, value_of
from proxy.commands.comparing.results import Figure, Report, Result, Row
from proxy.commands.comparing.spread import Spread
from proxy.commands.pages.rendering import render as render_template

SENTENCES = {
    "proxies": "Each is one process on one core, in front of the same origin, with its access log on.",
    "stores": "Each is Pellucid with its log on, all its processes on one core unless it is said otherwise.",
}

_PERCENTILES = ("p50_milliseconds", "p99_milliseconds", "p999_milliseconds")


@dataclass(frozen=True, slots=True)
class Strip:
    """One line of a chart: who, the drawing, and the figure as text."""

    title: str
    ours: bool
    drawing: Markup
    told: str


@dataclass(frozen=True, slots=True)
class Section:
    """One workload on the page."""

    result: Result
    main: Measure
    better: str
    load: str
    bars: list[Strip]
    latencies: list[Strip]
    columns: list[Measure]
    rows: list[tuple[str, bool, list[str]]]
    remarks: list[str]
    command: str


def render(report: Report) -> str:
    """The whole page."""
    return render_template(
        "proxy.commands.comparing.reports",
        "proxies.html",
        report=report,
        sections=[_section(report, result) for result in report.workloads],
        figures=[(one, value_of(one), range_of(one), aim_of(one), _meter(one)) for one in report.figures],
        remake=lambda workload, names=(): remake(report, workload, names),
        load=load_name(report, report.settings.load),
        command=" ".join(report.command),
        title=f"{report.subject.capitalize()} compared",
        sentence=SENTENCES.get(report.subject, ""),
    )


def remake(report: Report, workload: str, names: tuple[str, ...] | list[str] = ()) -> str:
    """The command that measures one workload again, in the same way."""
    settings = report.settings
    if report.subject == "proxies":
        command = f"pellucid compare proxies --workloads {workload}"
        command += f" --only {','.join(names)}" if names else ""
    else:
        command = f"pellucid compare {report.subject} --only {workload}"
    command += f" --repeats {settings.repeats} --seconds {settings.seconds:g}"
    return command + f" --connections {settings.connections} --load {settings.load}"


def _section(report: Report, result: Result) -> Section:
    main = MEASURES[result.main]
    columns = [MEASURES[name] for name in result.shown if any(name in row.measures for row in result.rows)]
    measured = [row for row in result.rows if row.measures]
    return Section(
        result=result,
        main=main,
        better="more is better" if main.better is Better.MORE else "less is better",
        load=load_name(report, result.load),
        bars=list(_bars(report, result, main)),
        latencies=list(_latencies(report, measured)),
        columns=columns,
        rows=[
            (report.title(row.contender), row.contender == OURS, _cells(row, columns, main))
            for row in measured
        ],
        remarks=list(remarks(report, result)),
        command=remake(report, result.workload),
    )


def _bars(report: Report, result: Result, main: Measure) -> Iterator[Strip]:
    found = [(row, row.measures[main.name]) for row in result.rows if main.name in row.measures]
    if not found:
        return
    most = charts.scale([one.median for _, one in found], [one.high for _, one in found])
    for row, one in found:
        ours, title = row.contender == OURS, report.title(row.contender)
        told = f"{show(one.median)} {main.unit}".strip()
        value = Spread(one.median, one.low, one.high)
        drawing = charts.bar(value, most, "bar" if ours else "upstream", f"{title}: {told}")
        ratio = f" ({show_ratio(one.ratio.median)})" if one.ratio else ""
        yield Strip(title, ours, drawing, told + ratio)


def _latencies(report: Report, rows: list[Row]) -> Iterator[Strip]:
    found = [row for row in rows if all(name in row.measures for name in _PERCENTILES)]
    values = {row.contender: [row.measures[name].median for name in _PERCENTILES] for row in found}
    everything = [value for some in values.values() for value in some if value > 0]
    if not everything:
        return
    for row in found:
        some = values[row.contender]
        ours, title = row.contender == OURS, report.title(row.contender)
        told = " · ".join(show(value) for value in some) + " ms"
        kind = "bar" if ours else "upstream"
        drawing = charts.latencies(some, min(everything), max(everything), kind, f"{title}: {told}")
        yield Strip(title, ours, drawing, told)


def _cells(row: Row, columns: list[Measure], main: Measure) -> list[str]:
    cells = []
    for measure in columns:
        one = row.measures.get(measure.name)
        cells.append(show(one.median) if one else "–")
        if measure is main:
            cells += [
                spread_of(one) if one else "",
                show_ratio(one.ratio.median) if one and one.ratio else "",
            ]
    return cells


def _meter(figure: Figure) -> Markup:
    """The figure as a bar, and a mark at what is aimed at."""
    aim = figure.at_most if figure.at_most is not None else figure.at_least
    if figure.value is None or figure.low is None or figure.high is None or not aim:
        return Markup("")
    kind = "cache" if figure.reached else "own"
    most = max(2 * aim, figure.value if figure.value < 4 * aim else 0)
    return charts.meter(Spread(figure.value, figure.low, figure.high), most, aim, kind, figure.title)
