"""What the time has to do with a response that is passed on and not stored."""

from __future__ import annotations

import math
from collections.abc import Mapping

from proxy.caching.age import age_value, initial_age
from proxy.caching.freshness import EXPIRES, freshness_lifetime
from proxy.caching.policy import Policy
from proxy.caching.targeted import effective_directives
from proxy.message.cache_control import DELTA_MAX
from proxy.message.response import Response

Timely = tuple[int | None, bool, bool]


def timely(response: Response, request_time: float, response_time: float, policy: Policy) -> Timely:
    """All that time (in seconds since the epoch) has to do with a response which is not to be stored.

    That is its remaining freshness on arrival, where its lifetime is explicit; whether it is fresh then; and
    whether it has a lifetime at all (RFC 9111 §4.2).
    """
    effective = effective_directives(response.fields, policy)
    lifetime = freshness_lifetime(response, effective, response_time, policy)
    left = lifetime.seconds - initial_age(response.fields, request_time, response_time)
    return math.floor(left) if lifetime.explicit else None, left > 0, lifetime.seconds > 0


class Timing:
    """What `timely` says of all responses that are equal in everything but the times that their fields name.

    Those are one valid Date, and at most one each of Expires and Last-Modified, valid as well. `needs` are
    the names of those that count.
    """

    __slots__ = ("_age", "_explicit", "_fraction", "_limit", "_seconds", "_until", "needs")

    def __init__(self, response: Response, response_time: float, policy: Policy) -> None:
        """From one of them, which was received at `response_time`."""
        effective = effective_directives(response.fields, policy)
        lifetime = freshness_lifetime(response, effective, response_time, policy)
        self._age = age_value(response.fields)[0]
        self._explicit = lifetime.explicit
        self._until = lifetime.explicit and lifetime.reasons[0].reason is EXPIRES
        self._fraction = policy.heuristic_fraction if lifetime.heuristic else None
        self._limit = policy.heuristic_limit
        self._seconds = lifetime.seconds
        named = (b"expires",) if self._until else (b"last-modified",) if lifetime.heuristic else ()
        self.needs = frozenset((b"date", *named))

    def at(self, named: Mapping[bytes, float], request_time: float, response_time: float) -> Timely:
        """What is said where the fields (in lower case) name these times, in seconds since the epoch."""
        date = named[b"date"]
        if self._until:
            lifetime = min(max(0.0, named[b"expires"] - date), float(DELTA_MAX))
        elif self._fraction is not None:
            unchanged_for = max(0.0, date - named[b"last-modified"])
            lifetime = min(unchanged_for * self._fraction, self._limit)
        else:
            lifetime = self._seconds
        age = self._age + max(0.0, response_time - request_time)
        left = lifetime - max(0.0, math.floor(response_time) - date, age)
        return math.floor(left) if self._explicit else None, left > 0, lifetime > 0
