"""Exchanges as examples in a report, without anything in them that nobody should see."""

from __future__ import annotations

from proxy.visibility.inspecting.report import Exchange
from proxy.visibility.inspecting.tally import ENDLESS
from proxy.visibility.inspecting.timeline import LAST
from proxy.visibility.observation import Observation

_LONGEST = 200


def shown(exchange: Observation, detail: str = "") -> Exchange:
    """One exchange as an example; `detail` says what it is an example of."""
    return Exchange(
        exchange.id,
        exchange.time if 0 <= exchange.time <= LAST else None,
        exchange.method,
        exchange.target[:_LONGEST],
        exchange.status,
        max(0, exchange.response_bytes),
        _number(exchange.duration),
        exchange.client,
        detail,
    )


def _number(value: float) -> float | None:
    return value if -ENDLESS < value < ENDLESS else None


def listed(words: tuple[str, ...] | list[str]) -> str:
    """Words as a sentence lists them: `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def percent(share: float) -> str:
    """A share in percent, as exact as it is worth saying."""
    value = share * 100
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.1f} %"


def amount(number: float) -> str:
    """A count with its thousands set apart."""
    return f"{number:,.0f}"
