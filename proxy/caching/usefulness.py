"""Until when a stored response is worth its room."""

from __future__ import annotations

from proxy.caching.age import current_age
from proxy.caching.freshness import lifetime_of
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.caching.updating import has_validator


def useful_until(stored: StoredResponse, policy: Policy) -> float | None:
    """The time in seconds since the epoch after which `stored` is of no use; None where it may always be.

    What has a validator can be validated at any age. What has none is kept for as long as it is fresh, and
    after that for as long as it might be served stale: when the origin can't be reached, or as RFC 5861 has
    it. A request that accepts any staleness (max-stale) has to do without it then.
    """
    if has_validator(stored):
        return None
    effective = effective_directives(stored.response.fields, policy)
    lifetime = lifetime_of(stored, effective, policy).seconds
    names = (b"stale-while-revalidate", b"stale-if-error")
    stale = max(policy.stale_limit, *(effective.directives.seconds(name) or 0 for name in names))
    age = current_age(stored, stored.response_time)
    return stored.response_time + max(0.0, lifetime - age + stale)
