"""The steps of an exchange that ask: the store first, then the origin server (RFC 9111 §4, §4.3)."""

from __future__ import annotations

from collections.abc import Generator

from proxy.caching.age import current_age
from proxy.caching.collapsing import collapse
from proxy.caching.decision import Because, Outcome
from proxy.caching.effects import Arrived, Effect, Forward, Found, LookUp, Result, Unreached
from proxy.caching.freshness import lifetime_of
from proxy.caching.key import RETRIEVALS, SAFE
from proxy.caching.no_vary_search import label, rules_among, rules_label
from proxy.caching.partial import answerable, combinable, part_of
from proxy.caching.progress import Progress
from proxy.caching.reasons import declare
from proxy.caching.reuse import Course, decide, lacks_credentials, wishes_of
from proxy.caching.stale import Why, may_serve_stale
from proxy.caching.states import Event, at_once
from proxy.caching.targeted import effective_directives
from proxy.caching.understood import CONTENT_IN_GET, QUERY_CONTENT
from proxy.message.request import Request

WRITTEN_THROUGH = declare(
    "written-through", "RFC 9111 §4", "Requests with this method are always forwarded to the origin server."
)
BYPASSED = declare("bypassed", "RFC 9211 §2.2", "The cache was set to take no part in this exchange.")
NOT_UNDERSTOOD = declare(
    "unexpected-answer",
    "RFC 9111 §4.3.3",
    "The answer fits neither what is stored nor the client's request, which is then forwarded as it came.",
)
UPGRADE = declare(
    "upgrade",
    "RFC 9110 §7.8",
    "The request asks for another protocol on its connection, and what is stored is no answer to that.",
)
WAITED = declare(
    "waited", "RFC 9111 §4", "Another request for the same was under way, and its response was waited for."
)

Asking = Generator[Effect, Result, Event]

_ERRORS = frozenset((500, 502, 503, 504))  # RFC 5861 §4
_TELLING_OF_GET = frozenset((200, 404, 410))
"""What a HEAD is answered with that a GET would be too: what is stored is then updated, or out of date."""

_COURSES = {
    Course.REUSE: Event.REUSABLE,
    Course.REUSE_STALE: Event.REUSABLE,
    Course.VALIDATE: Event.VALIDATE,
    Course.COMPLETE: Event.COMPLETE,
    Course.FORWARD: Event.FORWARD,
    Course.REFUSE: Event.REFUSE,
}


@at_once
def received(p: Progress) -> Event:
    """Tell the requests that a cache may answer from those that it forwards in any case."""
    request = p.request
    content = (request.fields.get(b"content-length") or b"").strip(b"0")
    if not p.cached:
        p.forward = "bypass"
        p.tell(Because(BYPASSED))
    elif request.method not in RETRIEVALS:
        p.forward = "method"
        p.tell(Because(WRITTEN_THROUGH, request.method[:40].decode("latin-1")))
    elif b"upgrade" in request.fields:
        p.forward = "bypass"
        p.tell(Because(UPGRADE))
    elif request.method == b"QUERY" and request.content_digest is None:
        p.forward = "bypass"
        p.tell(Because(QUERY_CONTENT))
    elif request.method != b"QUERY" and (content or b"transfer-encoding" in request.fields):
        p.forward = "bypass"
        p.tell(Because(CONTENT_IN_GET))
    else:
        return Event.RETRIEVAL
    p.cached = False
    return Event.WRITE_THROUGH


def looking_up(p: Progress) -> Asking:
    """Look under the request's own key."""
    found = _found((yield LookUp(p.key)))
    p.stored, p.now = list(found.stored), found.now
    plan = p.plan = decide(p.request, p.stored, p.now, p.policy)
    if _COURSES[plan.course] is not Event.REUSABLE:
        return Event.NOT_REUSABLE
    _reuse(p)
    return Event.REUSABLE


def looking_wider(p: Progress) -> Asking:
    """Look for what No-Vary-Search makes equivalent to the target, then settle on a plan."""
    found = _found((yield LookUp(p.key, rules_label(p.request))))
    for rule in rules_among(found.stored):
        found = _found((yield LookUp(p.key, label(p.request, rule))))
        p.stored += [one for one in found.stored if one not in p.stored]
    p.now = max(p.now, found.now)
    plan = p.plan = decide(p.request, p.stored, p.now, p.policy)
    event = _COURSES[plan.course]
    if event is Event.REUSABLE:
        _reuse(p)
    else:
        p.tell(*plan.reasons)
        p.forward = plan.forward or p.forward
    return event


