"""What to do with the stored responses when a request comes (RFC 9111 §4, §5.2.1, §5.4)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from proxy.caching.age import age_at, initial_age
from proxy.caching.decision import Because
from proxy.caching.freshness import Lifetime, lifetime_of
from proxy.caching.immutable import spares_validation
from proxy.caching.no_vary_search import equivalent
from proxy.caching.partial import Gap, answerable, gap
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.caching.stale import Why, may_serve_stale
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import Effective, effective_directives
from proxy.caching.validation import Conditional, conditional
from proxy.caching.vary import recency, select
from proxy.message.cache_control import NO_DIRECTIVES, Directives, parse_cache_control
from proxy.message.request import Request

NOTHING_STORED = declare("nothing-stored", "RFC 9111 §4", "Nothing is stored that could answer this request.")
FRESH = declare("fresh", "RFC 9111 §4.2", "The stored response is younger than its freshness lifetime.")
STALE = declare("stale", "RFC 9111 §4.2", "The stored response is older than its freshness lifetime.")
RESPONSE_NO_CACHE = declare(
    "response-no-cache",
    "RFC 9111 §5.2.2.4",
    "The stored response says no-cache, so it has to be validated before each use.",
)
INVALIDATED = declare(
    "invalidated", "RFC 9111 §4.4", "The stored response was invalidated, so it has to be validated."
)
REQUEST_NO_CACHE = declare(
    "request-no-cache", "RFC 9111 §5.2.1.4", "The request wants the stored response to be validated."
)
PRAGMA_NO_CACHE = declare(
    "pragma-no-cache", "RFC 9111 §5.4", "Without Cache-Control, Pragma: no-cache asks for validation."
)
REQUEST_MAX_AGE = declare(
    "request-max-age", "RFC 9111 §5.2.1.1", "The stored response is older than the request's max-age."
)
REQUEST_MIN_FRESH = declare(
    "request-min-fresh",
    "RFC 9111 §5.2.1.3",
    "The stored response won't stay fresh for as long as the request's min-fresh.",
)
OTHER_CREDENTIALS = declare(
    "other-credentials",
    "RFC 9110 §15.5.2",
    "The stored response asks for credentials, which this request has, so they are for the origin to judge.",
)
ONLY_IF_CACHED = declare(
    "only-if-cached",
    "RFC 9111 §5.2.1.7",
    "The request must not go forward, and nothing stored may answer it.",
)
INCOMPLETE = declare(
    "incomplete", "RFC 9111 §3.3", "The stored response is incomplete, and lacks something that is asked for."
)

_PRAGMA = parse_cache_control([b"no-cache"])
_MARGIN = 0.001
"""Seconds by which `until` errs on the early side, so that no rounding makes it late."""


class Course(StrEnum):
    """The ways to deal with a request."""

    REUSE = "reuse"
    REUSE_STALE = "reuse stale"
    VALIDATE = "validate"
    COMPLETE = "complete"
    FORWARD = "forward"
    REFUSE = "refuse"


class Plan(Struct, frozen=True):
    """What to do about a request, and why (the main reason first).

    `matching` are the stored responses that may be chosen for the request, `selected` the one that is.
    `conditional` is the request that validates (VALIDATE), `gap` what has to be had (COMPLETE). `forward` is
    the reason for going forward (RFC 9211 §2.2), `ttl` the selected response's remaining freshness in
    seconds. `until` is the time from which the same question may be answered differently, None where time
    alone changes nothing. `background`: the selected response is to be validated after the answer.
    """

    course: Course
    reasons: tuple[Because, ...]
    forward: str | None = None
    selected: StoredResponse | None = None
    matching: tuple[StoredResponse, ...] = ()
    until: float | None = None
    ttl: int | None = None
    conditional: Conditional | None = None
    gap: Gap | None = None
    background: bool = False


def wishes_of(request: Request) -> tuple[Directives, tuple[Because, ...]]:
    """The request's cache directives; Pragma counts only where there is no Cache-Control (RFC 9111 §5.4)."""
    values = request.fields.all(b"cache-control")
    if values:
        return parse_cache_control(values), ()
    pragma = request.fields.all(b"pragma")
    if pragma and b"no-cache" in parse_cache_control(pragma):
        return _PRAGMA, (Because(PRAGMA_NO_CACHE),)
    return NO_DIRECTIVES, ()


