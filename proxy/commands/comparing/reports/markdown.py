"""The summary as a table in Markdown, for a README."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.commands.comparing.reports.text import aim_of, load_name, range_of, value_of, verdict_of
from proxy.commands.comparing.results import Report


def render(report: Report) -> str:
    """The command, the table of figures, and what they were measured with."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from ("```console", f"$ {' '.join(report.command)}", "```", "")
    yield "| figure | measured | of the rounds | aimed at | |"
    yield "|---|---:|---:|---:|---|"
    for one in report.figures:
        yield f"| {one.title} | {value_of(one)} | {range_of(one)} | {aim_of(one)} | {verdict_of(one)} |"
    machine, settings = report.machine, report.settings
    there = [f"{one.title} {one.version} ({one.source})" for one in report.contenders if one.left_out is None]
    yield ""
    yield (
        f"{machine.processor}, {machine.cores} cores, {machine.system}, {machine.python}; medians of"
        f" {settings.repeats} rounds of {settings.seconds:g} s, {settings.connections} connections, load by"
        f" {load_name(report, settings.load)}; {', '.join(there)}."
    )
    for warning in report.warnings:
        yield f"\n**{warning}**"
