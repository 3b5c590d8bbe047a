"""Whether a request may be sent to another server: pure, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.upstream.fleet.repeating import Repeatable

UNWELL = frozenset((502, 503, 504))
"""Status codes by which a server says that it, or what is behind it, can't answer at the moment."""

_EACH_SECOND = 3.0
"""How many retries a second there may be, however few requests come."""

_MOST_SAVED = 100.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How many retries there may be at the moment. `saved` at `since`, in seconds by any one clock.

    Without it a failing fleet would get several times the load that it fails under.
    """

    saved: float = 10.0
    since: float = 0.0


def deposited(budget: Budget, share: float) -> Budget:
    """After one more request: `share` of a retry more."""
    return replace(budget, saved=min(_MOST_SAVED, budget.saved + share))


def refilled(budget: Budget, now: float) -> Budget:
    """With what the time has brought."""
    gained = max(0.0, now - budget.since) * _EACH_SECOND
    return Budget(max(budget.saved, min(_EACH_SECOND, budget.saved + gained)), now)


def withdrawn(budget: Budget) -> Budget | None:
    """After one retry; None where there is none left."""
    return replace(budget, saved=budget.saved - 1) if budget.saved >= 1 else None


@dataclass(frozen=True, slots=True)
class Failed:
    """How the last try ended. `sent`: some of the request had been sent. `read`: content of the request is
    gone, so that it can't be sent again."""

    sent: bool
    read: bool


def verdict(
    failed: Failed, said: Repeatable, *, tried: int, tries: int, others: int, affordable: bool
) -> tuple[bool, str]:
    """Whether to try another server, and why (not), in words for the record; `said` is what the request says.

    RFC 9110 §9.2.2: a request that was not idempotent may have been acted upon, unless nothing was sent.
    """
    if failed.read:
        return False, "not tried elsewhere: its content has been read already"
    if failed.sent and not said.may:
        return False, f"not tried elsewhere: {said.why}"
    if not others:
        return False, "not tried elsewhere: there is no other server to ask"
    if tried >= tries:
        return False, f"not tried elsewhere: {tried} servers were asked"
    if not affordable:
        return False, "not tried elsewhere: too many requests are tried again already"
    why = said.why if failed.sent else "nothing had been sent"
    return True, f"tried elsewhere: {why}" + (f"; {said.doubt}" if said.doubt else "")
