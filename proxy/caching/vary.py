"""Selecting among stored responses by the request fields that Vary nominates (RFC 9111 §4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from proxy.caching.age import date_value
from proxy.caching.decision import Because
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.grammar import is_token
from proxy.message.preferences import normalise
from proxy.message.request import Request

VARY_ANY = declare("vary-any", "RFC 9111 §4.1", "A Vary of * never matches: only the origin server can tell.")
VARY_ILL_FORMED = declare(
    "vary-ill-formed", "RFC 9111 §4.1", "Vary holds something that is no field name, so it can't be matched."
)
VARY_MISMATCH = declare(
    "vary-mismatch",
    "RFC 9111 §4.1",
    "A request field that Vary nominates differs from the original request's.",
)
SELECTED = declare(
    "selected", "RFC 9111 §4.1", "Every request field that Vary nominates matches the original request's."
)

_CREDENTIALS = frozenset((b"authorization", b"cookie"))


def nominated(response_fields: Fields) -> tuple[bytes, ...] | None:
    """The lower-case names in a response's Vary; None where it nominates what can't be matched."""
    values = response_fields.all(b"vary")
    if not values:
        return ()
    if sum(map(len, values)) > 512:  # what is remembered stays small
        return _names(values)
    return _nominated(values)


def _names(values: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
    members = (member.strip(b" \t").lower() for value in values for member in value.split(b","))
    names = tuple(dict.fromkeys(member for member in members if member))
    return None if any(name == b"*" or not is_token(name) for name in names) else names


def credentials_among(names: tuple[bytes, ...] | None) -> tuple[bytes, ...]:
    """Those of the fields that Vary nominates that tell one user from another."""
    return tuple(name for name in names or () if name in _CREDENTIALS)


_nominated = lru_cache(maxsize=1024)(_names)


def selects(
    stored: StoredResponse, request: Request, names: tuple[bytes, ...] | None = None
) -> tuple[bool, tuple[Because, ...]]:
    """Whether `stored` may be chosen for `request` as far as Vary goes, and why.

    `names` are the fields to compare where they aren't those that the stored response itself nominates.
    """
    own = nominated(stored.response.fields) if names is None else names
    if own is None:
        value = stored.response.fields.get(b"vary") or b""
        members = [member.strip(b" \t") for member in value.split(b",")]
        return False, (Because(VARY_ANY if b"*" in members else VARY_ILL_FORMED, _shown(value)),)
    for name in own:
        if not _matches(name, stored.request.fields.all(name), request.fields.all(name)):
            return False, (Because(VARY_MISMATCH, _shown(name)),)
    return True, ((Because(SELECTED, _shown(b", ".join(own))),) if own else ())


def select(
    stored: Sequence[StoredResponse], request: Request
) -> tuple[list[StoredResponse], tuple[Because, ...]]:
    """Those of `stored` that may be chosen for `request`, the preferred one first, and why.

    Where some have a valid Vary and some have none, the latter are compared by the Vary of the most recent
    of the former: a resource that leaves the field out of its default response doesn't mean that this
    response is good for every request (RFC 9111 §4.1). Otherwise the most recent comes first, by Date (§4).
    """
    if len(stored) == 1:
        matched, because = selects(stored[0], request)
        return list(stored) if matched else [], because
    ordered = sorted(stored, key=recency, reverse=True)
    given = (nominated(one.response.fields) for one in ordered)
    fallback = next((names for names in given if names), None)
    chosen: list[StoredResponse] = []
    reasons: list[Because] = []
    misses: list[Because] = []
    for one in ordered:
        lacks = fallback is not None and nominated(one.response.fields) == ()
        matched, because = selects(one, request, fallback if lacks else None)
        if matched:
            chosen.append(one)
            reasons += because
        else:
            misses += because
    chosen.sort(key=lambda one: bool(nominated(one.response.fields)), reverse=True)
    return chosen, tuple(dict.fromkeys(reasons[:1] if chosen else misses))


def recency(stored: StoredResponse) -> tuple[object, ...]:
    """What orders stored responses from the oldest to the most recent: Date, then when it was received.

    The rest makes the order the same for whoever finds them in another one.
    """
    fields = stored.response.fields
    date = date_value(fields, stored.response_time)
    times = stored.response_time, stored.request_time
    return date, *times, stored.length, stored.first, tuple(fields)


def remembered_request(request: Request, names: Iterable[bytes]) -> Request:
    """What is kept of a request so that its fields called `names` can be compared later.

    Of credentials that is a digest only: whoever reads the store learns none.
    """
    distinct = dict.fromkeys(names)
    lines = [(name, value) for name in distinct for value in _kept(name, request.fields.all(name))]
    return replace(request, fields=Fields(lines))


def _kept(name: bytes, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (_digest(values),) if values and name in _CREDENTIALS else values


def _digest(values: tuple[bytes, ...]) -> bytes:
    return b"sha-256=" + hashlib.sha256(b"\0".join(values)).hexdigest().encode()


def _matches(name: bytes, kept: tuple[bytes, ...], presented: tuple[bytes, ...]) -> bool:
    if bool(kept) != bool(presented):
        return False  # what is absent only matches what is absent
    if name in _CREDENTIALS:
        return kept == _kept(name, presented)
    return kept == presented or normalise(name, kept) == normalise(name, presented)


def _shown(value: bytes) -> str:
    return value[:80].decode("latin-1")
