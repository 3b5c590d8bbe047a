"""A report as text for a terminal, or for a file: readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from proxy.commands.inspecting import tables
from proxy.commands.inspecting.words import (
    bytes_shown,
    count_shown,
    seconds_shown,
    severity_style,
    share_shown,
)
from proxy.commands.plain import text_of
from proxy.commands.shown import shown
from proxy.visibility.inspecting.report import Advice, Finding, Report, Severity, Source

MOST = 20
"""How many endpoints, findings and so on are shown; JSON and HTML have all."""


def show(report: Report, file: TextIO) -> None:
    """Print the report: in colours and as wide as the terminal, plain elsewhere."""
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        console.print(page(report, console.width))
        return
    file.write(render(report, console.width))


def render(report: Report, width: int = 80) -> str:
    """The report as plain text."""
    return text_of(page(report, width), width, colors=False)


def page(report: Report, width: int) -> RenderableType:
    """The whole text, for so many columns: the summary fills about one screen, the details follow."""
    return Group(
        *_summary(report),
        _section("Endpoints", [tables.endpoints(report, MOST, width)], report.endpoints),
        _section("What content depends on", tables.dependence(report, MOST), report.endpoints),
        _section("Credentials", tables.credentials(report, MOST), report.credentials),
        _section("Findings", map(_finding, _grave(report)[:MOST]), _grave(report)),
        _section("What if", map(tables.prediction, report.predictions[:MOST]), report.predictions),
        _section("Reasons", [tables.reasons(report, MOST)], report.reasons),
        _section("Slowest", [tables.exchanges(report.slowest[:10])], report.slowest),
        _section("Errors", [tables.errors(report, MOST)], report.errors),
        _section("What these logs don't say", [tables.lacking(report)], report.lacking),
        _section("Read", _sources(report), report.sources),
    )


def _grave(report: Report) -> list[Finding]:
    """The findings but for those that are mere remarks."""
    return [one for one in report.findings if one.severity is not Severity.INFO]


def _section(title: str, body: Iterable[RenderableType], things: object) -> RenderableType:
    if not things:
        return Group()
    return Group(Text(), Text(title, style="bold"), Padding(Group(*body), (0, 0, 0, 2)))


def _summary(report: Report) -> Iterator[RenderableType]:
    figures, opacity = report.summary.figures, report.summary.opacity
    yield Text(_title(report), style="bold")
    if report.filters:
        yield Text(f"only: {'; '.join(map(shown, report.filters))}", style="dim")
    yield Text()
    yield _line(
        "Hits",
        share_shown(figures.hit_ratio, "of requests"),
        share_shown(figures.byte_hit_ratio, "of bytes"),
        f"{count_shown(figures.hits)} of {count_shown(figures.told)}"
        if figures.told
        else "the logs don't say",
    )
    yield _line(
        "Origin",
        f"{count_shown(figures.origin_requests)} requests",
        f"{bytes_shown(figures.origin_bytes)} of content",
    )
    yield _line(
        "Opacity",
        share_shown(opacity.share, "of messages can't be decided about from the message alone")
        if opacity.judged
        else "the logs don't say: they lack Cache-Control",
    )
    if opacity.opaque:
        yield _line(
            "",
            f"{count_shown(opacity.not_explicit)} don't say if they may be kept",
            f"{count_shown(opacity.not_stateless)} hang on hidden state",
        )
    yield from _further(report)
    for finding in report.summary.worst:
        yield Text.assemble(
            "\n", (f"{finding.severity.upper()} ", severity_style(finding.severity)), _at(finding)
        )
        yield Padding(Text(shown(finding.sentence)), (0, 0, 0, 2))
    if report.summary.advice:
        yield Text("\nWhat costs most", style="bold")
    for number, advice in enumerate(report.summary.advice, 1):
        yield from _advice(number, advice)


def _further(report: Report) -> Iterator[RenderableType]:
    figures, sampling = report.summary.figures, report.sampling
    durations = figures.durations
    if durations.known:
        named = (("median", durations.median), ("95 %", durations.p95), ("99 %", durations.p99))
        yield _line("Durations", *(f"{name} {seconds_shown(value)}" for name, value in named))
    if figures.errors or figures.refused:
        errors, refused = count_shown(figures.errors), count_shown(figures.refused)
        yield _line("Errors", f"{errors} of servers", f"{refused} of clients")
    if not sampling.exact and sampling.kept:
        yield _line("Sample", f"{count_shown(sampling.kept)} exchanges were looked at one by one")


def _title(report: Report) -> str:
    total = count_shown(report.summary.figures.exchanges)
    if report.first is None or report.last is None:
        return f"{total} exchanges"
    first, last = (datetime.fromtimestamp(one, UTC) for one in (report.first, report.last))
    return f"{total} exchanges, {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def _line(label: str, *parts: str) -> Text:
    return Text.assemble((f"{label:<11}", "cyan"), ", ".join(part for part in parts if part))


def _at(finding: Finding) -> str:
    return ", ".join(map(shown, finding.endpoints[:3]))


def _advice(number: int, advice: Advice) -> Iterator[RenderableType]:
    cost = advice.cost
    yield Text.assemble(
        f"{number}. ",
        (cost.cause, "bold"),
        f"  {count_shown(cost.requests)} requests, {bytes_shown(cost.bytes)}",
        f"  at {', '.join(map(shown, advice.endpoints[:3]))}",
    )
    yield Padding(Text(advice.advice), (0, 0, 0, 3))
    if advice.prediction is not None:
        yield Padding(Text(shown(advice.prediction.sentence), style="green"), (0, 0, 0, 3))


def _finding(finding: Finding) -> RenderableType:
    lines: list[RenderableType] = [
        Text.assemble(
            (f"{finding.severity:<8} ", severity_style(finding.severity)),
            (finding.slug, "bold"),
            f"  {count_shown(finding.count)} exchanges at {_at(finding)}" if finding.endpoints else "",
        ),
        Padding(Text(shown(finding.sentence)), (0, 0, 0, 4)),
    ]
    if finding.advice:
        lines.append(Padding(Text(shown(finding.advice), style="green"), (0, 0, 0, 4)))
    said = ", ".join(filter(None, (finding.source, finding.evidence)))
    if said:
        lines.append(Padding(Text(shown(said), style="dim"), (0, 0, 0, 4)))
    return Group(*lines)


def _sources(report: Report) -> Iterator[RenderableType]:
    for source in report.sources:
        yield Text(shown(f"{source.name}: {source.format or 'no known format'}, {_read(source)}"))
        for fault in source.faults:
            yield Padding(Text(shown(f"line {fault.line}: {fault.why}"), style="yellow"), (0, 0, 0, 2))


def _read(source: Source) -> str:
    left = f", {count_shown(source.left_out)} lines left out" if source.left_out else ""
    return f"{count_shown(source.exchanges)} exchanges{left}"
