"""One entry of a HAR 1.2, as browsers and proxies write it: members may be missing, null or new."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from hashlib import sha256
from math import nan
from typing import Any

import msgspec

from proxy.visibility.observation import Observation
from proxy.visibility.reading.hiding import Hiding, version_of
from proxy.visibility.reading.lineformat import NotRead
from proxy.visibility.reading.outcomes import HIT, told
from proxy.visibility.reading.times import iso

CONTENT = 64 << 10
"""Bytes of a response's content that are kept."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_OWN_CACHE = frozenset({"memory cache", "disk cache", "memory", "disk"})
_WEB = ("http", "https", "ws", "wss")
_LARGEST_STATUS = 999


def observation(data: bytes, hiding: Hiding) -> Observation:
    """What an entry says. Raises NotRead."""
    try:
        entry = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            entry = _decode(data.decode("utf-8", "replace").encode())
        except (msgspec.MsgspecError, RecursionError):
            raise NotRead("the entry is no JSON") from None
    request, response = _object(entry, "request"), _object(entry, "response")
    scheme, authority, target = hiding.url(_text(request, "url").partition("#")[0])
    if scheme not in _WEB or not _text(request, "method"):
        raise NotRead("the entry is no request over HTTP")
    request_fields = tuple(_request_lines(request, hiding))
    response_fields = tuple(_lines(_list(response, "headers"), hiding))
    outcome, forward, from_cache = told(response_fields)
    if {_text(entry, "_fromCache").lower(), _text(entry, "_fetchType").lower()} & _OWN_CACHE:
        outcome, forward, from_cache = HIT
    content, digest, length = _content(_object(response, "content"))
    status = _whole(response, "status")
    failed = bool(_text(entry, "_error") or _text(response, "_error") or _text(entry, "error"))
    return Observation(
        time=_time(entry),
        method=_text(request, "method"),
        scheme=scheme,
        authority=authority,
        target=target,
        version=version_of(_text(request, "httpVersion")) or version_of(_text(response, "httpVersion")),
        request_fields=request_fields,
        request_bytes=max(_whole(request, "bodySize"), -1),
        status=status if 0 < status <= _LARGEST_STATUS else 0,
        response_fields=response_fields,
        response_bytes=_size(response, length, status),
        digest=digest,
        duration=_duration(entry),
        complete=status > 0 and not failed,
        from_cache=from_cache,
        outcome=outcome,
        forward=forward,
        upstream=_text(entry, "serverIPAddress").strip("[]"),
        id=_text(entry, "_request_id"),
        content=content,
    )


def _object(members: dict[str, Any], name: str) -> dict[str, Any]:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _list(members: dict[str, Any], name: str) -> list[Any]:
    value = members.get(name)
    return value if isinstance(value, list) else []


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("latin-1")


def _whole(members: dict[str, Any], name: str) -> int:
    """A number without fraction; -1 where it is not known."""
    value = members.get(name)
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and -1 <= value < 1 << 53
    return int(value) if known and value is not None else -1


def _time(entry: dict[str, Any]) -> float:
    try:
        return iso(_text(entry, "startedDateTime"))
    except ValueError:
        return nan


def _duration(entry: dict[str, Any]) -> float:
    took = entry.get("time")
    known = isinstance(took, (int, float)) and not isinstance(took, bool) and 0 <= took < 1e12
    return took / 1000.0 if known and took is not None else nan


def _lines(headers: list[Any], hiding: Hiding) -> Iterator[tuple[str, str]]:
    """The field lines without HTTP/2's pseudo-header fields; browsers may fold those of one name into one."""
    for header in headers:
        if isinstance(header, dict) and (name := _text(header, "name")) and not name.startswith(":"):
            value = _text(header, "value")
            separate = value.split("\n") if name.lower() == "set-cookie" else [value.replace("\n", ", ")]
            for each in separate:
                yield hiding.line(name, each)


def _request_lines(request: dict[str, Any], hiding: Hiding) -> Iterator[tuple[str, str]]:
    """Those of the headers, and the cookies where only their own list has them."""
    has_cookies = False
    for line in _lines(_list(request, "headers"), hiding):
        has_cookies |= line[0].lower() == "cookie"
        yield line
    if not has_cookies:
        pairs = [
            f"{_text(cookie, 'name')}={_text(cookie, 'value')}"
            for cookie in _list(request, "cookies")
            if isinstance(cookie, dict) and _text(cookie, "name")
        ]
        if pairs:
            yield hiding.line("Cookie", "; ".join(pairs))


def _content(content: dict[str, Any]) -> tuple[bytes | None, str, int]:
    """The content's beginning, digest and length; None, empty and -1 where they are not there."""
    size = _whole(content, "size")
    text = content.get("text")
    if not isinstance(text, str) or (not text and size > 0):
        return (b"" if size == 0 else None), "", size
    data = text.encode("utf-8", "replace")
    if content.get("encoding") == "base64":
        try:
            data = base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            return None, "", size
    if size > len(data):  # only a part of it was kept
        return data[:CONTENT], "", size
    digest = base64.b64encode(sha256(data).digest()).decode()
    return data[:CONTENT], f"sha-256=:{digest}:", len(data)


def _size(response: dict[str, Any], length: int, status: int) -> int:
    """Of the content as it was sent; as it was decoded where only that is known."""
    sent = _whole(response, "bodySize")
    if sent > 0 or (sent == 0 and (length <= 0 or status == 304)):
        return sent
    return length
