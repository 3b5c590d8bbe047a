"""The steps of an exchange that take in what a response says of stored ones (RFC 9111 §4.3, §4.4)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from proxy.caching.decision import Because, Outcome
from proxy.caching.effects import Arrived, Effect, Found, Freshen, LookUp, Result, Store
from proxy.caching.invalidation import invalidation
from proxy.caching.key import cache_key, get_key
from proxy.caching.no_vary_search import Rule, rules_among, rules_label
from proxy.caching.partial import answerable
from proxy.caching.placing import labels_of, remembered
from proxy.caching.progress import Progress
from proxy.caching.reasons import declare
from proxy.caching.states import Event
from proxy.caching.stored import StoredResponse
from proxy.caching.updating import (
    NOT_IDENTIFIED,
    Update,
    freshened,
    has_validator,
    identified,
    updated_by_head,
)
from proxy.caching.vary import recency
from proxy.message.conditions import CONDITIONAL, Listed, etag_of, none_match, parse_etags, strongly_equal
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.uri import target_uri

OF_CLIENT = declare(
    "client-condition", "RFC 9110 §15.4.5", "The 304 answers the client's own condition, so it is passed on."
)
VARIANT = declare(
    "variant-validated",
    "RFC 9111 §4.1",
    "The origin server says that a response stored for other request fields is good for this request too.",
)

_CONDITIONS = frozenset(CONDITIONAL)

Hearing = Generator[Effect, Result, Event]


def freshening(p: Progress) -> Hearing:
    """Find out which stored responses a 304 speaks of, and update them."""
    arrived = p.arrival()
    own = p.sent is p.request
    found = _spoken_of(p, arrived, own)
    updates = {}
    for one in found:
        update = updates[id(one)] = _update(p, one, arrived)
        p.tell(*update.reasons)
        if update.kept is not None:
            yield from _keep(p, one, update.kept)
    source = None
    if found:
        source = p.selected if id(p.selected) in updates and p.selected else max(found, key=recency)
    if own and (source is None or not _unasked(p, source)):
        p.tell(Because(OF_CLIENT))
        return Event.FOR_CLIENT
    if source is not None:
        _show(p, source, updates[id(source)])
        return Event.FRESHENED
    variant = _variant(p, arrived.response)
    if variant is not None:
        update = _update(p, variant, arrived)
        _show(p, variant, update)
        _copy(p, variant, update.kept)
        p.tell(Because(VARIANT))
        return Event.FRESHENED
    if _clients_copy(p, arrived.response):
        p.tell(Because(OF_CLIENT))
        return Event.FOR_CLIENT
    p.tell(Because(NOT_IDENTIFIED))
    return Event.NOT_UNDERSTOOD


def updating(p: Progress) -> Hearing:
    """Update, or stop to trust, what a GET could have been answered with (RFC 9111 §4.3.5)."""
    arrived = p.arrival()
    times = (arrived.request_time, arrived.response_time)
    for one in [one for one in p.matching if one.request.method == b"GET"]:
        update = updated_by_head(one, p.request, arrived.response, times, p.policy)
        p.tell(*update.reasons)
        if update.kept is not None and update.kept != one:
            yield from _keep(p, one, update.kept)
    return Event.DONE


def invalidating(p: Progress) -> Hearing:
    """Invalidate what an unsafe request has changed, or may have (RFC 9111 §4.4)."""
    response = p.arrival().response
    held: Sequence[StoredResponse] = ()
    rules: Sequence[Rule] = ()
    if 200 <= response.status < 400:
        alike = Request(b"GET", p.request.target, scheme=p.request.scheme, authority=p.request.authority)
        key = get_key(target_uri(alike))
        held = _stored((yield LookUp(key)))
        rules = rules_among(_stored((yield LookUp(key, rules_label(alike)))))
    effect, reasons = invalidation(p.request, response, held, rules)
    p.tell(*reasons)
    if effect is not None:
        yield effect
    return Event.DONE


def _stored(result: Result) -> Sequence[StoredResponse]:
    return result.stored if isinstance(result, Found) else ()


def _spoken_of(p: Progress, arrived: Arrived, own: bool) -> Sequence[StoredResponse]:
    ours = not own and b"if-none-match" not in p.request.fields
    found = identified(p.matching, arrived.response, arrived.response_time, ours=ours)
    if found or own or p.plan is None or p.plan.conditional is None:
        return found
    nominated = p.plan.conditional.nominated
    only = ours and len(nominated) == 1 and nominated[0] in p.matching
    silent = not any(name in arrived.response.fields for name in (b"etag", b"last-modified"))
    # A 304 without validators answers the one question that was asked.
    return nominated if only and silent and has_validator(nominated[0]) else ()


def _unasked(p: Progress, source: StoredResponse) -> bool:
    """Whether a 304 that nobody asked for, as there was nothing to ask by, must be about `source` (§4.3.4).

    A client that sent no condition can't make anything of it.
    """
    return not p.request.fields.has_any(_CONDITIONS) and answerable(p.request, source, p.now)


def _update(p: Progress, one: StoredResponse, arrived: Arrived) -> Update:
    times = (arrived.request_time, arrived.response_time)
    return freshened(one, p.request, arrived.response, times, p.policy)


def _keep(p: Progress, one: StoredResponse, kept: StoredResponse) -> Generator[Effect, Result, None]:
    """Replace what is known of `one`; store it anew where it has to be found by other labels from now on.

    An exchange stores one response. A second one of that kind stays as it was, and is validated in its turn.
    """
    labels = labels_of(one.request, kept.response, p.policy)
    if kept.invalidated or labels == labels_of(one.request, one.response, p.policy):
        yield Freshen(one, kept)
    elif p.store is None:
        key, reached = cache_key(one.request), one.first + one.length
        p.store = Store(key, kept, labels, (one,), extends=one, arriving=reached)


def _show(p: Progress, source: StoredResponse, update: Update) -> None:
    p.outcome = Outcome.VALIDATED
    p.source, p.shown = source, update.shown


def _variant(p: Progress, response: Response) -> StoredResponse | None:
    """The nominated response that the 304's entity tag means, where none could be chosen by Vary.

    Only a strong one tells which: variants may share a weak one (RFC 9110 §8.8.1, RFC 9111 §4.3.4).
    """
    tag = etag_of(response.fields)
    if p.matching or tag is None or p.plan is None or p.plan.conditional is None:
        return None
    alike = [
        one
        for one in p.plan.conditional.nominated
        if (held := etag_of(one.response.fields)) is not None and strongly_equal(held, tag)
    ]
    return max(alike, key=recency, default=None)


def _copy(p: Progress, variant: StoredResponse, kept: StoredResponse | None) -> None:
    """Store the variant for this request's fields too: its content is there, and nothing more arrives."""
    if kept is None or kept.invalidated:
        return
    kept = replace(kept, request=remembered(p, kept.response))
    labels = labels_of(p.request, kept.response, p.policy)
    p.store = Store(p.key, kept, labels, extends=variant, arriving=variant.length)


def _clients_copy(p: Progress, response: Response) -> bool:
    """Whether a 304 is about an entity tag of the client's own, and not about one that was added to them."""
    own = parse_etags(p.request.fields.all(b"if-none-match"))
    tag = etag_of(response.fields)
    if tag is None:
        return p.sent is not None and own == parse_etags(p.sent.fields.all(b"if-none-match")) != Listed()
    return not none_match(own, tag)
