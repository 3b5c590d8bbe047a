"""Exchanges run in thought: the very rules that the proxy runs, over a store and an origin of the mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from proxy.caching.effects import (
    Answer,
    Arrived,
    Effect,
    Forward,
    Found,
    Freshen,
    Invalidate,
    LookUp,
    Result,
    Store,
    Unreached,
)
from proxy.caching.exchange import Exchange, exchange
from proxy.caching.policy import Policy
from proxy.message.request import Request

Shelf = tuple[Store, ...]
"""What is stored: each as the rules asked to have it stored, its length filled in."""

Origin = Callable[[Request, float], Arrived | Unreached | Found]
"""What comes of a request that is forwarded at a time in seconds since the epoch.

`Found` where it waits for another one's response, and that is stored by then.
"""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How an exchange would end: what was forwarded on the way, and what would be stored afterwards."""

    answer: Answer
    sent: tuple[Request, ...]
    shelf: Shelf


def rehearse(
    request: Request, shelf: Shelf, now: float, origin: Origin, policy: Policy, content: int | None
) -> Rehearsed:
    """Run the rules of one exchange at `now` (seconds since the epoch).

    `content` is how many bytes each content has that the origin sends; None where it can't be kept.
    """
    return rehearse_rules(exchange(request, policy), shelf, now, origin, content)


def rehearse_rules(
    rules: Exchange, shelf: Shelf, now: float, origin: Origin, content: int | None
) -> Rehearsed:
    """Run any rules of an exchange to their answer, as `rehearse` does."""
    sent: list[Request] = []
    held = list(shelf)
    result: Result = None
    while True:
        try:
            effect = rules.send(result)
        except StopIteration as end:
            answer: Answer = end.value
            return Rehearsed(answer, tuple(sent), _with(held, answer.store, content))
        result = None
        if isinstance(effect, Forward):
            sent.append(effect.request)
            result = origin(effect.request, now)
        else:
            result = _perform(effect, held, now)


def _perform(effect: Effect, held: list[Store], now: float) -> Result:
    match effect:
        case LookUp(key, None):
            return Found([one.stored for one in held if one.key == key], now)
        case LookUp(_, label):
            return Found([one.stored for one in held if label in one.labels], now)
        case Freshen(selected, updated):
            held[:] = [replace(one, stored=updated) if one.stored is selected else one for one in held]
        case Invalidate(keys, labels):
            held[:] = [one for one in held if one.key not in keys and _apart(one, labels)]
    return None


def _apart(one: Store, labels: tuple[bytes, ...]) -> bool:
    return set(labels).isdisjoint(one.labels)


def _with(held: list[Store], wanted: Store | None, content: int | None) -> Shelf:
    """What is stored once the content has ended as it should."""
    if wanted is None or (content is None and wanted.extends is None):
        return tuple(held)
    stored = wanted.stored
    if content is not None and stored.complete_length is None:  # of a part of a whole, the rules know it
        complete = None if stored.response.status == 206 else content
        stored = replace(stored, length=content, complete_length=complete)
    staying = [one for one in held if not any(one.stored is gone for gone in wanted.replaces)]
    return (*staying, replace(wanted, stored=stored))
