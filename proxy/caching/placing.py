"""Where a response is stored: under which key and labels, in whose place, with what of its request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from proxy.caching.decision import Because
from proxy.caching.effects import Arrived, Store
from proxy.caching.groups import group_labels
from proxy.caching.key import CONTENT_METADATA, uri_label
from proxy.caching.no_vary_search import labels as search_labels
from proxy.caching.no_vary_search import rule_of
from proxy.caching.partial import Part, combinable, held, joined, part_of, same_ranges, validators
from proxy.caching.policy import Policy
from proxy.caching.progress import Progress
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.caching.storing import Storing
from proxy.caching.tags import tag_labels
from proxy.caching.updating import freshened, same_strong_validator
from proxy.caching.vary import nominated, recency, remembered_request, select
from proxy.message.conditions import Validators, validators_of
from proxy.message.ranges import Extent
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.uri import target_uri

MOST_VARIANTS = 64
"""How many responses are stored for one target; each look-up has to weigh all of them."""

PART_NOT_KEPT = declare(
    "part-not-kept",
    "RFC 9111 §3.3",
    "A partial response that its request did not ask for is not kept.",
)
HELD_ALREADY = declare(
    "held-already", "RFC 9111 §3.4", "The whole of which this is a part is stored already, and is the same."
)


def labels_of(request: Request, response: Response, policy: Policy) -> tuple[bytes, ...]:
    """Every label by which a stored response to `request` has to be found or invalidated."""
    uri = target_uri(request)
    own = (uri_label(uri),) if request.method == b"QUERY" else ()
    fields = response.fields
    return (
        *own,
        *search_labels(request, fields),
        *group_labels(uri, fields),
        *tag_labels(uri, fields, policy),
    )


def remembered(p: Progress, response: Response) -> Request:
    """What to keep of the request: the fields that Vary nominates, in this response or in others stored.

    The latter are kept for the case that this response lacks a Vary that others have (RFC 9111 §4.1). What is
    stored of a POST is what a GET would have given (RFC 9110 §9.3.3).
    """
    names = list(nominated(response.fields) or ())
    for one in p.stored:
        names += nominated(one.response.fields) or ()
    if p.request.method == b"QUERY":
        names += CONTENT_METADATA
    request = replace(p.request, method=b"GET") if p.request.method == b"POST" else p.request
    return remembered_request(request, names)


def place(p: Progress, storing: Storing, arrived: Arrived) -> tuple[Store | None, tuple[Because, ...]]:
    """What to store of a response that may be stored; None, and why, where it is not worth it."""
    response = storing.response
    stored = StoredResponse(
        remembered(p, response),
        response,
        arrived.request_time,
        arrived.response_time,
        arrived.length or 0,
    )
    if response.status == 206:
        return _place_part(p, stored, part_of(response, arrived.length), arrived)
    return Store(p.key, stored, labels_of(p.request, response, p.policy), _replaced(p, response)), ()


def _place_part(
    p: Progress, stored: StoredResponse, part: Part | None, arrived: Arrived
) -> tuple[Store | None, tuple[Because, ...]]:
    if part is None:
        return _place_as_it_came(p, stored)
    known = validators_of(part.whole.fields, arrived.response_time)
    alike = [one for one in _superseded(p, part.whole) if same_strong_validator(validators(one), known)]
    if any(one.complete for one in alike):
        return None, (Because(HELD_ALREADY),)
    joinable = (one for one in alike if combinable(one, part, arrived.response_time))
    held_before = max(joinable, key=lambda one: one.length, default=None)
    if held_before is not None and (store := join(p, held_before, part, arrived)) is not None:
        return store, ()
    stored = replace(stored, response=part.whole, first=part.extent.first, complete_length=part.complete)
    labels = labels_of(p.request, part.whole, p.policy)
    return Store(p.key, stored, labels, _replaced(p, part.whole, known, part.extent)), ()


def _place_as_it_came(p: Progress, stored: StoredResponse) -> tuple[Store | None, tuple[Because, ...]]:
    """What to store of a 206 that can't be combined with others: it answers the same Range again (§3.3)."""
    if not same_ranges(p.request, p.request):
        return None, (Because(PART_NOT_KEPT),)
    request = remembered_request(p.request, (*stored.request.fields.names(), b"range"))
    before = [one for one in _superseded(p, stored.response) if one.response.status == 206]
    replaced = [one for one in before if same_ranges(p.request, one.request)]
    labels = labels_of(p.request, stored.response, p.policy)
    return Store(p.key, replace(stored, request=request), labels, _with_surplus(p, replaced)), ()


def join(p: Progress, before: StoredResponse, part: Part, arrived: Arrived) -> Store | None:
    """What to store where a part completes, or makes longer, what was held before (RFC 9111 §3.4)."""
    times = (arrived.request_time, arrived.response_time)
    kept = freshened(before, p.request, part.whole, times, p.policy).kept
    if kept is None or kept.invalidated:
        return None
    extent = joined(before, part)
    stored = replace(kept, request=remembered(p, kept.response), first=extent.first, length=extent.length)
    labels = labels_of(p.request, kept.response, p.policy)
    replaced = _replaced(p, kept.response, validators(kept), extent)
    return Store(p.key, stored, labels, replaced, extends=before, arriving=part.extent.first)


def _replaced(
    p: Progress, response: Response, known: Validators | None = None, extent: Extent | None = None
) -> tuple[StoredResponse, ...]:
    """The stored responses in whose place a new one comes; the oldest too, where there are too many.

    Other parts of the same representation stay beside the one with these validators and this `extent`.
    """
    superseded = _superseded(p, response)
    if known is not None and extent is not None:
        superseded = [one for one in superseded if not _beside(one, known, extent)]
    return _with_surplus(p, superseded)


def _with_surplus(p: Progress, superseded: Sequence[StoredResponse]) -> tuple[StoredResponse, ...]:
    target = target_uri(p.request)
    staying = [one for one in p.stored if one not in superseded and target_uri(one.request) == target]
    surplus = sorted(staying, key=recency)[: max(0, len(staying) + 1 - MOST_VARIANTS)]
    return (*superseded, *surplus)


def _beside(one: StoredResponse, known: Validators, extent: Extent) -> bool:
    have = held(one)
    within = extent.first <= have.first and have.last <= extent.last
    return not one.complete and not within and same_strong_validator(validators(one), known)


def _superseded(p: Progress, response: Response) -> list[StoredResponse]:
    """The stored responses that could have been chosen instead of a new one.

    Of those for other queries only what the new response's own No-Vary-Search makes equivalent. A response to
    HEAD comes in the place of its like alone.
    """
    matching, _ = select(p.stored, p.request)
    if p.request.method == b"HEAD":
        matching = [one for one in matching if one.request.method == b"HEAD"]
    target, rule = target_uri(p.request), rule_of(response.fields)
    return [
        one for one in matching if target_uri(one.request) == target or rule_of(one.response.fields) == rule
    ]
