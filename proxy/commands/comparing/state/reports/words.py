"""Figures as they are read, the same in text and on the page."""

from __future__ import annotations

from proxy.commands.comparing.measures import show
from proxy.commands.comparing.state.figures import SCENARIOS
from proxy.commands.comparing.state.results import Figure, Report, Row
from proxy.commands.comparing.state.verdicts import Verdict

MARKS = {Verdict.BETTER: "▲", Verdict.WORSE: "▼", Verdict.EVEN: "=", Verdict.BASE: "", Verdict.NONE: ""}


def value_of(row: Row | None) -> str:
    """The median."""
    return "–" if row is None else show(row.median)


def range_of(row: Row | None) -> str:
    """The smallest and the largest of the samples, where they differ."""
    if row is None or show(row.low) == show(row.high):
        return ""
    return f"{show(row.low)}–{show(row.high)}"


def full_value(row: Row | None) -> str:
    """Both."""
    spread = range_of(row)
    return f"{value_of(row)} ({spread})" if spread else value_of(row)


def place_of(at: float | None, axis: str) -> str:
    """A place of an axis with what it is."""
    return "" if at is None else f"{at:,.0f} {axis}"


def title_of(figure: Figure, at: float | None = None) -> str:
    """A figure's title with its scenario, unit and place."""
    scenario = SCENARIOS.get(figure.name.partition(".")[0])
    title = f"{scenario.title}: {figure.title}" if scenario else figure.title[0].upper() + figure.title[1:]
    unit = f", {figure.unit}" if figure.unit else ""
    place = f" ({place_of(at, figure.axis)})" if at is not None else ""
    return f"{title}{unit}{place}"


def balance_of(report: Report) -> str:
    """Whether all accounts balance, in a sentence."""
    wrong = [run for run in report.runs if run.faults]
    requests = sum(run.account.sent for run in report.runs)
    if not report.runs:
        return "No shoppers were sent."
    if wrong:
        return f"{len(wrong)} of {len(report.runs)} runs don't balance: their figures are not to be trusted."
    return (
        f"All {len(report.runs)} runs balance: each of {requests:,} requests was answered, or failed and was"
        " asked again or given up; each cart was ordered, left, found again or counted as lost."
    )


def remake(report: Report, part: str) -> str:
    """The command that measures a part again, in the same way."""
    settings = report.settings
    names = [one.name for one in report.variants if one.left_out is None]
    command = f"pellucid compare state --only {part}"
    if settings.quick:
        command += " --quick"
    command += f" --repeats {settings.repeats} --seconds {settings.seconds:g}"
    return command + f" --styles {','.join(names)}"
