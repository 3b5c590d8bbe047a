"""How long a response stays fresh (RFC 9111 §4.2.1, §4.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from proxy.caching.age import current_age, date_value
from proxy.caching.decision import Because, Reason
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import Effective
from proxy.message.cache_control import DELTA_MAX, Directives
from proxy.message.dates import format_date, parse_date
from proxy.message.response import Response

S_MAXAGE = declare(
    "s-maxage", "RFC 9111 §5.2.2.10", "s-maxage says how long shared caches may reuse the response."
)
MAX_AGE = declare("max-age", "RFC 9111 §5.2.2.1", "max-age says how long the response stays fresh.")
EXPIRES = declare("expires", "RFC 9111 §5.3", "Expires says until when the response stays fresh.")
LIFETIME_ILL_FORMED = declare(
    "lifetime-ill-formed",
    "RFC 9111 §4.2.1",
    "The freshness lifetime isn't a whole number of seconds, so the response counts as stale.",
)
LIFETIME_CONFLICTING = declare(
    "lifetime-conflicting",
    "RFC 9111 §4.2.1",
    "The freshness lifetime is given more than once, and differently: the first counts.",
)
EXPIRES_ILL_FORMED = declare(
    "expires-ill-formed", "RFC 9111 §5.3", "Expires isn't one valid date, so the response counts as expired."
)
HEURISTIC = declare(
    "heuristic",
    "RFC 9111 §4.2.2",
    "Nothing says how long the response stays fresh; it is estimated from the time since its last change.",
)
NO_LIFETIME = declare(
    "no-lifetime", "RFC 9111 §4.2.2", "Nothing says how long the response stays fresh, and nothing tells it."
)
MADE_STALE = declare(
    "made-stale",
    "RFC 9111 §4.2.4",
    "Whoever runs this cache had the stored response count as stale before its lifetime was over.",
)

HEURISTICALLY_CACHEABLE = frozenset((200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501))
"""The status codes that may be cached without being told so (RFC 9110 §15.1)."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A freshness lifetime in seconds, and how it was found.

    `explicit` where the origin server gave it (well or badly), `heuristic` where the cache assigned it;
    neither where there is none, and `seconds` is 0.
    """

    seconds: float
    reasons: tuple[Because, ...]
    explicit: bool
    heuristic: bool


def freshness_lifetime(
    response: Response, effective: Effective, response_time: float, policy: Policy
) -> Lifetime:
    """The freshness lifetime of `response` for a shared cache: the first that matches in RFC 9111 §4.2.1.

    `response_time` is when it was received, in seconds since the epoch: it stands for a missing Date.
    Whether the target URI has a query makes no difference, as §4.2.2 no longer speaks of it.
    """
    directives = effective.directives
    stated = _remembered(directives) if directives.small else _stated_lifetime(directives)
    if stated is not None:
        return stated
    if b"expires" in response.fields and not effective.targeted:
        return _expires_lifetime(response, response_time)
    if heuristic_allowed(response.status, effective):
        return _heuristic_lifetime(response, response_time, policy)
    return _NO_LIFETIME


def lifetime_of(stored: StoredResponse, effective: Effective, policy: Policy) -> Lifetime:
    """The freshness lifetime of a stored response, which ends when it was made stale, if that is earlier.

    So its staleness counts from that moment on: stale-while-revalidate and the like begin with it.
    """
    lifetime = freshness_lifetime(stored.response, effective, stored.response_time, policy)
    if stored.stale_from is None:
        return lifetime
    left = current_age(stored, stored.stale_from)
    if not left < lifetime.seconds:
        return lifetime
    because = Because(MADE_STALE, format_date(stored.stale_from).decode())
    return Lifetime(left, (because, *lifetime.reasons), lifetime.explicit, lifetime.heuristic)


_NO_LIFETIME = Lifetime(0.0, (Because(NO_LIFETIME),), explicit=False, heuristic=False)


def heuristic_allowed(status: int, effective: Effective) -> bool:
    """Whether a lifetime may be assigned where none is given (RFC 9111 §4.2.2, §5.2.2.9)."""
    return status in HEURISTICALLY_CACHEABLE or b"public" in effective.directives


def _stated_lifetime(directives: Directives) -> Lifetime | None:
    """The lifetime that s-maxage or else max-age gives: none at all where that is ill-formed."""
    for name, reason in ((b"s-maxage", S_MAXAGE), (b"max-age", MAX_AGE)):
        if name in directives:
            return _directive_lifetime(directives, name, reason)
    return None


_remembered = lru_cache(maxsize=1024)(_stated_lifetime)


def _directive_lifetime(directives: Directives, name: bytes, reason: Reason) -> Lifetime:
    arguments = directives.arguments(name)
    evidence = ", ".join(
        (name if argument is None else name + b"=" + argument)[:80].decode("latin-1")
        for argument in arguments[:4]
    )
    seconds = directives.seconds(name)
    found = [Because(reason if seconds is not None else LIFETIME_ILL_FORMED, evidence)]
    if len(set(arguments)) > 1:
        found.append(Because(LIFETIME_CONFLICTING, evidence))
    return Lifetime(float(seconds or 0), tuple(found), explicit=True, heuristic=False)


def _expires_lifetime(response: Response, response_time: float) -> Lifetime:
    values = response.fields.all(b"expires")
    evidence = ", ".join(value[:80].decode("latin-1") for value in values[:4])
    expires = parse_date(values[0], response_time) if len(set(values)) == 1 else None
    if expires is None:
        return Lifetime(0.0, (Because(EXPIRES_ILL_FORMED, evidence),), explicit=True, heuristic=False)
    seconds = min(max(0.0, expires - date_value(response.fields, response_time)), float(DELTA_MAX))
    return Lifetime(seconds, (Because(EXPIRES, evidence),), explicit=True, heuristic=False)


def _heuristic_lifetime(response: Response, response_time: float, policy: Policy) -> Lifetime:
    value = response.fields.get(b"last-modified")
    last_modified = None if value is None else parse_date(value, response_time)
    if value is None or last_modified is None:
        return _NO_LIFETIME
    unchanged_for = max(0.0, date_value(response.fields, response_time) - last_modified)
    seconds = min(unchanged_for * policy.heuristic_fraction, policy.heuristic_limit)
    evidence = f"last-modified: {value.decode('latin-1')}"
    return Lifetime(seconds, (Because(HEURISTIC, evidence),), explicit=False, heuristic=True)
