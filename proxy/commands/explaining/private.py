"""What a private cache, such as a browser's, would do with the response and the next requests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.caching.policy import Policy
from proxy.caching.private_cache import decide_storing_privately
from proxy.caching.reuse import Plan, decide
from proxy.caching.stored import StoredResponse
from proxy.caching.storing import Storing
from proxy.caching.vary import nominated, remembered_request
from proxy.commands.explaining.origins import Had

STEP = 0.25
"""Seconds past the moment from which an answer is another."""


@dataclass(frozen=True, slots=True)
class Alone:
    """Whether one user's own cache stores the response, and what it does when that user asks again.

    `again` is its plan for that, None where nothing is stored, or only a part. `lasts` is for how many
    seconds it holds, and `later` the plan after that; both are None where time changes nothing.
    """

    storing: Storing
    again: Plan | None = None
    later: Plan | None = None
    lasts: float | None = None


def alone(had: Had, policy: Policy) -> Alone:
    """What a private cache does with the response that was had."""
    times = had.arrived.request_time, had.time
    storing = decide_storing_privately(
        had.request, had.response, request_time=times[0], response_time=times[1], policy=policy
    )
    if not storing.allowed or not had.ended or had.response.status == 206:
        return Alone(storing)
    length = had.received
    kept = remembered_request(had.request, nominated(storing.response.fields) or ())
    stored = StoredResponse(kept, storing.response, *times, length, complete_length=length)
    policy = replace(policy, targeted=())
    again = decide(had.request, [stored], had.time, policy)
    if again.until is not None and again.until <= had.time:  # just at a turning point
        again = decide(had.request, [stored], had.time + STEP, policy)
    if again.until is None:
        return Alone(storing, again)
    later = decide(had.request, [stored], again.until + STEP, policy)
    return Alone(storing, again, later, again.until - had.time)