def forwarding(p: Progress) -> Asking:
    """Forward the client's request as it is."""
    result = yield from _forward(p, p.request)
    if not isinstance(result, Arrived):
        return _without_response(p, result)
    if p.request.method not in SAFE:
        return Event.UNSAFE_RESPONSE
    if p.cached and result.response.status == 304:
        return Event.NOT_MODIFIED
    if p.cached and p.request.method == b"HEAD" and result.response.status in _TELLING_OF_GET:
        return Event.HEAD_RESPONSE
    return _response(p, result)


def validating(p: Progress) -> Asking:
    """Forward the request with the validators of what is stored in it (RFC 9111 §4.3.1)."""
    if p.plan is None or p.plan.conditional is None:
        raise LookupError("there is nothing to validate with")
    result = yield from _forward(p, p.plan.conditional.request)
    if not isinstance(result, Arrived):
        return _without_response(p, result)
    if result.response.status == 304:
        return Event.NOT_MODIFIED
    own = any(name in p.request.fields for name in (b"if-match", b"if-unmodified-since", b"if-none-match"))
    if result.response.status == 412 and not own:
        p.tell(Because(NOT_UNDERSTOOD, "412"))
        return Event.NOT_UNDERSTOOD
    return _response(p, result)


def completing(p: Progress) -> Asking:
    """Ask for the part that a stored response lacks (RFC 9111 §3.3)."""
    if p.plan is None or p.plan.gap is None or p.selected is None:
        raise LookupError("nothing is missing")
    result = yield from _forward(p, p.plan.gap.request)
    if not isinstance(result, Arrived):
        return _without_response(p, result)
    part = part_of(result.response, result.length)
    fits = part is not None and part.extent == p.plan.gap.missing
    if part is not None and fits and combinable(p.selected, part, result.response_time):
        return Event.PART
    if result.response.status in (206, 304, 412, 416):
        p.tell(Because(NOT_UNDERSTOOD, str(result.response.status)))
        return Event.NOT_UNDERSTOOD
    return Event.RESPONSE


def _found(result: Result) -> Found:
    if not isinstance(result, Found):
        raise TypeError("a look-up has to be answered with what was found")
    return result


def _reuse(p: Progress) -> None:
    if p.plan is not None:
        p.shown = p.source = p.plan.selected
        p.outcome = Outcome.HIT if p.plan.course is Course.REUSE else Outcome.STALE
        p.tell(*p.plan.reasons)


def _forward(p: Progress, request: Request) -> Generator[Effect, Result, Arrived | Unreached | Found]:
    p.sent, p.arrived, p.unreached = request, None, None
    result = yield Forward(request, collapse(p))
    if isinstance(result, Found):
        return result
    if p.collapsed:
        p.collapsed = False  # what was waited for could not be used
    if isinstance(result, Arrived):
        p.arrived, p.now = result, result.response_time
        return result
    if isinstance(result, Unreached):
        p.unreached, p.now = result, result.now
        return result
    raise TypeError("forwarding has to be answered with a response or with why there is none")


def _without_response(p: Progress, result: Unreached | Found) -> Event:
    if isinstance(result, Found):
        p.collapsed = True
        p.stored, p.now = list(result.stored), result.now
        p.tell(Because(WAITED))
        return Event.COLLAPSED
    if not _stale_permitted(p, Why.UNREACHED):
        return Event.NO_RESPONSE
    p.forward = None  # nothing came of it: "hit" (RFC 9211 §2.1)
    return Event.STALE_PERMITTED


def _response(p: Progress, arrived: Arrived) -> Event:
    if p.cached and arrived.response.status in _ERRORS and _stale_permitted(p, Why.ERROR):
        return Event.STALE_PERMITTED
    return Event.RESPONSE


def _stale_permitted(p: Progress, why: Why) -> bool:
    """Whether the selected response may be served although validation failed (RFC 9111 §4.2.4, §4.3.3)."""
    selected = p.selected
    if selected is None or p.alone or not answerable(p.request, selected, p.now):
        return False
    if lacks_credentials(selected) and b"authorization" in p.request.fields:
        return False
    effective = effective_directives(selected.response.fields, p.policy)
    lifetime = lifetime_of(selected, effective, p.policy)
    staleness = current_age(selected, p.now) - lifetime.seconds
    verdict = may_serve_stale(selected, effective, wishes_of(p.request)[0], staleness, why, p.policy)
    if not verdict.allowed:
        p.tell(*verdict.reasons)
        return False
    p.tell_first(*verdict.reasons)
    p.shown = p.source = selected
    p.outcome = Outcome.STALE
    return True