def lacks_credentials(stored: StoredResponse) -> bool:
    """Whether the stored response says nothing but that credentials are needed (RFC 9110 §15.5.2)."""
    return stored.response.status == 401


def decide(request: Request, stored: Sequence[StoredResponse], now: float, policy: Policy) -> Plan:
    """What to do about `request` at `now` (seconds since the epoch), given what is stored.

    `stored` may hold responses that turn out not to match; nothing else is looked at.
    """
    candidates = [one for one in stored if _method_allows(one, request) and equivalent(one, request)]
    if candidates:
        matching, because = select(candidates, request)
        if matching:
            plan = _weigh(request, matching, because, now, policy)
        else:
            plan = _miss(request, candidates, because)
    else:
        plan = _NOTHING_STORED
    if b"only-if-cached" in wishes_of(request)[0] and plan.course not in (Course.REUSE, Course.REUSE_STALE):
        return Plan(Course.REFUSE, (Because(ONLY_IF_CACHED), *plan.reasons), until=plan.until)
    return plan


_NOTHING_STORED = Plan(Course.FORWARD, (Because(NOTHING_STORED),), "uri-miss")


def _method_allows(stored: StoredResponse, request: Request) -> bool:
    """Whether a response to the stored one's method may satisfy this one (RFC 9110 §9.3.1, §9.3.2)."""
    if request.method == b"QUERY" or stored.request.method == b"QUERY":
        return request.method == stored.request.method
    return stored.request.method in (b"GET", request.method)


def _miss(request: Request, candidates: Sequence[StoredResponse], because: tuple[Because, ...]) -> Plan:
    asking = conditional(request, sorted(candidates, key=recency, reverse=True), chosen=False)
    course = Course.FORWARD if asking is None else Course.VALIDATE
    return Plan(course, because, "vary-miss", conditional=asking)


class _Case(Struct, frozen=True):
    """One selected response and one request, with all that is weighed. Durations are in seconds.

    `initial` is the age that the selected response had when it was received.
    """

    request: Request
    selected: StoredResponse
    effective: Effective
    lifetime: Lifetime
    initial: float
    age: float
    wishes: Directives
    pragma: tuple[Because, ...]
    usable: bool
    now: float
    policy: Policy

    @property
    def fresh(self) -> bool:
        return self.lifetime.seconds > self.age


def _weigh(
    request: Request, matching: list[StoredResponse], because: tuple[Because, ...], now: float, policy: Policy
) -> Plan:
    """The plan for a request for which at least one stored response may be chosen, most suitable first."""
    selected = next((one for one in matching if answerable(request, one, now)), None)
    usable = selected is not None
    selected = selected or next((one for one in matching if one.response.status != 206), matching[0])
    effective = effective_directives(selected.response.fields, policy)
    initial = initial_age(selected.response.fields, selected.request_time, selected.response_time)
    case = _Case(
        request,
        selected,
        effective,
        lifetime_of(selected, effective, policy),
        initial,
        age_at(selected, initial, now),
        *wishes_of(request),
        usable,
        now,
        policy,
    )
    told = (*because, *case.lifetime.reasons, *effective.reasons)
    inherent, wished = tuple(_inherent(case)), tuple(_wished(case))
    spared = _spared(case, wished)
    plan = Plan(
        Course.REUSE,
        (),
        selected=selected,
        matching=tuple(matching),
        ttl=math.floor(case.lifetime.seconds - case.age),
    )
    state = Because(FRESH if case.fresh else STALE, age_evidence(case.age, case.lifetime.seconds))
    if case.usable and not inherent and not wished and not case.fresh:
        plan = _stale(plan, case, state, told)
    elif case.usable and not inherent and (spared or not wished):
        plan = replace(plan, reasons=(state, *spared, *told))
    else:
        lacking = () if case.usable else (Because(INCOMPLETE, _held(selected)),)
        obstacles = (*lacking, *inherent, *wished)
        ordered = (*obstacles, state) if case.fresh or lacking or inherent else (state, *obstacles)
        plan = _forwarded(replace(plan, reasons=(*ordered, *told)), case, bool(inherent))
    return replace(plan, until=_until(case))


def _inherent(case: _Case) -> Iterator[Because]:
    """What in the stored response itself asks for validation."""
    if case.effective.directives.unqualified(b"no-cache"):
        yield Because(RESPONSE_NO_CACHE)
    if case.selected.invalidated:
        yield Because(INVALIDATED)


