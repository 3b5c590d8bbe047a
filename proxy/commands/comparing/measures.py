"""What is measured, each thing under one name: its title, its unit, and whether more of it is better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which way is better."""

    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured. `sentence` explains it to somebody who has not seen it before."""

    name: str
    title: str
    unit: str
    better: Better
    sentence: str


_LESS, _MORE = Better.LESS, Better.MORE
MEASURES = {
    one.name: one
    for one in (
        Measure(
            *("processor_microseconds", "processor", "µs/request", _LESS),
            "User and system time of the server's processes per request, what writes its log included.",
        ),
        Measure(
            *("requests_per_second", "requests", "/s", _MORE),
            "Whole answers per second, as fast as one core gives them.",
        ),
        Measure(
            *("megabytes_per_second", "throughput", "MB/s", _MORE),
            "Content per second, in millions of bytes.",
        ),
        Measure(*("p50_milliseconds", "p50", "ms", _LESS), "Half of all answers took no longer."),
        Measure(*("p99_milliseconds", "p99", "ms", _LESS), "99 of 100 answers took no longer."),
        Measure(*("p999_milliseconds", "p99.9", "ms", _LESS), "999 of 1,000 answers took no longer."),
        Measure(
            *("late_milliseconds", "sent late", "ms", _LESS),
            "99 of 100 requests were sent no later than this after they were due; their time counts it.",
        ),
        Measure(
            *("whole_milliseconds", "all answered", "ms", _LESS),
            "From the first request to the end of the last answer.",
        ),
        Measure(
            *("origin_requests", "origin", "requests", _LESS),
            "Requests that reached the origin server meanwhile.",
        ),
        Measure(
            *("start_milliseconds", "first answer", "ms", _LESS),
            "From starting the process to the end of its first answer, passed on from the origin.",
        ),
        Measure(
            *("connection_kibibytes", "per connection", "KiB", _LESS),
            "Memory that the open connections added, shared out among them.",
        ),
        Measure(
            *("resident_mebibytes", "memory", "MiB", _LESS),
            "What the server's processes held at the end; pages that several share count once.",
        ),
        Measure(
            *("hit_ratio", "hits before", "", _MORE),
            "Of the requests before the restart, how many the origin was not asked for.",
        ),
        Measure(
            *("hit_ratio_after", "hits after", "", _MORE),
            "Of as many requests after the restart, how many the origin was not asked for.",
        ),
        Measure(
            *("kept_ratio", "after to before", "×", _MORE),
            "The hit ratio after the restart, to that before.",
        ),
        Measure(
            *("old_answers", "old answers", "", _LESS),
            "Answers with what was purged, to requests that were sent after the purge had been answered.",
        ),
        Measure(*("answers", "answers", "", _MORE), "Answers that were looked at meanwhile."),
        Measure(
            *("purge_milliseconds", "purge", "ms", _LESS),
            "From sending a purge to its answer; half of all took no longer.",
        ),
        Measure(
            *("seen_milliseconds", "seen after", "ms", _LESS),
            "From the answer to a purge until nobody was given anymore what was purged, at most.",
        ),
        Measure(*("purged_entries", "entries", "", _MORE), "How many entries one purge was about."),
        Measure(
            *("errors", "errors", "", _LESS),
            "Requests without a whole answer with status 200 and the right content.",
        ),
        Measure(
            *("generator_percent", "load", "% of a core", _LESS),
            "What of its core the load generator needed, and the origin where it is on the same one.",
        ),
    )
}
"""By name, in the order in which they are shown."""


def show(value: float) -> str:
    """A figure with three digits that count, and thousands set apart."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def show_ratio(value: float) -> str:
    """How often one figure contains another."""
    return f"{value:.2f} ×" if value < 10 else f"{value:,.0f} ×"
