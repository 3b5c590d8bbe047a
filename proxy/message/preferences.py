"""Request field values in a form in which those that mean the same are equal (RFC 9111 §4.1).

Only what a field's definition says is insignificant is normalised: white space, the lines it came in, case,
how a weight is written, and in some fields the order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SINGLETONS = frozenset(
    b"""
    authorization content-length content-location content-type cookie date from host if-modified-since
    if-range if-unmodified-since origin range referer user-agent
    """.split()
)
"""Fields that are no lists: a comma in them is content, and the white space beside it too."""

_ORDERED_BY_WEIGHT = frozenset((b"accept",))
"""Where members of equal weight stay in order, as many servers read a preference into it."""

_UNORDERED = frozenset((b"accept-encoding", b"accept-charset", b"accept-language"))
"""Where nothing but the weights tells of a preference: of languages RFC 9110 §12.5.4 says so outright."""

_ALIASES = {b"x-gzip": b"gzip", b"x-compress": b"compress"}  # RFC 9110 §8.4.1.1, §8.4.1.3
_WEIGHT = re.compile(rb"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_SPECIAL = re.compile(rb'[",;\\]')

_Member = tuple[int | bytes, tuple[bytes, ...]]


def normalise(name: bytes, values: Sequence[bytes]) -> object:
    """A value that is equal for equal meanings of the field lines `values`, all of the lower-case `name`."""
    combined = b", ".join(values)
    if name in _SINGLETONS:
        return combined
    if name in _UNORDERED or name in _ORDERED_BY_WEIGHT:
        members = [_weighted(name, member) for member in split(combined, b",") if member]
        if name in _UNORDERED:
            return frozenset(members)
        return tuple(sorted(members, key=_descending))
    return tuple(split(combined, b","))


def asks_for_codings(accepted: Sequence[bytes], codings: Sequence[bytes]) -> bool:
    """Whether Accept-Encoding lines, `accepted`, ask for each coding of Content-Encoding lines, `codings`.

    To RFC 9110 §12.5.3 a request without the field accepts anything. Here it asks for nothing, as most
    programs that leave it out can't decode.
    """
    weights: dict[bytes, int | bytes] = {b"identity": 1000, b"": 1000}
    for member in split(b", ".join(accepted), b","):
        weight, (coding, *_) = _weighted(b"accept-encoding", member)
        weights[coding] = weight
    wanted = (_ALIASES.get(coding, coding) for coding in split(b", ".join(codings).lower(), b","))
    given = (weights.get(coding, weights.get(b"*", 0)) for coding in wanted)
    return all(isinstance(weight, int) and weight > 0 for weight in given)


def split(value: bytes, separator: bytes) -> list[bytes]:
    """The pieces of `value` between separators (`,` or `;`) outside quoted-strings, stripped."""
    if b'"' not in value:
        return [piece.strip(b" \t") for piece in value.split(separator)]
    pieces: list[bytes] = []
    start = 0
    quoted = False
    escaped = -1
    for match in _SPECIAL.finditer(value):
        at, special = match.start(), match[0]
        if at == escaped:
            continue
        if special == b"\\":
            escaped = at + 1 if quoted else -1
        elif special == b'"':
            quoted = not quoted
        elif special == separator and not quoted:
            pieces.append(value[start:at].strip(b" \t"))
            start = at + 1
    return [*pieces, value[start:].strip(b" \t")]


def _weighted(name: bytes, member: bytes) -> _Member:
    """The member's weight in thousandths (as written, where it is no weight), and what it weighs."""
    range_, *parameters = split(member, b";")
    weight: int | bytes = 1000
    kept: list[bytes] = []
    for parameter in parameters:
        key, _, value = parameter.partition(b"=")
        if key.lower() == b"q":
            weight = round(float(value) * 1000) if _WEIGHT.fullmatch(value) else value
        else:
            kept.append(key.lower() + b"=" + value)
    lowered = range_.lower()
    if name == b"accept-encoding":
        lowered = _ALIASES.get(lowered, lowered)
    return weight, (lowered, *kept)


def _descending(member: _Member) -> int:
    return -member[0] if isinstance(member[0], int) else 1
