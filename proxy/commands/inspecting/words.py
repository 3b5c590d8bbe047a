"""Numbers and verdicts as a reader sees them."""

from __future__ import annotations

from datetime import UTC, datetime

from proxy.visibility.inspecting.report import Answer, Severity

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_ANSWERS = {Answer.DEPENDS: "yellow", Answer.DOES_NOT: "green", Answer.UNKNOWN: "dim"}


def sure_shown(confidence: float) -> str:
    """How sure a verdict is; never wholly, as there is always chance."""
    return f"{min(99.9, confidence * 100):.1f} % sure".replace(".0 %", " %")


def count_shown(count: int) -> str:
    """A count with its thousands set apart."""
    return f"{count:,}"


def bytes_shown(size: int) -> str:
    """Bytes in the unit that suits them."""
    value = float(size)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return ""


def share_shown(share: float | None, of: str = "") -> str:
    """A share in percent; empty where it is not known."""
    if share is None:
        return ""
    shown = f"{share * 100:.1f} %".replace(".0 %", " %")
    return f"{shown} {of}".strip()


def seconds_shown(seconds: float | None) -> str:
    """A duration."""
    if seconds is None:
        return ""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def time_shown(moment: float | None) -> str:
    """A moment of a day, in UTC."""
    return "?" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S.%f}"[:-3]


def severity_style(severity: Severity) -> str:
    """The colour of a severity."""
    return _STYLES[severity]


def answer_style(answer: Answer) -> str:
    """The colour of a verdict."""
    return _ANSWERS[answer]
