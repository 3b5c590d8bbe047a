"""What a private cache, such as a browser's, may make of a response (RFC 9111 §1, §3).

This proxy is a shared cache; a private one is bound by fewer rules. What is said here is asked for by those
who explain a response, never on the path of an exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from proxy.caching.age import initial_age
from proxy.caching.decision import Because
from proxy.caching.freshness import HEURISTICALLY_CACHEABLE, Lifetime, freshness_lifetime
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.caching.stale import stale_use_permitted
from proxy.caching.storing import (
    MUST_UNDERSTAND,
    NO_STORE,
    NOT_CACHEABLE,
    REQUEST_NO_STORE,
    UNUSABLE,
    VARY_STAR,
    Storing,
)
from proxy.caching.targeted import CACHE_CONTROL, Effective
from proxy.caching.understood import method_forbids, represents_target, status_forbids, understood
from proxy.message.cache_control import Directives, parse_cache_control, print_directives
from proxy.message.conditions import etag_of, last_modified_of
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

FOR_ONE_USER = declare(
    "for-one-user", "RFC 9111 §5.2.2.7", "private lets a cache that serves a single user store the response."
)
FOR_SHARED_CACHES = declare(
    "for-shared-caches",
    "RFC 9111 §5.2.2.10",
    "s-maxage and proxy-revalidate speak to shared caches, and mean nothing to one user's own.",
)
FOR_OTHER_CACHES = declare(
    "for-other-caches",
    "RFC 9213 §2.2",
    "A field that is addressed to other caches means nothing to one user's own.",
)

_TO_SHARED_CACHES = frozenset((b"s-maxage", b"proxy-revalidate"))


def as_private(response: Response, policy: Policy) -> Response:
    """`response` as a private cache reads it: without what is addressed to other caches.

    That is s-maxage (RFC 9111 §5.2.2.10), proxy-revalidate (§5.2.2.8) and the fields of `policy.targeted`
    (RFC 9213 §2.2). With the result, and no targeted fields in the policy, the rules for reuse hold for a
    private cache as well.
    """
    fields = response.fields.without(*policy.targeted)
    directives = parse_cache_control(fields.all(CACHE_CONTROL))
    kept = Directives(pair for pair in directives if pair[0] not in _TO_SHARED_CACHES)
    if kept != directives:
        said = print_directives(kept)
        fields = fields.setting(b"Cache-Control", said) if said else fields.without(CACHE_CONTROL)
    return response if fields is response.fields else replace(response, fields=fields)


def decide_storing_privately(
    request: Request, response: Response, *, request_time: float, response_time: float, policy: Policy
) -> Storing:
    """Whether a private cache stores `response`, the final response to `request` (RFC 9111 §3).

    Takes and gives what `decide_storing` does; the response that would be stored is as `as_private` has it.
    Of §3's conditions those with "if the cache is shared" are left out, and private counts as what allows
    storing. A Set-Cookie is nobody's concern here: it is the one user's own.
    """
    read = as_private(response, policy)
    effective = Effective(parse_cache_control(read.fields.all(CACHE_CONTROL)))
    directives = effective.directives
    lifetime = freshness_lifetime(read, effective, response_time, policy)
    fresh = lifetime.seconds > initial_age(read.fields, request_time, response_time)
    usable = (
        (fresh and not directives.unqualified(b"no-cache"))
        or stale_use_permitted(directives)
        or etag_of(read.fields) is not None
        or last_modified_of(read.fields, response_time) is not None
    )
    by_method = _method(request, read, lifetime)
    forbidding = (*by_method, *_forbidding(request, read, directives, usable))
    if forbidding:
        return Storing(False, forbidding, response, lifetime, effective)
    reasons = (*_remarks(response, directives, policy), *lifetime.reasons)
    if b"date" not in read.fields:  # RFC 9110 §6.6.1
        read = replace(read, fields=read.fields.adding((b"Date", format_date(response_time))))
    return Storing(True, reasons, read, lifetime, effective)


def _method(request: Request, response: Response, lifetime: Lifetime) -> tuple[Because, ...]:
    if request.method == b"HEAD":  # it answers later HEADs (RFC 9110 §9.3.2)
        request = replace(request, method=b"GET")
    if lifetime.explicit and represents_target(request, response):
        return ()
    because = method_forbids(request)
    return () if because is None else (because,)


def _forbidding(
    request: Request, response: Response, directives: Directives, usable: bool
) -> Iterator[Because]:
    status = response.status
    by_status = status_forbids(response, directives, request)
    if by_status is not None:
        yield by_status
    if b"no-store" in directives and not _overridden(status, directives):
        yield Because(NO_STORE, "cache-control: no-store")
    if b"no-store" in parse_cache_control(request.fields.all(CACHE_CONTROL)):
        yield Because(REQUEST_NO_STORE)
    if not (
        any(name in directives for name in (b"public", b"private", b"max-age"))
        or b"expires" in response.fields
        or status in HEURISTICALLY_CACHEABLE
    ):
        yield Because(NOT_CACHEABLE, str(status))
    if _any_request(response.fields):
        yield Because(VARY_STAR)
    if not usable:
        yield Because(UNUSABLE)


def _overridden(status: int, directives: Directives) -> bool:
    return b"must-understand" in directives and understood(status)


def _any_request(fields: Fields) -> bool:
    values = fields.all(b"vary")
    return any(member.strip(b" \t") == b"*" for value in values for member in value.split(b","))


def _remarks(response: Response, directives: Directives, policy: Policy) -> Iterator[Because]:
    """What there is to say of a response that may be stored; `response` is as it was received."""
    if b"no-store" in directives:
        yield Because(MUST_UNDERSTAND)
    if directives.unqualified(b"private"):
        yield Because(FOR_ONE_USER)
    said = parse_cache_control(response.fields.all(CACHE_CONTROL))
    if shared := sorted(name for name in _TO_SHARED_CACHES if name in said):
        yield Because(FOR_SHARED_CACHES, b", ".join(shared).decode())
    if others := [name for name in policy.targeted if name in response.fields]:
        yield Because(FOR_OTHER_CACHES, b", ".join(others).decode("latin-1"))
