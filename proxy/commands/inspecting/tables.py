"""The details of a report: one table or list for each part of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proxy.commands.inspecting.words import (
    answer_style,
    bytes_shown,
    count_shown,
    seconds_shown,
    share_shown,
    sure_shown,
    time_shown,
)
from proxy.commands.shown import shown
from proxy.visibility.inspecting.report import Answer, Credential, Dependence, Exchange, Prediction, Report

_NARROW = 100


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="cyan", pad_edge=False)
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in right else "left",
            overflow="fold",
            no_wrap=name in right,
        )
    return table


def endpoints(report: Report, most: int, width: int) -> RenderableType:
    """Every endpoint on a line."""
    wide = width >= _NARROW
    names = ["endpoint", "requests", "hits", "bytes", "opaque", "state"]
    numbers = ["requests", "hits", "bytes", "opaque"]
    if wide:
        names[4:4] = ["errors", "median", "p99"]
        numbers += ["errors", "median", "p99"]
    table = _table(*names, right=numbers)
    for one in report.endpoints[:most]:
        figures = one.figures
        cells = [
            shown(one.name),
            count_shown(figures.exchanges),
            share_shown(figures.hit_ratio) or "?",
            bytes_shown(figures.bytes),
        ]
        if wide:
            cells += [
                count_shown(figures.errors),
                seconds_shown(figures.durations.median),
                seconds_shown(figures.durations.p99),
            ]
        table.add_row(*cells, share_shown(one.opacity.share) or "?", one.style)
    return _with_rest(table, len(report.endpoints) - most)


def dependence(report: Report, most: int) -> Iterator[RenderableType]:
    """What is known of each endpoint's content; what nothing is known of in one line."""
    for one in report.endpoints[:most]:
        telling = [verdict for verdict in one.dependence if _tells(verdict)]
        if not telling:
            continue
        yield Text(shown(one.name), style="bold")
        for verdict in telling:
            yield Padding(_verdict(verdict), (0, 0, 0, 2))
        unseen = [verdict.candidate for verdict in one.dependence if not _tells(verdict)]
        if unseen:
            yield Padding(Text(f"not enough seen of {shown(', '.join(unseen))}", style="dim"), (0, 0, 0, 2))


def _tells(verdict: Dependence) -> bool:
    return verdict.answer is not Answer.UNKNOWN or bool(verdict.together_with and verdict.different)


def _verdict(verdict: Dependence) -> Text:
    undeclared = ("  undeclared", "bold red") if verdict.declared is False else ""
    sure = f"  {sure_shown(verdict.confidence)}" if verdict.confidence else ""
    seen = [f"{one.id or time_shown(one.time)} ({one.detail})" for one in verdict.examples[:3]]
    examples = shown(", ".join(seen)) if seen and verdict.answer is Answer.DEPENDS else ""
    return Text.assemble(
        (shown(verdict.sentence), answer_style(verdict.answer)),
        (sure, "dim"),
        undeclared,
        (f"\n{examples}" if examples else "", "dim"),
    )


def credentials(report: Report, most: int) -> Iterator[RenderableType]:
    """Every credential, with what shows its kind."""
    for one in report.credentials[:most]:
        yield Text.assemble(
            (f"{one.where} {shown(one.name)}", "bold"),
            f"  {one.kind}",
            f" ({shown(one.format)})" if one.format else "",
            (f"  {sure_shown(one.confidence)}", "dim"),
        )
        yield Padding(_about(one), (0, 0, 0, 2))
    left = len(report.credentials) - most
    if left > 0:
        yield Text(f"and {left} more", style="dim")


def _about(one: Credential) -> RenderableType:
    number = f"{'' if one.values_exact else 'about '}{count_shown(one.values)} values"
    lines = [f"{number}, sent {count_shown(one.sent)} times, set {count_shown(one.set)} times"]
    if one.set_by:
        lines.append(f"set by {', '.join(one.set_by)}")
    if one.read_by:
        lines.append(f"content depends on it at {', '.join(one.read_by)}")
    if one.example is not None:
        lines.append(f"for example {one.example}")
    lines += [f"· {evidence}" for evidence in one.evidence[:4]]
    return Group(*(Text(shown(line)) for line in lines))


def prediction(one: Prediction) -> RenderableType:
    """What a set of changes would bring, and what it supposes."""
    lines: list[RenderableType] = [Text(shown(one.sentence))]
    assumed = one.assumes[:-1]  # the last one holds for all of them
    lines += [Padding(Text(shown(about), style="yellow"), (0, 0, 0, 2)) for about in assumed]
    for change in one.changes:
        if change.provided:
            lines.append(Padding(Text(f"right if {shown(change.provided)}", style="dim"), (0, 0, 0, 2)))
        if change.supposes:
            lines.append(Padding(Text(shown(change.supposes), style="yellow"), (0, 0, 0, 2)))
    return Group(*lines)


def reasons(report: Report, most: int) -> RenderableType:
    """How often each reason was given."""
    table = _table("reason", "first", "at all", "what it says", right=("first", "at all"))
    for one in report.reasons[:most]:
        table.add_row(shown(one.slug), count_shown(one.main), count_shown(one.all), shown(one.sentence))
    return _with_rest(table, len(report.reasons) - most)


def exchanges(found: Sequence[Exchange]) -> RenderableType:
    """Single exchanges, each on a line."""
    table = _table("took", "request", "status", "id", right=("took", "status"))
    for one in found:
        asked = shown(f"{one.method} {one.target}")
        table.add_row(seconds_shown(one.duration), asked[:60], str(one.status or "none"), shown(one.id[-12:]))
    return table


def errors(report: Report, most: int) -> RenderableType:
    """What went wrong where, and how often."""
    table = _table("times", "status", "endpoint", "error", right=("times", "status"))
    for one in report.errors[:most]:
        table.add_row(
            count_shown(one.count), str(one.status or "none"), shown(one.endpoint), shown(one.error)
        )
    return _with_rest(table, len(report.errors) - most)


def lacking(report: Report) -> RenderableType:
    """What can't be said, and which field of the log would help."""
    table = _table("what can't be said", "what each line would have to hold")
    for one in report.lacking:
        table.add_row(one.verdict, one.needs)
    return table


def _with_rest(table: Table, left: int) -> RenderableType:
    return Group(table, Text(f"and {left} more", style="dim")) if left > 0 else table
