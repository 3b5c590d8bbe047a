"""What frameworks in JavaScript, PHP, Go, Java and C# sign or encrypt."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from proxy.visibility.sessions.decoding import base64, moment, structure
from proxy.visibility.sessions.form import Form, holding
from proxy.visibility.sessions.formats.signatures import is_hex_signature, is_signature, opaque

_ASPNET, _ASPNET_SHORTEST = b"\x09\xf0\xc9\xf0", 36
_GORILLA = re.compile(rb"(\d{9,10})\|([^|]+)\|(.{20,64})", re.DOTALL)
_GORILLA_ID, _GORILLA_KEY = re.compile(rb"[A-Z2-7]{52}"), 72
_COOKIE_RS = re.compile(rb"([A-Za-z0-9+/]{43}=)(.+)", re.DOTALL)
_PLAY = re.compile(rb"([0-9a-f]{40})-(.+)", re.DOTALL)
_WORDPRESS = re.compile(rb"[^|]{1,180}\|(\d{9,11})\|[A-Za-z0-9]{43}\|[0-9a-f]{64}")
_IRON = re.compile(
    rb"Fe26\.2\*[^*]*\*[0-9a-f]{64}\*[\w-]+\*[\w-]+\*(\d{0,16})\*[0-9a-f]{64}\*[\w-]+(?:~\d+)?"
)


def express(value: bytes) -> Form | None:
    """`s:value.signature`; a value that begins with `j:` is JSON."""
    if not value.startswith(b"s:"):
        return None
    payload, dot, signature = value[2:].rpartition(b".")
    if not dot or not is_signature(signature):
        return None
    if payload.startswith(b"j:"):
        return holding("express-json", structure(payload[2:]))
    found = structure(base64(payload))
    if found is not None:
        return holding("express-json", found)
    return Form("express-key" if opaque(payload) else "express-text", payload=payload.decode("latin-1"))


def iron(value: bytes) -> Form | None:
    """Eight parts between asterisks, of which the sixth says when it expires."""
    found = _IRON.fullmatch(value)
    if found is None:
        return None
    return Form("iron", expires=moment(int(found[1])) if found[1] else None)


def laravel(data: bytes) -> Form | None:
    """Out of Base64: JSON that names an initialization vector, the value and its authentication code."""
    envelope = structure(data)
    if not isinstance(envelope, dict) or not {"iv", "value", "mac"} <= envelope.keys():
        return None
    return Form("laravel")


def aspnet(data: bytes) -> Form | None:
    """Out of Base64: what the data protection of ASP.NET Core writes begins with one and the same number."""
    return Form("aspnet") if data.startswith(_ASPNET) and len(data) >= _ASPNET_SHORTEST else None


def gorilla(data: bytes) -> Form | None:
    """Out of Base64: a time, a value in Base64 and a MAC, with bars between them."""
    found = _GORILLA.fullmatch(data) if b"|" in data[9:11] else None
    if found is None or base64(found[2]) is None:
        return None
    issued, held = moment(int(found[1])), base64(found[2]) or b""
    if issued is None:
        return None
    if len(held) < _GORILLA_KEY and _GORILLA_ID.search(held):
        return Form("signed-key", issued)
    return holding("gorilla", structure(held), issued)


def cookie_rs(value: bytes) -> Form | None:
    """As the signed cookies of Actix and Rocket: an HMAC-SHA-256 in Base64, and then the value."""
    found = _COOKIE_RS.fullmatch(value)
    if found is None or not is_signature(found[1]):
        return None
    held = structure(found[2])
    if held is not None:
        return holding("signed-json", held)
    return Form("signed-key") if opaque(found[2]) else None


def play(value: bytes) -> Form | None:
    """A signature, a hyphen and a query string, as until Play 2.5."""
    found = _PLAY.fullmatch(value)
    if found is None or not is_hex_signature(found[1]) or b"=" not in found[2]:
        return None
    return holding("play", dict(parse_qsl(found[2].decode("latin-1"), max_num_fields=None)))


def wordpress(value: bytes) -> Form | None:
    """User, expiry, a token that the server knows, and a signature, with bars between them."""
    found = _WORDPRESS.fullmatch(value)
    return None if found is None else Form("wordpress", expires=moment(int(found[1])))
