"""The causes that cost most, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from proxy.visibility.inspecting.report import Advice, Cost, Prediction
from proxy.visibility.inspecting.whereabouts import Found

MOST = 5
MOST_ENDPOINTS = 5

NO_CAUSE = frozenset(("", "written-through", "nothing-stored", "waited"))
"""Why requests reach the origin server that have to: somebody is the first to ask, or changes something."""

_LIFETIME = "Say how long the response is fresh: `Cache-Control: max-age=…`."
_NO_COOKIE = "Don't set cookies with responses that are for everyone."
_TO_DO: Mapping[str, str] = MappingProxyType(
    {
        "unusable": "Say how long the response is fresh (`Cache-Control: max-age=…`), or give it an `ETag`.",
        "no-store": "Keep `no-store` for secrets; for the rest say `private`, or how long it is fresh.",
        "private": "Take what is for one user out of the page, and serve it from a URL of its own.",
        "set-cookie": _NO_COOKIE,
        "set-cookie-shared": _NO_COOKIE,
        "cookie-unshared": "Say `private` where it is for one user, and how long it's fresh where it isn't.",
        "authorization": "Where everyone who may ask gets the same, add `public` or `s-maxage`.",
        "not-cacheable": "Give responses with this status an explicit lifetime, where they last.",
        "vary-star": "Name in `Vary` the fields that content depends on.",
        "vary-any": "Name in `Vary` the fields that content depends on.",
        "vary-ill-formed": "Write `Vary` as a list of field names.",
        "vary-mismatch": "Name only fields with few values in `Vary`, or normalise them before the cache.",
        "stale": "Give the response a longer lifetime, `stale-while-revalidate`, or a validator.",
        "response-no-cache": "Say `max-age=…` where content may be a little old; keep the `ETag`.",
        "request-no-cache": "Clients ask for validation; answer that from an `ETag` cheaply.",
        "pragma-no-cache": "Clients ask for validation; answer that from an `ETag` cheaply.",
        "request-max-age": "Clients ask for younger content than is stored.",
        "request-no-store": "Clients forbid storing; find out why they do.",
        "method": "Use GET for what only reads.",
        "post": "Use GET (or QUERY) for what only reads.",
        "head": "HEAD has nothing to store; a GET would.",
        "no-lifetime": _LIFETIME,
        "expires-ill-formed": "Write `Expires` as a date, or better: " + _LIFETIME[0].lower() + _LIFETIME[1:],
        "lifetime-ill-formed": "Write `max-age` as a whole number of seconds.",
        "incomplete": "Have clients ask for whole representations, or for the same ranges.",
        "range-not-understood": "Answer ranges of bytes only.",
        "bypassed": "The cache was set to take no part.",
        "other-credentials": "Answer 401 with `Cache-Control: no-store`.",
        "invalidated": "Writes to this resource invalidate it: that is as it should be.",
    }
)


def advice(
    costs: Sequence[Cost], endpoints: Sequence[Found], predictions: Sequence[Prediction]
) -> tuple[Advice, ...]:
    """The causes that cost most, with where, what to do, and what the best change there would bring."""
    found = []
    for cost in costs:
        if cost.cause in NO_CAUSE:
            continue
        where = sorted(
            (one for one in endpoints if cost.cause in one.sums.costs),
            key=lambda one: -one.sums.costs[cost.cause][0],
        )
        names = tuple(one.name for one in where[:MOST_ENDPOINTS])
        best = next((one for one in predictions if one.endpoint in names and _removes(cost.cause, one)), None)
        found.append(Advice(cost, names, _TO_DO.get(cost.cause, cost.sentence), best))
        if len(found) == MOST:
            break
    return tuple(found)


_REMOVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "unusable": ("lifetime", "validator"),
        "no-lifetime": ("lifetime",),
        "not-cacheable": ("lifetime",),
        "response-no-cache": ("lifetime",),
        "stale": ("lifetime", "validator"),
        "no-store": ("no-store",),
        "private": ("private",),
        "authorization": ("authorization",),
        "set-cookie": ("set-cookie",),
        "cookie-unshared": ("lifetime",),
        "vary-mismatch": ("vary", "cookie", "normalise"),
    }
)


def _removes(cause: str, prediction: Prediction) -> bool:
    """Whether a predicted change removes a cause."""
    kinds = {change.slug.partition(":")[0] for change in prediction.changes}
    return not kinds.isdisjoint(_REMOVES.get(cause, ()))
