"""Validators and the preconditions that a cache evaluates (RFC 9110 §8.8, §13; RFC 9111 §4.3.2).

If-Match and If-Unmodified-Since are not here: they are the origin server's to evaluate (RFC 9110 §13.2.2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from proxy.message.dates import parse_date
from proxy.message.fields import Fields
from proxy.message.request import Request

CONDITIONAL = (
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"if-range",
)
"""The conditional request fields of RFC 9110 §13.1, in lower case."""

_ENTITY_TAG = re.compile(rb'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_UNQUOTED = re.compile(rb"(?!\*\Z)[\x21\x23-\x2b\x2d-\x7e\x80-\xff]+")
_MEMBER = re.compile(rb'((?:[^,"]|"[^"]*")*+[^,]*+)(?:,|\Z)')


@dataclass(frozen=True, slots=True)
class EntityTag:
    """An entity tag (RFC 9110 §8.8.3); `opaque` is what stands between the quotes.

    Some servers leave out the quotes. What they send is weak, all of it is `opaque`, and it is equal only to
    what is written the same way.
    """

    opaque: bytes
    weak: bool = False
    quoted: bool = True

    def __bytes__(self) -> bytes:
        if not self.quoted:
            return self.opaque
        return (b'W/"' if self.weak else b'"') + self.opaque + b'"'


@dataclass(frozen=True, slots=True)
class Listed:
    """The value of If-None-Match: any representation at all (`*`), or the listed entity tags."""

    any: bool = False
    tags: tuple[EntityTag, ...] = ()


@dataclass(frozen=True, slots=True)
class Validators:
    """What a selected representation is compared by; times are in seconds since the epoch.

    `modified` is its Last-Modified, or what stands for it (RFC 9111 §4.3.2). `strong_date` says whether it
    may count as a strong validator (RFC 9110 §8.8.2.2), which nothing but a true Last-Modified does.
    """

    etag: EntityTag | None = None
    modified: float | None = None
    strong_date: bool = False


class Verdict(StrEnum):
    """How a request is to be performed once its preconditions are known (RFC 9110 §13.2.2)."""

    PERFORM = "perform"
    NOT_MODIFIED = "not modified"
    WITHOUT_RANGE = "without range"


def parse_etag(value: bytes) -> EntityTag | None:
    """One entity tag, None where `value` isn't one (RFC 9110 §8.8.3). `W/` is case-sensitive."""
    match = _ENTITY_TAG.fullmatch(value)
    return EntityTag(match[2], match[1] is not None) if match else None


def _read_etag(value: bytes) -> EntityTag | None:
    """One entity tag, if need be without its quotes."""
    if _UNQUOTED.fullmatch(value):
        return EntityTag(value, weak=True, quoted=False)
    return parse_etag(value)


def parse_etags(values: Sequence[bytes]) -> Listed:
    """The value of If-None-Match; members that are no entity tags match nothing and are left out.

    A `*` is one only where it stands alone (RFC 9110 §13.1.2).
    """
    if [value.strip(b" \t") for value in values] == [b"*"]:
        return Listed(any=True)
    members = (_read_etag(member.strip(b" \t")) for value in values for member in _MEMBER.findall(value))
    return Listed(tags=tuple(tag for tag in members if tag is not None))


def strongly_equal(one: EntityTag, other: EntityTag) -> bool:
    """Strong comparison (RFC 9110 §8.8.3.2)."""
    return not one.weak and not other.weak and one.opaque == other.opaque


def weakly_equal(one: EntityTag, other: EntityTag) -> bool:
    """Weak comparison (RFC 9110 §8.8.3.2)."""
    return one.opaque == other.opaque and one.quoted == other.quoted


def etag_of(fields: Fields) -> EntityTag | None:
    """A response's entity tag; None where it has none, several, or an ill-formed one."""
    values = fields.all(b"etag")
    return _read_etag(values[0]) if len(set(values)) == 1 else None


def last_modified_of(fields: Fields, now: float) -> float | None:
    """A response's Last-Modified in seconds since the epoch; None where it has not one valid date.

    `now` settles the century of a two-digit year (RFC 9110 §5.6.7).
    """
    values = fields.all(b"last-modified")
    return parse_date(values[0], now) if len(set(values)) == 1 else None


def validators_of(fields: Fields, response_time: float) -> Validators:
    """A stored response's validators, as far as it has any.

    Last-Modified is strong where Date is at least one second later (RFC 9110 §8.8.2.2). Without it, Date
    stands for it, or else `response_time`, when it was received (RFC 9111 §4.3.2).
    """
    values = fields.all(b"date")
    date = parse_date(values[0], response_time) if len(set(values)) == 1 else None
    modified = last_modified_of(fields, response_time)
    if modified is None:
        return Validators(etag_of(fields), response_time if date is None else date)
    return Validators(etag_of(fields), modified, date is not None and date - modified >= 1)


def none_match(listed: Listed, etag: EntityTag | None) -> bool:
    """Whether If-None-Match is true for a representation that exists (RFC 9110 §13.1.2)."""
    if listed.any:
        return False
    return etag is None or not any(weakly_equal(tag, etag) for tag in listed.tags)


def modified_since(values: Sequence[bytes], modified: float | None, now: float) -> bool | None:
    """Whether If-Modified-Since is true, None where it is to be ignored (RFC 9110 §13.1.3)."""
    since = parse_date(values[0], now) if len(values) == 1 else None
    return None if since is None or modified is None else modified > since


def range_applies(values: Sequence[bytes], validators: Validators, now: float) -> bool:
    """Whether If-Range is true: it matches exactly, and by a strong validator (RFC 9110 §13.1.5)."""
    if len(values) != 1:
        return False
    if b'"' in values[0][:3]:
        tag = parse_etag(values[0])
        return tag is not None and validators.etag is not None and strongly_equal(tag, validators.etag)
    date = parse_date(values[0], now)
    return date is not None and validators.strong_date and date == validators.modified


def evaluate(request: Request, validators: Validators, now: float) -> Verdict:
    """What a cache does with a request for a representation that it has, with a status of 200 or 206.

    The order is that of RFC 9110 §13.2.2. A QUERY is treated as GET is, its selected representation being
    that of a GET to the equivalent resource, but for If-Modified-Since, which only GET and HEAD may carry.
    """
    fields = request.fields
    if b"if-none-match" in fields:
        modified = none_match(parse_etags(fields.all(b"if-none-match")), validators.etag)
    elif request.method in (b"GET", b"HEAD"):
        modified = modified_since(fields.all(b"if-modified-since"), validators.modified, now) is not False
    else:
        modified = True
    if not modified:
        return Verdict.NOT_MODIFIED
    if request.method != b"GET" or b"range" not in fields:
        return Verdict.PERFORM
    if b"if-range" in fields and not range_applies(fields.all(b"if-range"), validators, now):
        return Verdict.WITHOUT_RANGE
    return Verdict.PERFORM
