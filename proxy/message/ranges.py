"""Byte ranges: Range, Content-Range and multipart/byteranges (RFC 9110 §14, §15.3.7, §17.15)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from proxy.message.fields import FieldLine, Fields

MOST_RANGES = 64
"""A Range with more members than this is ignored (RFC 9110 §17.15)."""

PART_OVERHEAD = 80
"""The bytes that a part of multipart/byteranges costs, about (RFC 9110 §15.3.7.2)."""

_BEYOND = 10**18
"""Stands for every position that has more digits than any content has bytes (RFC 9110 §14.1.2)."""

_RANGE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(.*)", re.DOTALL)
_SPEC = re.compile(rb"([0-9]*)-([0-9]*)")
_CONTENT_RANGE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (?:([0-9]+)-([0-9]+)|(\*))/(?:([0-9]+)|\*)")


@dataclass(frozen=True, slots=True)
class RangeSpec:
    """One range-spec. In a suffix-range `first` is None and `last` its length; `last` None: to the end."""

    first: int | None
    last: int | None

    def resolve(self, length: int) -> Extent | None:
        """The bytes it means of a representation of `length` bytes, None where it can't be satisfied."""
        if self.first is None:
            wanted = min(self.last or 0, length)
            return Extent(length - wanted, length - 1) if wanted else None
        if self.first >= length:
            return None
        return Extent(self.first, length - 1 if self.last is None else min(self.last, length - 1))


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """Bytes `first` to `last` of a representation, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class ContentRange:
    """What Content-Range says of bytes. `extent` None: an unsatisfied-range; `complete` None: unknown."""

    extent: Extent | None
    complete: int | None


def _position(digits: bytes) -> int:
    return int(digits) if len(digits.lstrip(b"0")) <= 18 else _BEYOND


def parse_range(values: Sequence[bytes]) -> tuple[RangeSpec, ...] | None:
    """The range-specs of a Range field; None where the field is to be ignored (RFC 9110 §14.2).

    That is where there is no such field, where its unit isn't `bytes`, where it is ill-formed or one of its
    ranges is invalid, and where it asks for more than `MOST_RANGES`.
    """
    match = _RANGE.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or match[1].lower() != b"bytes" or match[2].count(b",") > 4 * MOST_RANGES:
        return None
    found: list[RangeSpec] = []
    for member in match[2].split(b","):
        if not (member := member.strip(b" \t")):
            continue
        spec = _SPEC.fullmatch(member)
        if spec is None or not (spec[1] or spec[2]):
            return None
        first = _position(spec[1]) if spec[1] else None
        last = _position(spec[2]) if spec[2] else None
        if first is not None and last is not None and last < first:
            return None
        found.append(RangeSpec(first, last))
    return tuple(found) if 0 < len(found) <= MOST_RANGES else None


def satisfiable(specs: Iterable[RangeSpec], length: int) -> list[Extent]:
    """Those of `specs` that a representation of `length` bytes satisfies, in the same order (§14.1.2)."""
    return [extent for spec in specs if (extent := spec.resolve(length)) is not None]


def egregious(extents: Sequence[Extent]) -> bool:
    """Whether they look like an attack: more than two overlap, or many stand out of order (§14.2, §17.15)."""
    overlapping = 0
    reached = -1
    for extent in sorted(extents):
        overlapping += extent.first <= reached
        reached = max(reached, extent.last)
    out_of_order = any(two.first < one.first for one, two in pairwise(extents))
    return overlapping >= 2 or (len(extents) > 8 and out_of_order)


def coalesce(extents: Iterable[Extent]) -> list[Extent]:
    """Join those that overlap or are separated by less than a part costs (RFC 9110 §15.3.7.2).

    Each stands where the first of those that it joins stood.
    """
    joined: list[Extent] = []
    for extent in extents:
        place = len(joined)
        for index in range(len(joined) - 1, -1, -1):
            other = joined[index]
            if extent.first - other.last <= PART_OVERHEAD and other.first - extent.last <= PART_OVERHEAD:
                extent = Extent(min(extent.first, other.first), max(extent.last, other.last))
                place = index
                del joined[index]
        joined.insert(place, extent)
    return joined


def parse_content_range(values: Sequence[bytes]) -> ContentRange | None:
    """The value of Content-Range; None where there isn't one, it is invalid, or not of bytes (§14.4)."""
    match = _CONTENT_RANGE.fullmatch(values[0]) if len(values) == 1 else None
    if match is None or match[1].lower() != b"bytes":
        return None
    complete = _position(match[5]) if match[5] else None
    if match[4]:
        return None if complete is None else ContentRange(None, complete)
    extent = Extent(_position(match[2]), _position(match[3]))
    if extent.last < extent.first or (complete is not None and complete <= extent.last):
        return None
    return ContentRange(extent, complete)


def is_multipart(fields: Fields) -> bool:
    """Whether a 206 holds several parts, each with a Content-Range of its own (§14.6)."""
    return (fields.get(b"content-type") or b"").lower().startswith(b"multipart/byteranges")


def content_range(extent: Extent | None, complete: int) -> bytes:
    """The value of Content-Range for `extent` of `complete` bytes; None: the range can't be satisfied."""
    if extent is None:
        return b"bytes */%d" % complete
    return b"bytes %d-%d/%d" % (extent.first, extent.last, complete)


def multipart_byteranges(
    extents: Sequence[Extent], complete: int, content_type: bytes | None, boundary: bytes
) -> tuple[FieldLine, tuple[bytes | Extent, ...]]:
    """A message of several ranges: its Content-Type line, and the pieces of its content (RFC 9110 §14.6).

    Each extent among the pieces stands for its bytes of the representation. `content_type` is that of the
    representation. `boundary`, a token, must not occur in the content.
    """
    pieces: list[bytes | Extent] = []
    for extent in extents:
        head = (b"\r\n--" if pieces else b"--") + boundary + b"\r\n"
        if content_type is not None:
            head += b"Content-Type: " + content_type + b"\r\n"
        pieces.append(head + b"Content-Range: " + content_range(extent, complete) + b"\r\n\r\n")
        pieces.append(extent)
    pieces.append(b"\r\n--" + boundary + b"--\r\n")
    return (b"Content-Type", b"multipart/byteranges; boundary=" + boundary), tuple(pieces)
