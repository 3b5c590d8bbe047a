"""Pages from templates. What comes from messages is escaped wherever it stands: anybody may have sent it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from proxy.commands.shown import shown

_DURATIONS = ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s"), (7200.0, 1 / 60, "min"))


def render(
    package: str, template: str, filters: dict[str, Callable[..., Any]] | None = None, **values: Any
) -> str:
    """The page that `template`, a file beside the modules of `package`, makes of `values`.

    `filters` are its own beside those of every page: `number`, `percent`, `size`, `duration`, `moment`,
    `shown` (text from messages, without control characters) and `coded` (our own sentences).
    """
    environment = _environment(package).overlay()
    environment.filters = {**environment.filters, **(filters or {})}
    return environment.get_template(template).render(style=_style(), **values)


@cache
def _environment(package: str) -> Environment:
    loader = ChoiceLoader([PackageLoader(package, ""), PackageLoader("proxy.commands.pages", "")])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "size": size,
        "duration": duration,
        "moment": moment,
        "shown": shown,
        "coded": coded,
    }
    return environment


@cache
def _style() -> Markup:
    return Markup(files("proxy.commands.pages").joinpath("page.css").read_text("utf-8"))


def coded(text: str) -> Markup:
    """The same as HTML, where what stands between back quotes is code."""
    pieces = [escape(piece) for piece in shown(text).split("`")]
    if len(pieces) % 2 == 0:
        return escape(shown(text))
    marked = (f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
    return Markup("".join(marked))


def number(value: float) -> str:
    """A number with thin spaces between its thousands."""
    return f"{value:,.0f}".replace(",", "\u202f")


def percent(share: float | None) -> str:
    """A share as people read it; a dash where there is none."""
    if share is None:
        return "–"
    hundred = share * 100
    return f"{hundred:.0f} %" if hundred in (0, 100) or 10 <= hundred <= 99 else f"{hundred:.1f} %"


def size(count: float) -> str:
    """Bytes in the largest fitting unit."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(count) < 1000 or unit == "TB":
            return f"{count:.0f} {unit}" if unit == "B" or abs(count) >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def duration(seconds: float | None) -> str:
    """A duration in the largest fitting unit; a dash where it isn't known."""
    if seconds is None:
        return "–"
    for limit, factor, unit in _DURATIONS:
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds / 3600:.3g} h"


def moment(seconds: float | None) -> str:
    """A moment in UTC, to the second; a dash where it isn't known or can't be told as a date."""
    if seconds is None:
        return "–"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "–"
