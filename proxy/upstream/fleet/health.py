"""Whether a server is well, from how its exchanges went: pure, time is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from statistics import median

from proxy.upstream.fleet.settings import BalanceSettings

_LEAST_SHARE = 0.1
"""What a server begins with when it is eased back in."""

_ENOUGH = 20
"""Responses after which the time that they took tells something."""

_SMOOTHED = 0.1
"""The weight of the newest in the moving average of times."""

_NOT_SLOW = 0.05
"""Seconds: a server that is quicker than this is never left out for being slower than others."""


class Sign(Enum):
    """What one exchange, or one check, said of a server."""

    GOOD = auto()
    BAD = auto()
    """It answered 502, 503 or 504, too late, not to the end, or what is no HTTP."""
    GONE = auto()
    """It could not be reached."""


@dataclass(frozen=True, slots=True)
class Health:
    """A server's condition. Times are in seconds by any one clock.

    `failures` are those in a row. It is not asked before `out_until` and until something good was heard of it
    after that (`out`). Since `back` it is eased in. `relapses` counts how often it was left out without
    having been well for long in between. `late` is the moving average of the seconds to a response's first
    byte, over `heard` responses.
    """

    failures: int = 0
    out: bool = False
    out_until: float = 0.0
    back: float | None = None
    relapses: int = 0
    late: float = 0.0
    heard: int = 0
    why: str = ""


def after(health: Health, sign: Sign, now: float, rules: BalanceSettings, why: str = "") -> Health:
    """The condition after one more sign; `why` says what was bad in a few words."""
    if sign is Sign.GOOD:
        if health.out:
            if now < health.out_until:
                return health  # an exchange that had begun before
            return replace(health, failures=0, out=False, back=now, why="")
        settled = health.back is not None and now - health.back > rules.ease + rules.longest_out
        return replace(health, failures=0, relapses=0 if settled else health.relapses)
    failures = health.failures + 1
    if health.out and now < health.out_until:
        return replace(health, failures=failures)
    if sign is Sign.BAD and failures < rules.failures and not health.out:
        return replace(health, failures=failures)
    return left_out(replace(health, failures=failures), now, rules, why)


def left_out(health: Health, now: float, rules: BalanceSettings, why: str) -> Health:
    """The condition of a server that is not to be asked for a while: longer each time."""
    seconds = min(rules.longest_out, rules.out * 2.0 ** min(health.relapses, 30))
    return replace(
        health, out=True, out_until=now + seconds, back=None, relapses=health.relapses + 1, why=why, heard=0
    )


def timed(health: Health, seconds: float) -> Health:
    """The condition after a response that began after so many seconds."""
    if not health.heard:
        return replace(health, late=seconds, heard=1)
    return replace(health, late=health.late + _SMOOTHED * (seconds - health.late), heard=health.heard + 1)


def share(health: Health, now: float, rules: BalanceSettings) -> float:
    """How much of its usual share of requests a server gets: 0 while it is left out, at most 1."""
    if health.out:
        return 0.0
    if health.back is None or rules.ease <= 0:
        return 1.0
    return min(1.0, _LEAST_SHARE + (1 - _LEAST_SHARE) * max(0.0, now - health.back) / rules.ease)


def due(health: Health, now: float) -> bool:
    """Whether it is time to try a server that is left out."""
    return health.out and now >= health.out_until


def slow_one(fleet: Mapping[str, Health], rules: BalanceSettings) -> str | None:
    """The server that answers so much later than the others that it is to be left out; None: there is none.

    At most half of all servers are left out for that, so that a fleet that is slow as a whole stays.
    """
    if rules.slow <= 0:
        return None
    well = {name: one for name, one in fleet.items() if not one.out}
    known = {name: one.late for name, one in well.items() if one.heard >= _ENOUGH}
    if len(known) < 2 or (len(fleet) - len(well) + 1) * 2 > len(fleet):
        return None
    slowest = max(known, key=lambda name: known[name])
    others = median(late for name, late in known.items() if name != slowest)
    late = known[slowest]
    return slowest if late > max(_NOT_SLOW, rules.slow * others) else None
