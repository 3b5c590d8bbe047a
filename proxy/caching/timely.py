"""What the time has to do with a response that is passed on and not stored."""

from __future__ import annotations

import math

from proxy.caching.age import initial_age
from proxy.caching.freshness import freshness_lifetime
from proxy.caching.policy import Policy
from proxy.caching.targeted import effective_directives
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
