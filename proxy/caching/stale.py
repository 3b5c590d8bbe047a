"""When a stale response may be served (RFC 9111 §4.2.4, RFC 5861)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from proxy.caching.decision import Because
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import Effective
from proxy.message.cache_control import Directives

# Prohibitions, for whatever reason the cache would serve it.
NO_CACHE_WHEN_STALE = declare(
    "no-cache-when-stale",
    "RFC 9111 §5.2.2.4",
    "no-cache forbids any use without validation, also by caches that are set to serve stale responses.",
)
MUST_REVALIDATE = declare(
    "must-revalidate",
    "RFC 9111 §5.2.2.2",
    "must-revalidate forbids any use of the response once it is stale.",
)
PROXY_REVALIDATE = declare(
    "proxy-revalidate",
    "RFC 9111 §5.2.2.8",
    "proxy-revalidate forbids shared caches any use of the response once it is stale.",
)
S_MAXAGE_WHEN_STALE = declare(
    "s-maxage-when-stale",
    "RFC 9111 §5.2.2.10",
    "s-maxage implies proxy-revalidate: shared caches can't use the response once it is stale.",
)
INVALIDATED_WHEN_STALE = declare(
    "invalidated-when-stale",
    "RFC 9111 §4.4",
    "The response was invalidated, so it can't be used without validation.",
)
REQUEST_REFUSES_STALE = declare(
    "request-refuses-stale",
    "RFC 9111 §5.2.1.1",
    "The request limits what it takes from a cache, and does not accept a stale response.",
)

# Permissions, and where they end.
STALE_WHILE_REVALIDATE = declare(
    "stale-while-revalidate",
    "RFC 5861 §3",
    "The response may be served stale for a while as it is validated in the background.",
)
PAST_STALE_WHILE_REVALIDATE = declare(
    "past-stale-while-revalidate",
    "RFC 5861 §3",
    "The response is staler than stale-while-revalidate permits.",
)
NO_STALE_WHILE_REVALIDATE = declare(
    "no-stale-while-revalidate",
    "RFC 9111 §4.2.4",
    "Nothing permits to serve the response stale as it is validated in the background.",
)
STALE_IF_ERROR = declare(
    "stale-if-error", "RFC 5861 §4", "A stale response may be served in the place of an error."
)
PAST_STALE_IF_ERROR = declare(
    "past-stale-if-error", "RFC 5861 §4", "The response is staler than stale-if-error permits."
)
NO_STALE_IF_ERROR = declare(
    "no-stale-if-error",
    "RFC 9111 §4.2.4",
    "The origin server answered with an error, and nothing permits a stale response in its place.",
)
DISCONNECTED = declare(
    "disconnected",
    "RFC 9111 §4.2.4",
    "The origin server can't be reached, so a stale response may be served.",
)
PAST_STALE_LIMIT = declare(
    "past-stale-limit",
    "RFC 9111 §4.2.4",
    "The origin server can't be reached, but the response is staler than this cache is set to serve.",
)
MAX_STALE = declare("max-stale", "RFC 9111 §5.2.1.2", "The request accepts a stale response.")
PAST_MAX_STALE = declare(
    "past-max-stale", "RFC 9111 §5.2.1.2", "The response is staler than the request accepts."
)
NO_MAX_STALE = declare(
    "no-max-stale", "RFC 9111 §4.2.4", "The request does not say that it accepts a stale response."
)


class Why(StrEnum):
    """What makes a cache think of serving a stale response."""

    REVALIDATING = "revalidating"  # it will be validated in the background (RFC 5861 §3)
    ERROR = "error"  # the origin server answered 500, 502, 503 or 504 (RFC 5861 §4)
    UNREACHED = "unreached"  # the cache is disconnected (RFC 9111 §4.2.4)
    REQUESTED = "requested"  # the request accepts it (RFC 9111 §5.2.1.2)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the stale response may be served, and why.

    `until` is the staleness in seconds up to which, and with which, it may. It is None where nothing limits
    it, and where it may not be served whatever its staleness.
    """

    allowed: bool
    reasons: tuple[Because, ...]
    until: float | None = None


def may_serve_stale(
    stored: StoredResponse,
    effective: Effective,
    request_directives: Directives,
    staleness: float,
    why: Why,
    policy: Policy,
) -> Verdict:
    """Whether `stored` may answer a request although its age exceeds its freshness lifetime by `staleness`.

    `staleness` is in seconds. `effective` are the directives of the stored response, `request_directives`
    those of the request at hand. What the response prohibits, nothing permits (RFC 9111 §4.2.4): neither the
    request nor the extensions of RFC 5861 override it, as neither says that it does.
    """
    directives = effective.directives
    forbidding = (*_prohibitions(stored, directives), *_refusals(directives, request_directives, why))
    if forbidding:
        return Verdict(False, forbidding)
    match why:
        case Why.REVALIDATING:
            limits = _stale_while_revalidate(directives)
            missing = NO_STALE_WHILE_REVALIDATE
        case Why.ERROR:
            limits = _stale_if_error(directives, request_directives)
            missing = NO_STALE_IF_ERROR
        case Why.UNREACHED:
            limits = _stale_if_error(directives, request_directives) or [_disconnected(policy)]
            missing = NO_STALE_IF_ERROR
        case Why.REQUESTED:
            limits = []
            missing = NO_MAX_STALE
    if not limits and why is not Why.REQUESTED:
        return Verdict(False, (Because(missing),))
    limits += _max_stale(request_directives)
    return _within(limits, staleness) if limits else Verdict(False, (Because(missing),))


