"""Partial responses: stored, combined, and used for the ranges they hold (RFC 9111 §3.3, §3.4).

A 206 with one range of a known length is stored as an incomplete 200. Any other one is stored as it came, and
answers the requests for the very same ranges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from proxy.caching.stored import StoredResponse
from proxy.caching.updating import same_strong_validator
from proxy.message.conditions import CONDITIONAL, Validators, Verdict, evaluate, validators_of
from proxy.message.ranges import (
    Extent,
    coalesce,
    egregious,
    is_multipart,
    parse_content_range,
    parse_range,
    satisfiable,
)
from proxy.message.request import Request
from proxy.message.response import Response


@dataclass(frozen=True, slots=True)
class Part:
    """A 206 with one part of a known whole: which bytes, of how many, and the 200 that it is a part of."""

    extent: Extent
    complete: int
    whole: Response


@dataclass(frozen=True, slots=True)
class Gap:
    """What a stored part lacks for a request: the bytes to ask for, and those that the client is to get.

    `wanted` is None where it asks for the whole representation.
    """

    missing: Extent
    wanted: Extent | None
    request: Request


def part_of(response: Response, length: int | None) -> Part | None:
    """What a 206 with `length` bytes of content holds; None where it can't be stored as a part (§3.3).

    It has to be a single part of a representation of known length, and as long as it says: bytes that are
    off by one would spoil every answer that they are combined into. A Content-Digest is of this part alone
    (RFC 9530 §2), and goes.
    """
    found = parse_content_range(response.fields.all(b"content-range"))
    if response.status != 206 or found is None or found.extent is None or found.complete is None:
        return None
    if length != found.extent.length or is_multipart(response.fields):
        return None
    fields = response.fields.without(b"content-range", b"content-digest")
    fields = fields.setting(b"Content-Length", b"%d" % found.complete)
    return Part(found.extent, found.complete, replace(response, status=200, reason=b"OK", fields=fields))


def held(stored: StoredResponse) -> Extent:
    """The bytes of the representation that a stored response holds."""
    return Extent(stored.first, stored.first + stored.length - 1)


def asked(request: Request, stored: StoredResponse, now: float) -> list[Extent] | None:
    """The bytes of a stored 200 that a request asks for: none at all where no range can be satisfied.

    None where it asks for all of it, or where its Range is to be ignored (RFC 9110 §14.2).
    """
    specs = parse_range(request.fields.all(b"range")) if request.method == b"GET" else None
    length = stored.complete_length
    if specs is None or not length or stored.response.status != 200:
        return None
    if evaluate(request, validators(stored), now) is Verdict.WITHOUT_RANGE:
        return None
    extents = satisfiable(specs, length)
    return None if egregious(extents) else coalesce(extents)


def same_ranges(request: Request, other: Request) -> bool:
    """Whether two requests ask for the same ranges of bytes."""
    specs = parse_range(request.fields.all(b"range")) if request.method == b"GET" else None
    return specs is not None and specs == parse_range(other.fields.all(b"range"))


def answerable(request: Request, stored: StoredResponse, now: float) -> bool:
    """Whether the stored response holds what the request asks for (RFC 9111 §3.3)."""
    if stored.response.status == 206:
        verdict = evaluate(request, validators(stored), now)
        return verdict is not Verdict.WITHOUT_RANGE and same_ranges(request, stored.request)
    if stored.complete:
        return True
    extents = asked(request, stored, now)
    have = held(stored)
    return extents is not None and all(
        have.first <= extent.first and extent.last <= have.last for extent in extents
    )


def gap(request: Request, stored: StoredResponse, now: float) -> Gap | None:
    """How to get what a stored part lacks for a GET by one range request (RFC 9111 §3.3, §4.3.1).

    None where that can't be done: no strong validator, a condition of the client's own, several ranges, or
    missing bytes that don't adjoin those held.
    """
    length = stored.complete_length
    own = any(name in request.fields for name in CONDITIONAL if name != b"if-range")
    known = strong_validator(stored)
    if request.method != b"GET" or not length or own or known is None or stored.response.status != 200:
        return None
    extents = asked(request, stored, now)
    if extents is not None and len(extents) != 1:
        return None
    wanted = extents[0] if extents else Extent(0, length - 1)
    missing = _missing(wanted, held(stored))
    if missing is None:
        return None
    last = b"" if missing.last == length - 1 else b"%d" % missing.last
    fields = request.fields.setting(b"Range", b"bytes=%d-%b" % (missing.first, last))
    sent = replace(request, fields=fields.setting(b"If-Range", known))
    return Gap(missing, extents[0] if extents else None, sent)


def _missing(wanted: Extent, have: Extent) -> Extent | None:
    after = wanted.last > have.last
    before = wanted.first < have.first
    if after and not before and wanted.first <= have.last + 1:
        return Extent(have.last + 1, wanted.last)
    if before and not after and wanted.last >= have.first - 1:
        return Extent(wanted.first, have.first - 1)
    return None


def strong_validator(stored: StoredResponse) -> bytes | None:
    """What identifies exactly this representation in If-Range: an entity tag, or else a strong date."""
    found = validators(stored)
    if found.etag is not None:
        return None if found.etag.weak else bytes(found.etag)
    return stored.response.fields.get(b"last-modified") if found.strong_date else None


def combinable(stored: StoredResponse, part: Part, response_time: float) -> bool:
    """Whether a part and a stored response belong to one representation, and adjoin (RFC 9110 §15.3.7.3)."""
    have = held(stored)
    return (
        stored.response.status == 200
        and stored.complete_length == part.complete
        and part.extent.first <= have.last + 1
        and have.first <= part.extent.last + 1
        and same_strong_validator(validators(stored), validators_of(part.whole.fields, response_time))
    )


def joined(stored: StoredResponse, part: Part) -> Extent:
    """The bytes that both hold together, where they are combinable."""
    have = held(stored)
    return Extent(min(have.first, part.extent.first), max(have.last, part.extent.last))


def validators(stored: StoredResponse) -> Validators:
    """The validators of a stored response."""
    return validators_of(stored.response.fields, stored.response_time)
