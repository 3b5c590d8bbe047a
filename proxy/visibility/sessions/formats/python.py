"""What frameworks in Python sign or encrypt: itsdangerous, Django, Fernet, Tornado, Pyramid, Bottle."""

from __future__ import annotations

import re

from proxy.visibility.sessions.decoding import base64, inflated, json, moment, structure
from proxy.visibility.sessions.form import Form, holding
from proxy.visibility.sessions.formats.signatures import is_hex_signature, is_signature, opaque

_EPOCH_OF_OLD = 1_293_840_000  # until 2018 itsdangerous counted seconds from the year 2011
_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_STAMP62 = re.compile(rb"[0-9A-Za-z]{6}")
_TORNADO = re.compile(
    rb"2\|\d{1,3}:\d{1,4}\|\d{1,3}:(\d{1,12})\|\d{1,4}:[^|]{0,256}\|\d{1,6}:([^|]*)\|([0-9a-f]+)"
)
_OLD_TORNADO = re.compile(rb"([A-Za-z0-9+/=]+)\|(\d{9,10})\|([0-9a-f]{40})")
_BOTTLE = re.compile(rb"!([A-Za-z0-9+/]+={0,2})\?([A-Za-z0-9+/]+={0,2})")
_FERNET_FIXED = 1 + 8 + 16 + 32
_HMAC_SHA512 = 64


def itsdangerous(value: bytes) -> Form | None:
    """`payload.signature` or `payload.time.signature`; a payload after a dot is compressed."""
    head, dot, signature = value.rpartition(b".")
    if not dot or not is_signature(signature):
        return None
    payload, dot, stamp = head.rpartition(b".")
    issued = _stamp(stamp) if payload.strip(b".") else None
    if issued is None:
        return _without_time(head, signature)
    text = _payload(payload)
    found = json(text)
    if found is None and opaque(payload):
        return Form("signed-key", issued)
    if isinstance(found, str) and opaque(found.encode("utf-8", "replace")):
        return Form("signed-key", issued)
    return holding("itsdangerous", found, issued)


def _without_time(payload: bytes, signature: bytes) -> Form | None:
    text = _payload(payload)
    found = json(text)
    if isinstance(found, dict | list):
        return holding("itsdangerous" if len(signature) == 27 else "signed-json", found)
    if isinstance(found, str):
        return Form(
            "signed-key" if opaque(found.encode("utf-8", "replace")) else "signed-json", payload=found
        )
    return Form("signed-key") if opaque(payload) else None


def _stamp(data: bytes) -> int | None:
    if not 4 <= len(data) <= 11:
        return None
    number = int.from_bytes(base64(data) or b"", "big")
    return moment(number) or moment(number + _EPOCH_OF_OLD)


def _payload(data: bytes) -> bytes | None:
    if data.startswith(b"."):
        compressed = base64(data[1:])
        return None if compressed is None else inflated(compressed)
    return base64(data)


def django(value: bytes) -> Form | None:
    """`value:time:signature` or `value:signature`, the value being a text or, as in sessions, JSON."""
    head, colon, signature = value.rpartition(b":")
    if not colon or len(signature) not in (27, 43) or not is_signature(signature):
        return None
    payload, colon, stamp = head.rpartition(b":")
    issued = _stamp62(stamp) if colon else None
    if issued is None:
        payload = head
    found = json(_payload(payload))
    if isinstance(found, dict | list):
        return holding("django", found, issued)
    if issued is None and len(signature) != 43:
        return None
    compressed = payload.startswith(b".") and _payload(payload) is not None
    return Form("django" if compressed else "django-text", issued)


def _stamp62(data: bytes) -> int | None:
    if not _STAMP62.fullmatch(data):
        return None
    number = 0
    for digit in data:
        number = number * 62 + _BASE62.index(digit)
    return moment(number)


def fernet(data: bytes) -> Form | None:
    """Out of Base64: a version, a time, and what is encrypted in blocks of 16 bytes."""
    if data[0] != 0x80 or len(data) <= _FERNET_FIXED or (len(data) - _FERNET_FIXED) % 16:
        return None
    issued = moment(int.from_bytes(data[1:9], "big"))
    return None if issued is None else Form("fernet", issued)


def tornado(value: bytes) -> Form | None:
    """A secure cookie, of the second version or of the first."""
    if found := _TORNADO.fullmatch(value):
        stamp, payload, signature = found.groups()
    elif found := _OLD_TORNADO.fullmatch(value):
        payload, stamp, signature = found.groups()
    else:
        return None
    issued = moment(int(stamp))
    if issued is None or not is_hex_signature(signature):
        return None
    return holding("tornado", json(base64(payload)), issued)


def bottle(value: bytes) -> Form | None:
    """`!signature?message`; older ones serialize in a form that is not read here."""
    found = _BOTTLE.fullmatch(value)
    if found is None or not is_signature(found[1]):
        return None
    pair = structure(base64(found[2]))
    return holding("bottle", pair[1] if isinstance(pair, list) and len(pair) == 2 else None)


def pyramid(data: bytes) -> Form | None:
    """Out of Base64: an HMAC-SHA-512 and JSON, which says when it was used and made, and what it holds."""
    if data[_HMAC_SHA512 : _HMAC_SHA512 + 1] not in (b"{", b"["):
        return None
    found = structure(data[_HMAC_SHA512:])
    if isinstance(found, list) and len(found) == 3 and isinstance(found[2], dict):
        return holding("pyramid", found[2], moment(found[1]))
    return None if found is None else holding("pyramid", found)
