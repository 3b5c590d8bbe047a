"""A comparison as text: a table for each workload, and the summary."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proxy.commands.comparing.measures import MEASURES, show, show_ratio
from proxy.commands.comparing.results import Compared, Figure, Measured, Report, Result, Row
from proxy.commands.plain import text_of
from proxy.commands.shown import shown

_PLAIN_WIDTH = 132


def render(report: Report, console: Console | None = None, *, colors: bool = True) -> str:
    """The whole text: in colours and as wide as the terminal, plain elsewhere and where that is wanted."""
    return text_of(Group(*_parts(report)), _PLAIN_WIDTH, console, colors=colors)


def _parts(report: Report) -> Iterator[RenderableType]:
    machine, settings = report.machine, report.settings
    yield Text(f"{report.subject.capitalize()} compared", style="bold")
    yield Text(f"{machine.processor}, {machine.cores} cores, {machine.system}, {machine.python}")
    yield Text(
        f"{settings.repeats} rounds of {settings.seconds:g} s, {settings.connections} connections, load by"
        f" {load_name(report, settings.load)}; medians, and the smallest and largest of the rounds"
    )
    for warning in report.warnings:
        yield Text(f"! {warning}", style="yellow")
    yield Text()
    yield from (_contender(one) for one in report.contenders)
    for result in report.workloads:
        yield from _workload(report, result)
    if report.figures:
        yield _heading("Summary")
        yield _summary(report.figures)
        yield Text(f"Made in {report.seconds / 60:.1f} min by: {' '.join(report.command)}", style="dim")


def load_name(report: Report, load: str) -> str:
    """What the load generator is called."""
    return f"wrk {report.settings.load_version}" if load == "wrk" else "a generator of Pellucid's own"


def _heading(title: str) -> RenderableType:
    return Padding(Text(title, style="bold"), (1, 0, 0, 0))


def _contender(one: Compared) -> RenderableType:
    if one.left_out is not None:
        return Text(f"  {one.title}: left out, {shown(one.left_out)}", style="yellow")
    note = f"; {one.note}" if one.note else ""
    return Text.assemble(
        f"  {one.title} {one.version}", (f" ({one.path}, {one.source}; log: {one.log}{note})", "dim")
    )


def _workload(report: Report, result: Result) -> Iterator[RenderableType]:
    yield _heading(result.title)
    yield Text(result.sentence, style="dim")
    if result.load != report.settings.load:
        yield Text(f"The load is made by {load_name(report, result.load)}.", style="dim")
    columns = [name for name in result.shown if any(name in row.measures for row in result.rows)]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("")
    for name in columns:
        measure = MEASURES[name]
        table.add_column(f"{measure.title}\n{measure.unit}", justify="right", no_wrap=True)
        if name == result.main:
            table.add_column("spread", justify="right", no_wrap=True)
            table.add_column(f"to {report.title(result.base)}", justify="right", no_wrap=True)
    for row in result.rows:
        if row.measures:
            style = "bold" if row.contender == "pellucid" else ""
            table.add_row(report.title(row.contender), *_cells(row, columns, result.main), style=style)
    yield Padding(table, (0, 0, 0, 2))
    yield from (Text(f"  {line}", style="yellow") for line in remarks(report, result))


def _cells(row: Row, columns: list[str], main: str) -> Iterator[str]:
    for name in columns:
        measured = row.measures.get(name)
        yield show(measured.median) if measured else "–"
        if name == main:
            yield spread_of(measured) if measured else ""
            yield show_ratio(measured.ratio.median) if measured and measured.ratio else ""


def spread_of(measured: Measured) -> str:
    """The smallest and the largest."""
    return f"{show(measured.low)}–{show(measured.high)}"


def remarks(report: Report, result: Result) -> Iterator[str]:
    """What has to be said beside a workload's figures: warnings, failures and complaints, each once."""
    yield from result.warnings
    for row in result.rows:
        title = report.title(row.contender)
        if row.failed is not None:
            yield f"{title} failed: {shown(row.failed)}"
        said: dict[str, int] = {}
        for run in row.runs:
            for complaint in run.complaints:
                said[complaint] = said.get(complaint, 0) + 1
        for complaint, times in said.items():
            yield f"{title}: {complaint}" + (f" ({times} times)" if times > 1 else "")


def _summary(figures: list[Figure]) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in ("figure", "measured", "spread", "aimed at", ""):
        table.add_column(title, justify="left" if title in ("figure", "") else "right")
    for one in figures:
        verdict = {
            "reached": Text("reached", "green"),
            "not reached": Text("not reached", "red"),
        }
        judged = verdict_of(one)
        table.add_row(one.title, value_of(one), range_of(one), aim_of(one), verdict.get(judged, Text(judged)))
    return Padding(table, (0, 0, 0, 2))


def value_of(figure: Figure) -> str:
    """The figure with its unit."""
    return "–" if figure.value is None else f"{show(figure.value)} {figure.unit}".strip()


def range_of(figure: Figure) -> str:
    """Its smallest and largest value over the rounds."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{show(figure.low)}–{show(figure.high)}"


def verdict_of(figure: Figure) -> str:
    """Whether it is as good as it is aimed at, in words; none where nothing is aimed at."""
    if figure.reached is None:
        return "not measured"
    if figure.at_most is None and figure.at_least is None:
        return ""
    return "reached" if figure.reached else "not reached"


def aim_of(figure: Figure) -> str:
    """What is aimed at."""
    limit, sign = (figure.at_most, "≤") if figure.at_most is not None else (figure.at_least, "≥")
    return "" if limit is None else f"{sign} {show(limit)} {figure.unit}".strip()
