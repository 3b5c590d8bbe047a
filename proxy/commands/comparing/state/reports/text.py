"""The measurement as text: what stands to what, then a table for each part."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proxy.commands.comparing.state.figures import PART_TITLES, SCENARIOS
from proxy.commands.comparing.state.reports.words import (
    MARKS,
    balance_of,
    full_value,
    place_of,
    title_of,
    value_of,
)
from proxy.commands.comparing.state.results import Figure, Report
from proxy.commands.comparing.state.variants import RELIABILITY
from proxy.commands.comparing.state.verdicts import Verdict, sheet
from proxy.commands.plain import text_of
from proxy.commands.shown import shown

_PLAIN_WIDTH = 150
_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red", Verdict.EVEN: "dim"}


def render(report: Report, console: Console | None = None, *, colors: bool = True) -> str:
    """The whole text: in colours and as wide as the terminal, plain elsewhere and where that is wanted."""
    return text_of(Group(*_parts(report)), _PLAIN_WIDTH, console, colors=colors)


def _parts(report: Report) -> Iterator[RenderableType]:
    machine, settings = report.machine, report.settings
    yield Text("What statelessness buys, and what it costs", style="bold")
    yield Text(
        f"{machine.processor}, {machine.cores} cores, {machine.system}, {machine.python}, {report.store}"
    )
    yield Text(f"{settings.repeats} rounds; medians, and the smallest and largest of the rounds")
    if report.interrupted:
        yield Text("! Broken off: this is what there is.", style="yellow")
    for text in (*report.warnings, *report.complaints):
        yield Text(f"! {shown(text)}", style="yellow")
    yield Text()
    for one in report.variants:
        told = f"left out: {shown(one.left_out)}" if one.left_out is not None else f"state is {one.where}"
        yield Text.assemble(f"  {one.title}", (f" ({one.name}): {told}", "dim"))
    for part, (title, sentence) in PART_TITLES.items():
        figures = [one for one in report.figures if one.part == part]
        if figures:
            yield _heading(title)
            yield Text(sentence, style="dim")
            yield from _reliability(report, figures) if part == RELIABILITY else _figures(report, figures)
    yield from _hidden(report)
    yield _heading("Held against sessions")
    yield _sheet(report)
    yield Text()
    yield Text(balance_of(report))
    yield Text(f"Made in {report.seconds / 60:.1f} min by: {shown(' '.join(report.command))}", style="dim")


def _heading(title: str) -> RenderableType:
    return Padding(Text(title, style="bold"), (1, 0, 0, 0))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for number, title in enumerate(columns):
        table.add_column(title, justify="right" if number else "left")
    return table


def _figures(report: Report, figures: list[Figure]) -> Iterator[RenderableType]:
    plain = [one for one in figures if not one.axis]
    if plain:
        yield Padding(_matrix(report, plain), (0, 0, 0, 2))
    for figure in figures:
        if figure.axis:
            yield Padding(Text(f"{title_of(figure)}, along {figure.axis}"), (1, 0, 0, 2))
            places = sorted({row.at for row in figure.rows if row.at is not None})
            table = _table("", *(f"{at:,.0f}" for at in places))
            for variant in _variants(report, [figure]):
                cells = (value_of(figure.row(variant, at)) for at in places)
                table.add_row(report.title(variant), *cells)
            yield Padding(table, (0, 0, 0, 4))


def _matrix(report: Report, figures: list[Figure]) -> Table:
    """Figures as columns, variants as rows."""
    titles = (f"{one.title}\n{one.unit}" if one.unit else one.title for one in figures)
    table = _table("", *titles)
    for variant in _variants(report, figures):
        table.add_row(report.title(variant), *(full_value(one.row(variant)) for one in figures))
    return table


def _reliability(report: Report, figures: list[Figure]) -> Iterator[RenderableType]:
    for name, scenario in SCENARIOS.items():
        found = [one for one in figures if one.name.partition(".")[0] == name]
        if found:
            yield Padding(Text(scenario.title), (1, 0, 0, 2))
            yield Padding(Text(scenario.sentence, style="dim"), (0, 0, 0, 2))
            yield Padding(_matrix(report, found), (0, 0, 0, 4))


def _variants(report: Report, figures: list[Figure]) -> list[str]:
    """Those that were measured, in the usual order."""
    measured = {row.variant for one in figures for row in one.rows}
    return [one.name for one in report.variants if one.name in measured]


def _hidden(report: Report) -> Iterator[RenderableType]:
    if report.hidden:
        yield _heading("What `pellucid inspect` says hides the rest")
    for one in sorted(
        report.hidden, key=lambda one: [each.name for each in report.variants].index(one.variant)
    ):
        yield Padding(Text(report.title(one.variant)), (0, 0, 0, 2))
        for cause in one.causes:
            yield Padding(Text(f"{cause.share:.0%} of requests: {cause.sentence}"), (0, 0, 0, 4))
        for told in one.credentials:
            yield Padding(Text(shown(told), style="dim"), (0, 0, 0, 4))


def _sheet(report: Report) -> RenderableType:
    """Every figure with its verdict for every variant."""
    names = [one.name for one in report.variants if one.left_out is None]
    table = _table("", *names)
    for line in sheet(report):
        cells = [
            Text(f"{value_of(cell.row)} {MARKS[cell.verdict]:1}", style=_STYLES.get(cell.verdict, ""))
            for cell in line.cells
        ]
        place = f" ({place_of(line.at, line.figure.axis)})" if line.at is not None else ""
        title = title_of(line.figure) + place
        table.add_row(title, *cells)
    return Padding(table, (0, 0, 0, 2))
