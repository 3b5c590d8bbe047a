"""How old a response is: the Age field and the calculation of the current age (RFC 9111 §4.2.3, §5.1)."""

from __future__ import annotations

import math

from proxy.caching.decision import Because
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.message.cache_control import parse_delta_seconds
from proxy.message.dates import parse_date
from proxy.message.fields import Fields

AGE_SEVERAL = declare("age-several", "RFC 9111 §5.1", "Of several Age values, the first is used.")
AGE_ILL_FORMED = declare(
    "age-ill-formed", "RFC 9111 §5.1", "An Age that isn't a whole number of seconds is ignored."
)


def age_value(fields: Fields) -> tuple[int, tuple[Because, ...]]:
    """The value of a response's Age field in seconds, 0 where it has none that can be used, and why.

    The first member of a list is used and the others are discarded; if it is invalid the field is ignored;
    beyond 31 bits it counts as 2^31 (RFC 9111 §5.1, §1.2.2).
    """
    values = fields.all(b"age")
    if not values:
        return 0, ()
    if len(values) == 1 and (seconds := parse_delta_seconds(values[0])) is not None:
        return seconds, ()
    evidence = b", ".join(values)[:80].decode("latin-1")
    members = [member for value in values for part in value.split(b",") if (member := part.strip(b" \t"))]
    seconds = parse_delta_seconds(members[0]) if members else None
    several = (Because(AGE_SEVERAL, evidence),) if len(members) > 1 else ()
    if seconds is None:
        return 0, (*several, Because(AGE_ILL_FORMED, evidence))
    return seconds, several


def date_value(fields: Fields, response_time: float) -> float:
    """When the response was generated, in seconds since the epoch: its Date, else `response_time`.

    RFC 9110 §6.6.1 has the time of reception stand for a Date that is missing, and lets it stand for one that
    is invalid; so does one line too many make it.
    """
    values = fields.all(b"date")
    if not values:
        return response_time
    date = parse_date(values[0], response_time) if all(value == values[0] for value in values) else None
    return response_time if date is None else date


def initial_age(fields: Fields, request_time: float, response_time: float) -> float:
    """The corrected_initial_age of RFC 9111 §4.2.3 in seconds: the more conservative of its two estimates.

    A Date names a whole second, so the apparent age is counted in whole seconds too: what was generated in
    the second of its reception is not old yet, and a lifetime of one second is not over at once.
    """
    apparent_age = max(0.0, math.floor(response_time) - date_value(fields, response_time))
    response_delay = max(0.0, response_time - request_time)
    corrected_age_value = age_value(fields)[0] + response_delay
    return max(apparent_age, corrected_age_value)


def current_age(stored: StoredResponse, now: float) -> float:
    """The current_age of RFC 9111 §4.2.3 in seconds: never negative, and it never falls as `now` grows."""
    initial = initial_age(stored.response.fields, stored.request_time, stored.response_time)
    return age_at(stored, initial, now)


def age_at(stored: StoredResponse, initial: float, now: float) -> float:
    """The same for whoever knows its `initial_age`."""
    resident_time = max(0.0, now - stored.response_time)
    return initial + resident_time
