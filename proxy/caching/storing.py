"""Whether a response is stored, and what of it (RFC 9111 §3, §3.1, §3.3, §3.5, §7.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from msgspec import Struct

from proxy.caching.age import initial_age
from proxy.caching.decision import Because
from proxy.caching.excepted import fields_withheld, needed_field_listed, storable_fields, withheld_fields
from proxy.caching.freshness import HEURISTICALLY_CACHEABLE, Lifetime, freshness_lifetime
from proxy.caching.ill_formed import ill_formed_response
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.caching.stale import stale_use_permitted
from proxy.caching.tags import beyond_limit
from proxy.caching.targeted import Effective, effective_directives
from proxy.caching.understood import (
    POST_AS_GET,
    method_forbids,
    represents_target,
    status_forbids,
    understood,
)
from proxy.caching.vary import nominated
from proxy.message.cache_control import Directives, parse_cache_control
from proxy.message.conditions import etag_of, last_modified_of
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


class Storing(Struct, frozen=True):
    """Whether to store, every reason (the main one first), and what would be stored.

    `response` lacks the fields that are excepted from storage (RFC 9111 §3.1) and has a Date; `lifetime` and
    `effective` are those of the response as received.
    """

    allowed: bool
    reasons: tuple[Because, ...]
    response: Response
    lifetime: Lifetime
    effective: Effective


class _Case(Struct, frozen=True):
    """All that the rules below look at."""

    request: Request
    response: Response
    wishes: Directives  # of the request
    directives: Directives  # of the response
    effective: Effective
    lifetime: Lifetime
    fresh: bool  # on arrival, and usable without validation
    received: float  # in seconds since the epoch
    policy: Policy


_Rule = Callable[[_Case], Because | None]


# RFC 9111 §3, in its order: "the request method is understood by the cache", "the response status code is
# final", "the cache understands the response status code".


def _method(case: _Case) -> Because | None:
    if case.request.method == b"HEAD":  # it answers later HEADs (RFC 9110 §9.3.2)
        return method_forbids(replace(case.request, method=b"GET"))
    return None if _post_as_get(case) else method_forbids(case.request)


def _post_as_get(case: _Case) -> Because | None:
    as_get = case.lifetime.explicit and represents_target(case.request, case.response)
    return Because(POST_AS_GET) if as_get else None


def _status(case: _Case) -> Because | None:
    return status_forbids(case.response, case.directives, case.request)


# "the no-store cache directive is not present in the response", and as for the request §5.2.1.5.

NO_STORE = declare("no-store", "RFC 9111 §5.2.2.5", "no-store forbids every cache to store the response.")
REQUEST_NO_STORE = declare(
    "request-no-store", "RFC 9111 §5.2.1.5", "The request forbids to store anything of it or of its response."
)
MUST_UNDERSTAND = declare(
    "must-understand",
    "RFC 9111 §5.2.2.3",
    "must-understand lets a cache that knows the status code ignore no-store.",
)


def _no_store(case: _Case) -> Because | None:
    if b"no-store" not in case.directives or _overridden(case):
        return None
    return Because(NO_STORE, _said(case, b"no-store"))


def _request_no_store(case: _Case) -> Because | None:
    return Because(REQUEST_NO_STORE) if b"no-store" in case.wishes else None


def _overridden(case: _Case) -> bool:
    return b"must-understand" in case.directives and understood(case.response.status)


def _must_understand(case: _Case) -> Because | None:
    return Because(MUST_UNDERSTAND) if b"no-store" in case.directives and _overridden(case) else None


# "the private response directive is either not present or allows a shared cache to store a modified
# response".

PRIVATE = declare(
    "private", "RFC 9111 §5.2.2.7", "private keeps the response from caches that several users share."
)


def _private(case: _Case) -> Because | None:
    return Because(PRIVATE, _said(case, b"private")) if case.directives.unqualified(b"private") else None


# "the Authorization header field is not present in the request … or a response directive is present that
# explicitly allows shared caching".

AUTHORIZATION = declare(
    "authorization",
    "RFC 9111 §3.5",
    "The request is authenticated, and nothing in the response allows to share it.",
)
AUTHORIZATION_SHARED = declare(
    "authorization-shared",
    "RFC 9111 §3.5",
    "The request is authenticated, but the response allows to share it.",
)


def _allowing_authorization(directives: Directives) -> bytes | None:
    for name in (b"public", b"must-revalidate"):
        if name in directives:
            return name
    return b"s-maxage" if directives.seconds(b"s-maxage") is not None else None


def _authorization(case: _Case) -> Because | None:
    authenticated = b"authorization" in case.request.fields
    return Because(AUTHORIZATION) if authenticated and not _allowing_authorization(case.directives) else None


def _authorization_shared(case: _Case) -> Because | None:
    if b"authorization" not in case.request.fields:
        return None
    name = _allowing_authorization(case.directives)
    return Because(AUTHORIZATION_SHARED, name.decode()) if name else None


# "the response contains at least one of the following".

NOT_CACHEABLE = declare(
    "not-cacheable",
    "RFC 9111 §3",
    "The status code isn't cacheable by itself, and nothing in the response makes it so.",
)


def _not_cacheable(case: _Case) -> Because | None:
    cacheable = (
        case.response.status in HEURISTICALLY_CACHEABLE
        or any(name in case.directives for name in (b"public", b"max-age", b"s-maxage"))
        or (b"expires" in case.response.fields and not case.effective.targeted)
    )
    return None if cacheable else Because(NOT_CACHEABLE, str(case.response.status))


# RFC 9111 §3.1: fields that are excepted from storage.


def _needed_field_listed(case: _Case) -> Because | None:
    return needed_field_listed(case.directives, case.policy)


def _fields_withheld(case: _Case) -> Because | None:
    return fields_withheld(case.response.fields, case.directives)


def _tags_beyond_limit(case: _Case) -> Because | None:
    return beyond_limit(case.response.fields, case.policy)


# RFC 9111 §4.1.

VARY_STAR = declare(
    "vary-star", "RFC 9111 §4.1", "Vary: * means that no other request would match the response."
)


def _vary_star(case: _Case) -> Because | None:
    values = case.response.fields.all(b"vary")
    star = any(member.strip(b" \t") == b"*" for value in values for member in value.split(b","))
    return Because(VARY_STAR) if star else None


# RFC 9111 §7.3.

SET_COOKIE = declare(
    "set-cookie",
    "RFC 9111 §7.3",
    "The response sets a cookie, and no explicit lifetime says that others may be given it too.",
)
SET_COOKIE_SHARED = declare(
    "set-cookie-shared",
    "RFC 9111 §7.3",
    "The response sets a cookie that all who are answered from the cache get, as its lifetime is explicit.",
)


def _sets_cookie(case: _Case) -> bool:
    return b"set-cookie" in case.response.fields and b"set-cookie" not in withheld_fields(case.directives)


def _set_cookie(case: _Case) -> Because | None:
    shared = (
        case.lifetime.explicit and case.lifetime.seconds > 0 and not case.directives.unqualified(b"no-cache")
    )
    return Because(SET_COOKIE) if _sets_cookie(case) and not shared else None


def _set_cookie_shared(case: _Case) -> Because | None:
    return Because(SET_COOKIE_SHARED) if _sets_cookie(case) else None


COOKIE_UNSHARED = declare(
    "cookie-unshared",
    "RFC 9111 §7.3",
    "The request has a cookie, and nothing in the response says that others may be given it too.",
)


def _cookie_unshared(case: _Case) -> Because | None:
    """A heuristic guesses how long a response is good, not for whom: pages for one user have a date too."""
    directives, lasts = case.directives, case.lifetime.explicit and case.lifetime.seconds > 0
    said = lasts or _allowing_authorization(directives) or b"no-store" in directives
    said = said or any(directives.unqualified(name) for name in (b"no-cache", b"private"))
    if said or not _has_validator(case.response.fields, case.received):
        return None
    apart = b"cookie" in (nominated(case.response.fields) or ())
    return Because(COOKIE_UNSHARED) if not apart and b"cookie" in case.request.fields else None


# RFC 9111 §3, its last note: what could never be reused is not worth its room.

UNUSABLE = declare(
    "unusable",
    "RFC 9111 §3",
    "The response can't be reused as it is, and has nothing by which it could be validated.",
)


def _unusable(case: _Case) -> Because | None:
    if (
        case.fresh
        or stale_use_permitted(case.directives)
        or _has_validator(case.response.fields, case.received)
    ):
        return None
    return Because(UNUSABLE)


def _has_validator(fields: Fields, received: float) -> bool:
    return etag_of(fields) is not None or last_modified_of(fields, received) is not None


_FORBIDDING: tuple[_Rule, ...] = (
    _method,
    _status,
    _no_store,
    _request_no_store,
    _private,
    _authorization,
    _not_cacheable,
    _needed_field_listed,
    _vary_star,
    _set_cookie,
    _cookie_unshared,
    _unusable,
)
_REMARKABLE: tuple[_Rule, ...] = (
    _post_as_get,
    _set_cookie_shared,
    _authorization_shared,
    _must_understand,
    _fields_withheld,
    _tags_beyond_limit,
)


def decide_storing(
    request: Request, response: Response, *, request_time: float, response_time: float, policy: Policy
) -> Storing:
    """Whether a shared cache stores `response`, the final response to `request`, hop-by-hop fields removed.

    Both times are in seconds since the epoch (RFC 9111 §4.2.3). Where it may not, the reasons are all those
    that forbid it; where it may, those that are worth a remark and that of its lifetime. Reasons for the
    choice of a targeted field, and what is ill-formed, come last.
    """
    effective = effective_directives(response.fields, policy)
    lifetime = freshness_lifetime(response, effective, response_time, policy)
    case = _Case(
        request,
        response,
        parse_cache_control(request.fields.all(b"cache-control")),
        effective.directives,
        effective,
        lifetime,
        fresh=(
            lifetime.seconds > 0
            and not effective.directives.unqualified(b"no-cache")
            and lifetime.seconds > initial_age(response.fields, request_time, response_time)
        ),
        received=response_time,
        policy=policy,
    )
    forbidding = _found(_FORBIDDING, case)
    read = (
        *effective.reasons,
        *ill_formed_response(response.fields, effective.directives, effective.source, response_time),
    )
    if forbidding:
        return Storing(False, (*forbidding, *read), response, lifetime, effective)
    reasons = (*_found(_REMARKABLE, case), *lifetime.reasons, *read)
    return Storing(True, reasons, _stored_form(response, effective, response_time), lifetime, effective)


def _found(rules: tuple[_Rule, ...], case: _Case) -> tuple[Because, ...]:
    return tuple([because for rule in rules if (because := rule(case)) is not None])


def _stored_form(response: Response, effective: Effective, response_time: float) -> Response:
    fields = storable_fields(response.fields, effective)
    if b"date" not in fields:  # RFC 9110 §6.6.1
        fields = fields.adding((b"Date", format_date(response_time)))
    return response if fields is response.fields else replace(response, fields=fields)


def _said(case: _Case, name: bytes) -> str:
    return f"{case.effective.source.decode('latin-1')}: {name.decode()}"
