"""Seconds as people say them."""

from __future__ import annotations

_UNITS = ((31_536_000, "year"), (86_400, "day"), (3_600, "h"), (60, "min"), (1, "s"))
_ROUNDED_TO = ((864_000, 86_400), (36_000, 3_600), (600, 60))
"""From so many seconds on, so many make no difference."""


def duration(seconds: float) -> str:
    """About so long, in at most two units: `60 s`, `90 s`, `1 h 30 min`, `2 days`."""
    grain = next((grain for limit, grain in _ROUNDED_TO if seconds >= limit), 1)
    left = round(seconds / grain) * grain
    if left < 120:
        return f"{left} s"
    pieces: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            plural = "s" if count > 1 and unit in ("year", "day") else ""
            pieces.append(f"{count} {unit}{plural}")
        if len(pieces) == 2 or (pieces and not left):
            break
    return " ".join(pieces)
