"""What a signature looks like, and a key: both are random, and so have no visible meaning."""

from __future__ import annotations

import re

SIGNATURES = frozenset((27, 28, 43, 44, 64, 86, 88))
"""Characters of Base64, padded or not, for SHA-1, SHA-256, SHA-384 and SHA-512."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_HEX = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_HEX_SIGNATURES = frozenset((40, 64, 96, 128))
_UUID = re.compile(
    rb"\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?",
)
_ALNUM = re.compile(rb"[A-Za-z0-9]+")
_DIGITS = re.compile(rb"[0-9]+")
_DIGIT = re.compile(rb"[0-9]")
_SAME = re.compile(rb"a+|A+|0+")
_CONSONANTS = re.compile(rb"[bcdfghjklmnpqrstvwxz]{5}")
_CLASSES = bytes(
    ord("0" if chr(code).isdigit() else "a" if chr(code).islower() else "A" if chr(code).isupper() else "-")
    for code in range(256)
)
_WORD = re.compile(rb"[A-Z]?[a-z]{4,}")
_BETWEEN = b"+/_-="
_SHORTEST, _SHORT = 16, 10


def is_signature(data: bytes) -> bool:
    """Whether this has the length of a signature in Base64, and no order."""
    return len(data) in SIGNATURES and _BASE64.fullmatch(data) is not None and len(set(data)) >= 14


def is_hex_signature(data: bytes) -> bool:
    """Whether this has the length of a signature in hexadecimal digits, and no order."""
    return len(data) in _HEX_SIGNATURES and _HEX.fullmatch(data) is not None and len(set(data)) >= 10


def opaque(data: bytes) -> str:
    """The alphabet of a key without visible meaning: the name of its format, or empty where it is no key.

    A key has 16 characters or more, of which many differ; where its alphabet could write words as well, it
    mixes letters and digits. One of 10 or more is a key only if it mixes them as no word and no number does.
    """
    length = len(data)
    if length < _SHORTEST:
        return "alnum" if length >= _SHORT and _ALNUM.fullmatch(data) and _changes(data) >= 5 else ""
    if _HEX.fullmatch(data):
        if _DIGITS.fullmatch(data):
            return "digits"
        return "hex" if len(set(data)) >= 6 else ""
    if (length == 36 or length == 38) and _UUID.fullmatch(data):
        return "uuid"
    if not _BASE64.fullmatch(data) or not _mixed(data):
        return ""
    return "alnum" if _ALNUM.fullmatch(data) else "base64"


def _mixed(data: bytes) -> bool:
    """Whether letters and digits are mixed as chance does it, and not words with numbers between them."""
    lowered = data.lower()
    if len(set(data)) < min(10, len(data) // 2) or lowered == data.upper():
        return False
    if data in (lowered, data.upper()):
        return _changes(data) >= 3 or _CONSONANTS.search(lowered) is not None
    if sum(map(len, _WORD.findall(data))) * 2 >= len(data):
        return False
    return _DIGIT.search(data) is not None or _changes(data) * 3 >= len(data)


def _changes(data: bytes) -> int:
    """How often one sort of character follows on another."""
    return len(_SAME.findall(data.translate(_CLASSES, _BETWEEN))) - 1
