"""Decoding within bounds: whatever is given, the work is limited, and what can't be decoded is None."""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import msgspec

LONGEST = 16_384
"""Bytes of a value that are looked at; no header section of a usual server holds a longer one."""

INFLATED = 65_536
"""Bytes that a compressed value may grow to."""

EARLIEST, LATEST = 978_307_200, 4_102_444_800
"""The years from 2001 to 2099: a number within may be a time in seconds since the epoch, another may not."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_QUOTED_PAIR = re.compile(rb"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)


def base64(data: bytes) -> bytes | None:
    """Base64 of either alphabet, padded or not (RFC 4648 §4, §5); None where it is not that."""
    if not data or not _BASE64.fullmatch(data):
        return None
    data = data.rstrip(b"=").translate(_TO_STANDARD)
    try:
        return b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return None


def inflated(data: bytes) -> bytes | None:
    """What zlib compressed, at most the first `INFLATED` bytes of it; None where it did not."""
    try:
        return zlib.decompressobj().decompress(data, INFLATED)
    except zlib.error:
        return None


def json(data: bytes | None) -> Any:
    """The value of JSON text; None where it is none, or null."""
    if data is None or not data:
        return None
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def structure(data: bytes | None) -> dict[str, Any] | list[Any] | None:
    """The object or array that JSON text is."""
    if data is None or data.lstrip()[:1] not in (b"{", b"["):
        return None
    found = json(data)
    return found if isinstance(found, dict | list) else None


def percent_decoded(data: bytes) -> bytes:
    """Without percent-encoding (RFC 3986 §2.1), undone once."""
    if b"%" not in data:
        return data
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), data)


def unquoted(data: bytes) -> bytes:
    """Without the quotation marks of a cookie's value, and the octal escapes that Python puts within."""
    if len(data) < 2 or data[:1] != b'"' or data[-1:] != b'"':
        return data
    return _QUOTED_PAIR.sub(_unescaped, data[1:-1])


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8)]) if found[1] else found[2]


def moment(value: object) -> int | None:
    """A time in seconds since the epoch, given so, in milliseconds or as in RFC 3339; None for no time."""
    if isinstance(value, str):
        try:
            given = datetime.fromisoformat(value)
            return moment((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    seconds = value / 1000 if value > LATEST else value
    return int(seconds) if EARLIEST <= seconds <= LATEST else None
