"""The steps of an exchange that make the answer."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace

from proxy.caching.age import initial_age
from proxy.caching.answering import (
    NOT_MODIFIED_FOR_CLIENT,
    answer,
    not_modified_fields,
    partial_head,
    with_age,
)
from proxy.caching.decision import Because, Outcome
from proxy.caching.effects import FROM_ORIGIN, Arrived, Content, Effect, Freshen, Result, Span, Validate
from proxy.caching.partial import held, part_of
from proxy.caching.placing import join, place
from proxy.caching.progress import Progress
from proxy.caching.reasons import declare
from proxy.caching.reuse import Course
from proxy.caching.stale import MUST_REVALIDATE, NO_CACHE_WHEN_STALE, PROXY_REVALIDATE, S_MAXAGE_WHEN_STALE
from proxy.caching.states import Event, at_once
from proxy.caching.stored import StoredResponse
from proxy.caching.storing import Storing, decide_storing
from proxy.caching.understood import HEAD, represents_target
from proxy.caching.updating import OUTDATED, freshened, outdated_by
from proxy.caching.validation import replaces_condition, unconditional
from proxy.message.conditions import Verdict, evaluate, validators_of
from proxy.message.fields import NO_FIELDS
from proxy.message.ranges import Extent
from proxy.message.response import Response

UNREACHED = declare("unreached", "RFC 9110 §15.6", "No usable response came from the origin server.")

_WITHOUT_CONTENT = frozenset((204, 205, 304))
_FORBIDDEN_STALE = frozenset((MUST_REVALIDATE, PROXY_REVALIDATE, S_MAXAGE_WHEN_STALE, NO_CACHE_WHEN_STALE))


@at_once
def reusing(p: Progress) -> Event:
    """Answer from a stored response, be it fresh, stale or just validated."""
    if p.shown is None or p.source is None:
        raise LookupError("there is no stored response to answer with")
    head, content, said = answer(p.request, p.shown, p.source, p.now)
    p.tell(*said)
    validate = None
    if p.plan is not None and p.plan.course is Course.REUSE_STALE and p.plan.background:
        validate = _validation_of(p, p.source)
    stored = None if p.store is None else True
    p.finish(head, content, ttl=p.ttl_of(p.shown), stored=stored, background=validate)
    return Event.DONE


def _validation_of(p: Progress, selected: StoredResponse) -> Validate:
    """What to validate in the background: the selected response's own target, with this request's fields."""
    target = selected.request
    request = replace(
        unconditional(p.request), target=target.target, scheme=target.scheme, authority=target.authority
    )
    return Validate(request, selected)


def passing_on(p: Progress) -> Generator[Effect, Result, Event]:
    """Answer with the response that has arrived, and say what to store of it."""
    arrived = p.arrival()
    response = arrived.response
    if response.status < 200:
        p.finish(response, ())
        return Event.DONE
    ttl = None
    if p.request.method == b"HEAD" and any(one.request.method == b"GET" for one in p.matching):
        p.tell(Because(HEAD))
    elif p.cached and not (p.alone and response.status >= 500):
        storing = _store(p, arrived)
        ttl = _ttl(storing, arrived)
        if p.store is None and p.request.method == b"GET":
            yield from _outdating(p, storing, response)
    elif p.forward == "method" and represents_target(p.request, response):
        ttl = _ttl(_store(p, arrived), arrived)
    empty = p.request.method == b"HEAD" or response.status in _WITHOUT_CONTENT
    content: Content = () if empty else (FROM_ORIGIN,)
    if _up_to_date(p, arrived):
        p.tell(Because(NOT_MODIFIED_FOR_CLIENT))
        response = Response(304, not_modified_fields(response.fields), b"Not Modified", response.version)
        content = ()
    p.finish(response, content, ttl=ttl, stored=p.store is not None)
    return Event.DONE


def _outdating(p: Progress, storing: Storing, response: Response) -> Generator[Effect, Result, None]:
    for one in p.matching:
        outdated = outdated_by(one, p.request, response, storing.reasons)
        if outdated is not None:
            p.tell(Because(OUTDATED))
            yield Freshen(one, outdated)


def _store(p: Progress, arrived: Arrived) -> Storing:
    storing = decide_storing(
        p.request,
        arrived.response,
        request_time=arrived.request_time,
        response_time=arrived.response_time,
        policy=p.policy,
    )
    if storing.allowed:
        p.store, because = place(p, storing, arrived)
        p.tell(*because)
        p.tell(*storing.reasons)
    else:
        p.tell_first(*storing.reasons)
    return storing


def _ttl(storing: Storing, arrived: Arrived) -> int | None:
    if not storing.allowed and not storing.lifetime.explicit:
        return None
    age = initial_age(arrived.response.fields, arrived.request_time, arrived.response_time)
    return math.floor(storing.lifetime.seconds - age)


def _up_to_date(p: Progress, arrived: Arrived) -> bool:
    """Whether a full response is what the client has already, by a condition that gave way to ours."""
    if p.sent is None or arrived.response.status != 200 or not replaces_condition(p.request, p.sent):
        return False
    validators = validators_of(arrived.response.fields, arrived.response_time)
    return evaluate(p.request, validators, arrived.response_time) is Verdict.NOT_MODIFIED


@at_once
def combining(p: Progress) -> Event:
    """Answer with what was stored and what has arrived together (RFC 9111 §3.4)."""
    arrived = p.arrival()
    part = part_of(arrived.response, arrived.length)
    if part is None or p.plan is None or p.plan.gap is None or p.selected is None:
        raise LookupError("there is nothing to combine")
    selected, wanted = p.selected, p.plan.gap.wanted
    times = (arrived.request_time, arrived.response_time)
    update = freshened(selected, p.request, part.whole, times, p.policy)
    p.tell(*update.reasons)
    p.store = join(p, selected, part, arrived)
    fields = with_age(update.shown.response.fields, update.shown, p.now)
    if wanted is None:
        fields = fields.setting(b"Content-Length", b"%d" % part.complete)
        head = Response(200, fields, selected.response.reason, selected.response.version)
    else:
        head = partial_head(p.request, selected.response, fields, wanted, part.complete)
    content = _pieces(selected, part.extent, wanted or Extent(0, part.complete - 1))
    p.finish(head, content, ttl=p.ttl_of(update.shown), stored=p.store is not None)
    return Event.DONE


def _pieces(selected: StoredResponse, arriving: Extent, wanted: Extent) -> Content:
    have = held(selected)
    if arriving.first > have.first:
        before = wanted.first < arriving.first
        return (Span(selected, wanted.first, arriving.first - 1), FROM_ORIGIN) if before else (FROM_ORIGIN,)
    after = wanted.last > arriving.last
    return (FROM_ORIGIN, Span(selected, arriving.last + 1, wanted.last)) if after else (FROM_ORIGIN,)


@at_once
def refusing(p: Progress) -> Event:
    """Answer 504, as only-if-cached asks (RFC 9111 §5.2.1.7)."""
    p.outcome = Outcome.REFUSED
    p.finish(Response(504, NO_FIELDS, b"Gateway Timeout"), ())
    return Event.DONE


@at_once
def failing(p: Progress) -> Event:
    """Answer that no response was had: 504 where one is held that must not be served stale (§5.2.2.2)."""
    if p.unreached is None:
        raise LookupError("a response has arrived")
    forbidden = any(because.reason in _FORBIDDEN_STALE for because in p.reasons)
    p.outcome = Outcome.FAILED
    p.tell_first(Because(UNREACHED, p.unreached.cause))
    p.finish(Response(504 if forbidden else p.unreached.status, NO_FIELDS), ())
    return Event.DONE
