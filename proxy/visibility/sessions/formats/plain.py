"""What nothing protects: JSON, queries, PHP's serialization, addresses of servers, and keys to elsewhere."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import parse_qsl

from proxy.visibility.sessions.decoding import base64, percent_decoded, structure
from proxy.visibility.sessions.form import Form, holding
from proxy.visibility.sessions.formats.signatures import opaque

_LAYERS = 3
_PHP = re.compile(rb"(?:a|O|C):\d{1,6}:[{\"].*[};]", re.DOTALL)
_QUERY = re.compile(
    rb"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}=[^&=]*(?:&[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}=[^&=]*)*"
)
_PADDING = re.compile(rb"[A-Za-z0-9+/_-]*={1,2}")
_BASIC = re.compile(rb"[^:\x00-\x1f\x7f]*:[^\x00-\x1f\x7f]*")
_BIGIP = re.compile(rb"(\d{6,10})\.(\d{1,5})\.0000")
_BIGIP_DOMAIN = re.compile(rb"rd\d{1,5}o([0-9a-f]{32})o(\d{1,5})")
_BIGIP_SIX = re.compile(rb"vi([0-9a-f]{32})\.(\d{1,5})")
_ROUTE = re.compile(
    rb"([A-Za-z0-9_+/-]{16,}={0,2})(?:\.([A-Za-z0-9_-]{1,40}(?:\.[A-Za-z0-9_-]{1,40}){0,4})|(?:!-?\d{1,10}){1,3})"
)
_MOST_PAIRS = 64


def json_text(value: bytes) -> Form | None:
    """An object or an array as JSON (RFC 8259), also behind the `j:` of Express."""
    found = structure(value[2:] if value.startswith(b"j:") else value)
    return None if found is None else holding("json", found)


def base64_json(data: bytes | None) -> Form | None:
    """Out of Base64: JSON, which may have been put into Base64 twice more."""
    for _ in range(_LAYERS):
        if not data:
            return None
        found = structure(percent_decoded(data))
        if found is not None:
            return holding("base64-json", found)
        data = base64(data)
    return None


def labelled_json(value: bytes) -> Form | None:
    """JSON in Base64 behind a word that says so, as Supabase writes it."""
    return base64_json(base64(value[7:])) if value.startswith(b"base64-") else None


def php(value: bytes) -> Form | None:
    """An array or an object as PHP's `serialize` writes it."""
    return Form("php") if _PHP.fullmatch(value) else None


def query(value: bytes) -> Form | None:
    """Names and values as in a query, which is no Base64 with its padding."""
    if not _QUERY.fullmatch(value) or _PADDING.fullmatch(value):
        return None
    if value.count(b"&") >= _MOST_PAIRS:
        return Form("query", held=value.count(b"&") + 1)
    return holding("query", dict(parse_qsl(value.decode("latin-1"), keep_blank_values=True)))


def basic(data: bytes) -> Form | None:
    """Out of Base64: a user-id and a password (RFC 7617 §2)."""
    if b":" not in data or not _BASIC.fullmatch(data):
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return Form("basic")


def bigip(value: bytes) -> Form | None:
    """The address and the port of a server, their bytes in the order that a PC has them in."""
    if found := _BIGIP.fullmatch(value):
        number, port = int(found[1]), int(found[2])
        if number >= 1 << 32 or port >= 1 << 16:
            return None
        address: object = IPv4Address(number.to_bytes(4, "little"))
        return Form("bigip", payload=f"{address}:{int.from_bytes(port.to_bytes(2, 'little'), 'big')}")
    found = _BIGIP_DOMAIN.fullmatch(value) or _BIGIP_SIX.fullmatch(value)
    if found is None:
        return None
    six = IPv6Address(bytes.fromhex(found[1].decode()))
    address = six.ipv4_mapped or f"[{six}]"
    return Form("bigip", payload=f"{address}:{int(found[2])}")


def uuid(data: bytes) -> Form | None:
    """Out of Base64: a UUID, as Spring Session has it."""
    return Form("uuid") if len(data) == 36 and opaque(data) == "uuid" else None


def key(value: bytes) -> Form | None:
    """What has no visible meaning, and so can only be looked up somewhere."""
    alphabet = opaque(value)
    return Form(alphabet) if alphabet else None


def routed(value: bytes) -> Form | None:
    """A key, and behind it the name of the server that knows it, as Tomcat, Jetty and WebLogic do."""
    found = _ROUTE.fullmatch(value)
    if found is None or not opaque(found[1]) or structure(base64(found[1])) is not None:
        return None
    return Form("route", payload=found[2].decode("latin-1") if found[2] else None)