def _wished(case: _Case) -> Iterator[Because]:
    """What the request asks that the stored response, fresh or not, does not satisfy (RFC 9111 §5.2.1).

    That is first of all to be let in, where it has what a stored 401 says is lacking (RFC 9110 §15.5.2).
    A duration that can't be read restricts as much as one can.
    """
    wishes = case.wishes
    if lacks_credentials(case.selected) and b"authorization" in case.request.fields:
        yield Because(OTHER_CREDENTIALS)
    if b"no-cache" in wishes:
        yield from case.pragma or (Because(REQUEST_NO_CACHE),)
    if b"max-age" in wishes and case.age > (wishes.seconds(b"max-age") or 0):
        yield Because(REQUEST_MAX_AGE, f"age {case.age:.0f}, max-age={wishes.seconds(b'max-age')}")
    if b"min-fresh" in wishes:
        wanted = wishes.seconds(b"min-fresh")
        if wanted is None or case.lifetime.seconds - case.age < wanted:
            yield Because(REQUEST_MIN_FRESH, f"min-fresh={wanted}")


def _turning_points(case: _Case) -> Iterator[float]:
    """The ages at which something that is weighed here comes out differently."""
    lifetime, wishes = case.lifetime.seconds, case.wishes
    yield lifetime
    if (limit := wishes.seconds(b"max-age")) is not None:
        yield limit
    if (wanted := wishes.seconds(b"min-fresh")) is not None:
        yield lifetime - wanted
    if (permitted := wishes.seconds(b"max-stale")) is not None:
        yield lifetime + permitted
    if (permitted := case.effective.directives.seconds(b"stale-while-revalidate")) is not None:
        yield lifetime + permitted


def _spared(case: _Case, wished: tuple[Because, ...]) -> tuple[Because, ...]:
    """Why a request's max-age, where that is all it asks, doesn't make an immutable response stale."""
    if [because.reason for because in wished] != [REQUEST_MAX_AGE]:
        return ()
    because = spares_validation(case.selected, case.effective, case.wishes, case.fresh)
    return () if because is None else (because,)


def _stale(plan: Plan, case: _Case, state: Because, told: tuple[Because, ...]) -> Plan:
    """The plan for a stale response that nothing but its age stands against (RFC 9111 §4.2.4)."""
    staleness = case.age - case.lifetime.seconds
    refusals: tuple[Because, ...] = ()
    reasons_to = (Why.REVALIDATING, Why.REQUESTED) if case.request.method != b"QUERY" else (Why.REQUESTED,)
    for why in reasons_to:  # the content of a QUERY is gone once its client has been answered
        verdict = may_serve_stale(case.selected, case.effective, case.wishes, staleness, why, case.policy)
        if verdict.allowed:
            reasons = (*verdict.reasons, state, *told)
            background = why is Why.REVALIDATING
            return replace(plan, course=Course.REUSE_STALE, reasons=reasons, background=background)
        refusals += verdict.reasons
    refused = tuple(dict.fromkeys(refusals))
    return _forwarded(replace(plan, reasons=(state, *refused, *told)), case, False)


def _forwarded(plan: Plan, case: _Case, inherent: bool) -> Plan:
    """The plan for going forward: to complete, to validate, or as if nothing were stored."""
    if not case.usable:
        lack = gap(case.request, case.selected, case.now)
        course = Course.FORWARD if lack is None else Course.COMPLETE
        return replace(plan, course=course, forward="partial", gap=lack)
    asking = conditional(case.request, [case.selected], chosen=True)
    course = Course.FORWARD if asking is None else Course.VALIDATE
    forward = "request" if case.fresh and not inherent else "stale"
    return replace(plan, course=course, forward=forward, conditional=asking)


def _until(case: _Case) -> float | None:
    """The earliest time at which the selected response's age passes a turning point, never before now.

    Which side of a turning point that has only just been reached we are on, nobody can tell: the decision
    holds for this moment then.
    """
    received = case.selected.response_time
    times = (received + age - case.initial for age in _turning_points(case))
    coming = min((time for time in times if time >= case.now - _MARGIN), default=None)
    return None if coming is None else max(case.now, coming - _MARGIN)


def age_evidence(age: float, lifetime: float) -> str:
    """What shows that a response is fresh, or stale; it changes when the Age field does (RFC 9111 §5.1)."""
    return f"age {math.floor(age)} of {lifetime:.0f} s"


def _held(stored: StoredResponse) -> str:
    return f"{stored.first}-{stored.first + stored.length - 1}/{stored.complete_length}"
