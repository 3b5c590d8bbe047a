"""Requests that validate stored responses (RFC 9111 §4.3.1, §4.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from proxy.caching.stored import StoredResponse
from proxy.caching.updating import can_be_validated
from proxy.caching.vary import credentials_among, nominated, selects
from proxy.message.conditions import CONDITIONAL, EntityTag, etag_of, last_modified_of, parse_etags
from proxy.message.fields import Fields
from proxy.message.preferences import asks_for_codings
from proxy.message.request import Request

MOST_TAGS = 16
"""How many entity tags of stored responses one request carries."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """A request with the validators of `nominated` stored responses in it."""

    request: Request
    nominated: tuple[StoredResponse, ...]


def conditional(request: Request, stored: Sequence[StoredResponse], *, chosen: bool) -> Conditional | None:
    """The request that validates `stored`, made from the one at hand; None where it can't be made.

    `chosen` where they are the one response that would be reused, and that satisfies the request; otherwise
    they are those among which none could be chosen by Vary, of which incomplete ones are not nominated
    (§4.3.2), nor those that may not stand in for another (`_may_stand_in`). Nor is any that isn't successful,
    as no condition is evaluated then (RFC 9110 §13.2.1), nor a 206 that is stored as it came: a 304 could
    bring it fields of the whole that don't fit the part. A HEAD is forwarded as it is: its response updates
    what is stored just as well (§4.3.5). So is a QUERY, as RFC 9110 §13.2.2 lets it fail with 412 where GET
    has 304. Conditions of the client's own are kept: entity tags are joined with ours, a date is replaced by
    ours and evaluated later.
    """
    if request.method != b"GET":
        return None
    own = parse_etags(request.fields.all(b"if-none-match"))
    whole = [one for one in stored if (chosen or one.complete) and can_be_validated(one)]
    tagged = [
        one
        for one in whole
        if (tag := etag_of(one.response.fields)) is not None and (chosen or _may_stand_in(one, tag, request))
    ][:MOST_TAGS]
    if own.any:
        return None
    if tagged:
        fields = _with_tags(request.fields, tagged)
        if chosen:
            fields = _with_date(fields, tagged[0])
        return Conditional(replace(request, fields=fields), tuple(tagged))
    if not (chosen and whole) or b"if-none-match" in request.fields:
        return None
    fields = _with_date(request.fields.without(b"range", b"if-range"), whole[0])
    if b"if-modified-since" not in fields:
        return None
    return Conditional(replace(request, fields=fields), (whole[0],))


def _may_stand_in(variant: StoredResponse, tag: EntityTag, request: Request) -> bool:
    """Whether a 304 may say that `variant` is good for a request that Vary keeps it from.

    Variants with different bytes may share a weak entity tag (RFC 9110 §8.8.1). They must not share a strong
    one (§8.8.3.3), but many servers give the same to what they compress and to what they don't, or one that
    tells a version to everybody: none stands in with a coding that wasn't asked for, or for another user.
    """
    lines = variant.response.fields
    if tag.weak or not selects(variant, request, credentials_among(nominated(lines)))[0]:
        return False
    codings = lines.all(b"content-encoding")
    return not codings or asks_for_codings(request.fields.all(b"accept-encoding"), codings)


def _with_tags(fields: Fields, tagged: Sequence[StoredResponse]) -> Fields:
    received = parse_etags(fields.all(b"if-none-match")).tags
    ours: dict[EntityTag, None] = {}
    for one in tagged:
        tag = etag_of(one.response.fields)
        if tag is not None and tag not in received:
            ours[tag] = None
    tags = b", ".join(bytes(tag) for tag in (*received, *ours))
    return fields.setting(b"If-None-Match", tags).without(b"if-modified-since")


def _with_date(fields: Fields, stored: StoredResponse) -> Fields:
    """With the stored Last-Modified exactly as it was received, unless the request is for a subrange."""
    values = stored.response.fields.all(b"last-modified")
    if b"range" in fields or last_modified_of(stored.response.fields, stored.response_time) is None:
        return fields.without(b"if-modified-since")
    return fields.setting(b"If-Modified-Since", values[0])


def unconditional(request: Request) -> Request:
    """The request without conditions, without Range and without what the client wishes of caches.

    It is what validates a stored response when no client waits for it (RFC 5861 §3).
    """
    method = b"GET" if request.method == b"HEAD" else request.method
    fields = request.fields.without(*CONDITIONAL, b"range", b"cache-control", b"pragma")
    return replace(request, method=method, fields=fields)


def replaces_condition(request: Request, sent: Request) -> bool:
    """Whether the client's own If-Modified-Since gave way to ours, and has yet to be evaluated."""
    name = b"if-modified-since"
    return name in request.fields and sent.fields.all(name) != request.fields.all(name)
