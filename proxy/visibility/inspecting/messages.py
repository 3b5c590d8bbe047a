"""From what a log tells of an exchange to the messages that the caching rules read, and back."""

from __future__ import annotations

import re
from functools import lru_cache

from proxy.message.fields import Fields
from proxy.message.hops import strip_hop_by_hop
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.visibility.observation import Lines, Observation

_OURS = (b"age", b"cache-status", b"via", b"x-cache", b"x-varnish", b"cf-cache-status")
"""What a cache on the way has added to the origin's response."""

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://([^/?#]*)([^?#]*)")


def request_of(exchange: Observation, target: str | None = None) -> Request:
    """The request as the rules take it; `target` is another one to put in its place."""
    return Request(
        _bytes(exchange.method),
        _bytes(exchange.target if target is None else target),
        strip_hop_by_hop(_fields(exchange.request_fields)),
        (1, 1),
        _bytes(exchange.scheme or "http"),
        _bytes(exchange.authority),
    )


def response_of(exchange: Observation) -> Response:
    """The final response as the origin server sent it, without what a cache on the way added."""
    fields = strip_hop_by_hop(_fields(exchange.response_fields)).without(*_OURS)
    return Response(exchange.status, fields)


def place_of(authority: str, target: str) -> tuple[str, str, str]:
    """Host, path and query of a request target. One in absolute form names its own host (RFC 9112 §3.2.2)."""
    path, _, query = target.partition("?")
    if path[:1] != "/":
        found = _ABSOLUTE.match(path)
        if found is not None:
            return found[1].lower(), found[2] or "/", query
    return authority, path.partition("#")[0] or "/", query


def parameters_of(query: str) -> dict[str, str]:
    """The parameters of a query as they are written; of several with one name, all values together."""
    found: dict[str, str] = {}
    for part in query.split("&")[:64]:
        name, _, value = part.partition("=")
        if name:
            found[name] = f"{found[name]}&{value}" if name in found else value
    return found


def cookies_of(value: str) -> dict[str, str]:
    """The cookies of a Cookie field by name (RFC 6265 §4.2.1)."""
    found: dict[str, str] = {}
    for part in value.split(";")[:128]:
        name, equals, content = part.strip().partition("=")
        if equals:
            found.setdefault(name.strip(), content)
    return found


def field_of(lines: Lines, name: str) -> str | None:
    """The combined value of the fields called `name` (lower case), or None (RFC 9110 §5.3)."""
    values = [value for written, value in lines if written.lower() == name]
    return ", ".join(values) if values else None


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


@lru_cache(maxsize=8192)
def _line(line: tuple[str, str]) -> tuple[bytes, bytes]:
    return _bytes(line[0]), _bytes(line[1])


def _fields(lines: Lines) -> Fields:
    return Fields(map(_line, lines))