def stale_use_permitted(directives: Directives) -> bool:
    """Whether a response's own directives expressly permit to serve it stale, for however short a time."""
    return _remembered(directives) if directives.small else _permitted(directives)


def _permitted(directives: Directives) -> bool:
    return (
        not any(name in directives for name in _FORBIDDING)
        and not directives.unqualified(b"no-cache")
        and any(directives.seconds(name) for name in (b"stale-while-revalidate", b"stale-if-error"))
    )


_remembered = lru_cache(maxsize=1024)(_permitted)


_FORBIDDING = {
    b"must-revalidate": MUST_REVALIDATE,
    b"proxy-revalidate": PROXY_REVALIDATE,
    b"s-maxage": S_MAXAGE_WHEN_STALE,
}


def _prohibitions(stored: StoredResponse, directives: Directives) -> Iterator[Because]:
    """What the response forbids (RFC 9111 §4.2.4), or what happened to it (§4.4)."""
    if directives.unqualified(b"no-cache"):
        yield Because(NO_CACHE_WHEN_STALE)
    for name, reason in _FORBIDDING.items():
        if name in directives:
            yield Because(reason)
    if stored.invalidated:
        yield Because(INVALIDATED_WHEN_STALE)


def _refusals(directives: Directives, request_directives: Directives, why: Why) -> Iterator[Because]:
    """What the client does not wish (RFC 9111 §5.2.1).

    In the place of an error its own stale-if-error outweighs all of this, and the response's, which holds
    "regardless of other freshness information" (RFC 5861 §4), outweighs limits on age and freshness.
    """
    in_place_of_error = why in (Why.ERROR, Why.UNREACHED)
    if in_place_of_error and request_directives.seconds(b"stale-if-error") is not None:
        return
    if b"no-cache" in request_directives:
        yield Because(REQUEST_REFUSES_STALE, "no-cache")
    if in_place_of_error and directives.seconds(b"stale-if-error") is not None:
        return
    if b"min-fresh" in request_directives:
        yield Because(REQUEST_REFUSES_STALE, "min-fresh")
    if b"max-age" in request_directives and b"max-stale" not in request_directives:
        yield Because(REQUEST_REFUSES_STALE, "max-age")


@dataclass(frozen=True, slots=True)
class _Limit:
    """A permission up to so many seconds of staleness, and what to say within it and past it."""

    seconds: float
    permitted: Because
    exceeded: Because


def _stale_while_revalidate(directives: Directives) -> list[_Limit]:
    seconds = directives.seconds(b"stale-while-revalidate")
    if seconds is None:
        return []
    evidence = f"stale-while-revalidate={seconds}"
    return [
        _Limit(
            seconds, Because(STALE_WHILE_REVALIDATE, evidence), Because(PAST_STALE_WHILE_REVALIDATE, evidence)
        )
    ]


def _stale_if_error(directives: Directives, request_directives: Directives) -> list[_Limit]:
    """The limits that the response and the request set (RFC 5861 §4)."""
    found = [side.seconds(b"stale-if-error") for side in (directives, request_directives)]
    return [
        _Limit(seconds, Because(STALE_IF_ERROR, evidence), Because(PAST_STALE_IF_ERROR, evidence))
        for seconds in found
        if seconds is not None and (evidence := f"stale-if-error={seconds}")
    ]


def _disconnected(policy: Policy) -> _Limit:
    evidence = f"{policy.stale_limit:g} s"
    return _Limit(policy.stale_limit, Because(DISCONNECTED), Because(PAST_STALE_LIMIT, evidence))


def _max_stale(request_directives: Directives) -> list[_Limit]:
    """What the request accepts: any staleness where no argument is given (RFC 9111 §5.2.1.2)."""
    arguments = request_directives.arguments(b"max-stale")
    if not arguments:
        return []
    if set(arguments) == {None}:
        return [_Limit(math.inf, Because(MAX_STALE, "max-stale"), Because(PAST_MAX_STALE, "max-stale"))]
    seconds = request_directives.seconds(b"max-stale")
    evidence = "max-stale" if seconds is None else f"max-stale={seconds}"
    return [_Limit(seconds or 0, Because(MAX_STALE, evidence), Because(PAST_MAX_STALE, evidence))]


def _within(limits: Sequence[_Limit], staleness: float) -> Verdict:
    """The verdict where each of the limits has to be kept."""
    until = min(limit.seconds for limit in limits)
    exceeded = tuple(limit.exceeded for limit in limits if staleness > limit.seconds)
    if exceeded:
        return Verdict(False, exceeded, until)
    permitted = tuple(limit.permitted for limit in limits)
    return Verdict(True, permitted, None if until == math.inf else until)
