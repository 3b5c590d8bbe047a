"""Where a message's content ends, and whether the connection stays (RFC 9112 §6, §9.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.grammar import WHITE_SPACE, list_members, shortened
from proxy.message.response import Response

_digits = re.compile(rb"[0-9]++")
_MOST_DIGITS = 18
"""A longer number of bytes (over 10**18) can only be a mistake or an attack on integer parsers."""


class Kind(StrEnum):
    """What ends the content."""

    NONE = "none"  # there is no content
    LENGTH = "length"  # so many bytes
    CHUNKED = "chunked"  # the last chunk
    CLOSE = "close"  # the end of the connection


@dataclass(frozen=True, slots=True)
class Framing:
    """How a message's content is delimited; `length` in bytes (0 for NONE), None where it isn't known."""

    kind: Kind
    length: int | None


NO_CONTENT = Framing(Kind.NONE, 0)
IN_CHUNKS = Framing(Kind.CHUNKED, None)
UNTIL_CLOSE = Framing(Kind.CLOSE, None)


def request_framing(version: tuple[int, int], fields: Fields) -> Framing:
    """How the content of a request is delimited (RFC 9112 §6.3).

    Whatever two recipients might read differently is refused, although items 3 and 5 would let some of it
    pass: Transfer-Encoding with Content-Length, and a Content-Length given more than once even if the same.
    Raises `MalformedMessage`: 400, or 501 for a coding that isn't known, or 413 for an absurd length.
    """
    codings = fields.all(b"transfer-encoding")
    lengths = fields.all(b"content-length")
    if codings:
        _check_alone(version, lengths)
        return _request_chunked(b",".join(codings))
    if not lengths:
        return NO_CONTENT
    if len(lengths) > 1:
        raise MalformedMessage(
            "more than one Content-Length field line", evidence=shortened(b" and ".join(lengths))
        )
    return Framing(Kind.LENGTH, _length(lengths[0], 413))


def response_framing(request_method: bytes, response: Response) -> Framing:
    """How the content of a response to `request_method` is delimited (RFC 9112 §6.3).

    Identical Content-Length values count as one (item 5). Raises `MalformedMessage` with status 502, also
    where a response without content has a Content-Length that isn't valid: it must not be forwarded.
    """
    fields = response.fields
    length = _response_length(fields.all(b"content-length"))
    if request_method == b"HEAD" or response.status < 200 or response.status in (204, 304):
        return NO_CONTENT
    codings = fields.all(b"transfer-encoding")
    if codings:
        try:
            _check_alone(response.version, fields.all(b"content-length"))
            return _request_chunked(b",".join(codings))
        except MalformedMessage as error:
            error.status = 502
            raise
    return UNTIL_CLOSE if length is None else Framing(Kind.LENGTH, length)


def persistent(version: tuple[int, int], fields: Fields) -> bool:
    """Whether the sender lets the connection persist after this message (RFC 9112 §9.3).

    An HTTP/1.0 client that asks for `keep-alive` gets it: a gateway is to its clients the origin server.
    """
    value = fields.get(b"connection")
    if value is None:
        return version >= (1, 1)
    options = list_members(value)
    if b"close" in options:
        return False
    return version >= (1, 1) or b"keep-alive" in options


def _check_alone(version: tuple[int, int], lengths: tuple[bytes, ...]) -> None:
    if lengths:
        raise MalformedMessage("both Transfer-Encoding and Content-Length (RFC 9112 §6.3)")
    if version < (1, 1):
        raise MalformedMessage("Transfer-Encoding in an HTTP/1.0 message (RFC 9112 §6.1)")


def _request_chunked(codings: bytes) -> Framing:
    names = [name.strip(WHITE_SPACE).lower() for name in codings.split(b",")]
    if names == [b"chunked"]:
        return IN_CHUNKS
    if names[-1] != b"chunked" or names.count(b"chunked") > 1 or b"" in names:
        raise MalformedMessage(
            "the last transfer coding is not chunked, or it is there twice (RFC 9112 §6.3)",
            evidence=shortened(codings),
        )
    raise MalformedMessage(
        "a transfer coding that is not known here", evidence=shortened(codings), status=501
    )


def _response_length(values: tuple[bytes, ...]) -> int | None:
    if not values:
        return None
    distinct = {piece.strip(WHITE_SPACE) for value in values for piece in value.split(b",")}
    if len(distinct) > 1:
        raise MalformedMessage(
            "Content-Length values that differ", evidence=shortened(b", ".join(values)), status=502
        )
    return _length(distinct.pop(), 502)


def _length(value: bytes, too_large: int) -> int:
    if _digits.fullmatch(value) is None:
        status = too_large if too_large == 502 else 400
        raise MalformedMessage("Content-Length is not a number", evidence=shortened(value), status=status)
    if len(value.lstrip(b"0")) > _MOST_DIGITS:
        raise MalformedMessage(
            "Content-Length is beyond all limits", evidence=shortened(value), status=too_large
        )
    return int(value)
