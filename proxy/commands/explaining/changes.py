"""Changes to a response that might let caches do more with it; none says by itself that it does."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from proxy.caching.age import initial_age
from proxy.caching.freshness import Lifetime, freshness_lifetime
from proxy.caching.policy import Policy
from proxy.caching.targeted import CACHE_CONTROL, effective_directives
from proxy.commands.explaining.origins import Had
from proxy.message.cache_control import Directives, Pair, parse_cache_control, print_directives
from proxy.message.fields import Fields

MINUTE = 60
"""The lifetime that is proposed where there is none to go by, in seconds."""
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Change:
    """One change, under a stable name; `provided` is what has to be true for it to be right, or empty."""

    name: str
    provided: str
    apply: Callable[[Had, Policy], Had]


def with_directives(
    had: Had, policy: Policy, *, without: Collection[bytes] = (), add: Sequence[Pair] = ()
) -> Had:
    """With other directives in the field that holds for this cache, be it Cache-Control or a targeted one."""
    effective = effective_directives(had.response.fields, policy)
    gone = {*without, *(name for name, _ in add)}
    kept = [pair for pair in effective.directives if pair[0] not in gone]
    bare, valued = ([pair for pair in add if (pair[1] is None) is b] for b in (True, False))
    return with_field(had, effective.source, print_directives(Directives([*bare, *kept, *valued])))


def with_field(had: Had, name: bytes, value: bytes) -> Had:
    """With one response field of that lower-case name, in the case in which it was; without, if empty."""
    fields = had.response.fields
    written = next((line[0] for line in fields if line[0].lower() == name), _titled(name))
    fields = fields.setting(written, value) if value else fields.without(name)
    return had.with_response(replace(had.response, fields=fields))


def _titled(name: bytes) -> bytes:
    return {b"etag": b"ETag", b"cdn-cache-control": b"CDN-Cache-Control"}.get(name, name.title())


def lifetime_of(had: Had, policy: Policy) -> Lifetime:
    """The freshness lifetime that the rules find."""
    effective = effective_directives(had.response.fields, policy)
    return freshness_lifetime(had.response, effective, had.time, policy)


def _lasting(had: Had, policy: Policy) -> tuple[set[bytes], list[Pair]]:
    """What to take from the directives, and to add, so that the response is fresh for a time."""
    lifetime = lifetime_of(had, policy)
    age = initial_age(had.response.fields, had.arrived.request_time, had.time)
    if lifetime.explicit and lifetime.seconds > age:
        return set(), []
    seconds = max(MINUTE, math.floor(lifetime.seconds)) + (0 if age < MINUTE else math.ceil(age))
    return {b"s-maxage"}, [(b"max-age", b"%d" % seconds)]


def _unqualified(had: Had, policy: Policy, *names: bytes) -> set[bytes]:
    directives = effective_directives(had.response.fields, policy).directives
    return {name for name in names if directives.unqualified(name)}


def _reusable(had: Had, policy: Policy) -> Had:
    gone, added = _lasting(had, policy)
    gone |= {b"no-store", *_unqualified(had, policy, b"no-cache")}
    return with_directives(had, policy, without=gone, add=added)


def _shared(had: Had, policy: Policy) -> Had:
    return with_directives(had, policy, without={b"private"})


def _public(had: Had, policy: Policy) -> Had:
    return with_directives(had, policy, add=[(b"public", None)])


def _own(had: Had, policy: Policy) -> Had:
    """For the user's own cache, which obeys Cache-Control whatever targeted fields there are."""
    gone, added = _lasting(had, replace(policy, targeted=()))
    gone |= {b"no-store", b"public", b"s-maxage", *_unqualified(had, policy, b"no-cache")}
    added = [(b"private", None), *added]
    return with_directives(had, replace(policy, targeted=()), without=gone, add=added)


def _without_listing(had: Had, policy: Policy) -> Had:
    return with_directives(had, policy, without={b"private", b"no-cache"})


def _named_vary(had: Had, _: Policy) -> Had:
    return with_field(had, b"vary", b"Accept-Encoding")


def _without_cookie(had: Had, _: Policy) -> Had:
    return with_field(had, b"set-cookie", b"")


def _tagged(had: Had, _: Policy) -> Had:
    return with_field(had, b"etag", b'"1"')


def _request_without_no_store(had: Had, _: Policy) -> Had:
    fields = had.request.fields
    wishes = parse_cache_control(fields.all(CACHE_CONTROL))
    said = print_directives(Directives(pair for pair in wishes if pair[0] != b"no-store"))
    changed: Fields = fields.setting(b"Cache-Control", said) if said else fields.without(CACHE_CONTROL)
    return replace(had, request=replace(had.request, fields=changed))


def _while_revalidating(had: Had, policy: Policy) -> Had:
    return with_directives(had, policy, add=[(b"stale-while-revalidate", b"%d" % MINUTE)])


def _if_error(had: Had, policy: Policy) -> Had:
    """A day, from where a validation in the background no longer covers it."""
    directives = effective_directives(had.response.fields, policy).directives
    seconds = (directives.seconds(b"stale-while-revalidate") or 0) + DAY
    return with_directives(had, policy, add=[(b"stale-if-error", b"%d" % seconds)])


def _stale_allowed(had: Had, policy: Policy) -> Had:
    """Without what forbids stale use. So does s-maxage; in a targeted field max-age says as much."""
    effective = effective_directives(had.response.fields, policy)
    forbidding = {b"must-revalidate", b"proxy-revalidate", b"s-maxage"}
    lasting = effective.directives.seconds(b"s-maxage")
    if lasting is None or effective.targeted or not policy.targeted:
        return with_directives(had, policy, without=forbidding - {b"s-maxage"})
    kept = [pair for pair in effective.directives if pair[0] not in forbidding | {b"max-age"}]
    said = print_directives(Directives([*kept, (b"max-age", b"%d" % lasting)]))
    return with_field(had, policy.targeted[0], said)


def narrowed(name: bytes) -> Change:
    """Vary without one field, given in lower case."""

    def without(had: Had, _: Policy) -> Had:
        value = had.response.fields.get(b"vary") or b""
        members = [member.strip(b" \t") for member in value.split(b",")]
        return with_field(had, b"vary", b", ".join(one for one in members if one.lower() != name))

    provided = f"the response doesn't depend on the request's {name.decode().title()}"
    return Change(f"vary:{name.decode()}", provided, without)


REUSABLE = Change("lifetime", "an answer that is a little old will do", _reusable)
SHARED = Change("shared", "every user gets the same response", _shared)
PUBLIC = Change("public", "everyone who may ask gets the same response", _public)
OWN = Change("own", "the response is for one user only, and may be a little old", _own)
NO_LISTING = Change("no-listing", "none of the listed fields is for one user only", _without_listing)
NAMED_VARY = Change("named-vary", "", _named_vary)
NO_COOKIE = Change("no-cookie", "the cookie can be set elsewhere", _without_cookie)
TAGGED = Change("validator", "", _tagged)
NO_REQUEST_NO_STORE = Change("request", "", _request_without_no_store)
WHILE_REVALIDATING = Change(
    "while-revalidating",
    "an answer may be older, so that nobody waits",
    _while_revalidating,
)
IF_ERROR = Change("if-error", "a stale response is better than an error", _if_error)
STALE_ALLOWED = Change("stale-allowed", "a stale response is better than none", _stale_allowed)
