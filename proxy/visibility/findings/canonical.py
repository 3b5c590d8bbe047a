"""Field lines of responses in their plainest form: what differs from message to message is made equal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from proxy.message.conditions import parse_etag
from proxy.message.dates import parse_date
from proxy.visibility.observation import Held, Part

NOW = "Thu, 01 Jan 2026 12:00:00 GMT"
BEFORE = "Wed, 31 Dec 2025 12:00:00 GMT"
AFTER = "Thu, 01 Jan 2026 13:00:00 GMT"
NOW_SECONDS = 1_767_268_800.0

_KEPT = frozenset(
    """
    cache-control pragma vary content-type content-encoding content-language allow accept-ranges upgrade
    transfer-encoding access-control-allow-credentials access-control-allow-methods
    access-control-allow-headers access-control-expose-headers access-control-max-age surrogate-control
    x-content-type-options x-frame-options strict-transport-security referrer-policy accept-patch accept-post
    accept-query no-vary-search clear-site-data deprecation preference-applied
    """.split()  # noqa: SIM905
)
_DATES = frozenset(("expires", "last-modified", "date"))
_LONGEST = 300
_SHOWN = 40
_QUOTED = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"bytes \d{1,19}-\d{1,19}/(?:\d{1,19}|\*)")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NUMBER = re.compile(r"\d{1,19}")
_ATTRIBUTES = frozenset(("httponly", "secure", "partitioned"))


def canonical(name: str, value: str, date: str) -> tuple[str, str] | None:
    """A field line of a response, its name in lower case, with `date` as the value of its Date.

    None where no rule reads it: then it doesn't matter for any finding.
    """
    if name in _DATES:
        return name, _date(name, value[:_SHOWN], date[:_SHOWN])
    return _plain(name, value) if len(value) <= _LONGEST else _plainest(name, value)


@lru_cache(2048)
def _plain(name: str, value: str) -> tuple[str, str] | None:
    return _plainest(name, value)


def _plainest(name: str, value: str) -> tuple[str, str] | None:
    if name in _KEPT or name.endswith("-cache-control"):
        return (name, value) if len(value) <= _LONGEST else (name, "")
    plain = _PLAINER.get(name)
    return None if plain is None else (name, plain(value))


@lru_cache(1024)
def _date(name: str, value: str, date: str) -> str:
    """A date as it stands to Date: the same, before or after; what is no date stays."""
    moment = parse_date(value.encode("latin-1", "replace"), NOW_SECONDS)
    if moment is None:
        return value
    base = parse_date(date.encode("latin-1", "replace"), NOW_SECONDS)
    if name == "date" or base is None or moment == base:
        return NOW
    return AFTER if moment > base else BEFORE


def _etag(value: str) -> str:
    found = parse_etag(value.encode("latin-1", "replace")) if len(value) <= _LONGEST else None
    if found is None:
        return value[:_SHOWN]
    return 'W/"e"' if found.weak else '"e"'


def _set_cookie(value: str) -> str:
    """The cookie's name and its attributes, without the value."""
    pair, *attributes = value.split(";")[:12]
    shown = [f"{pair.partition('=')[0].strip()[:_SHOWN]}=x"]
    for attribute in attributes:
        name, equals, held = attribute.strip().partition("=")
        lowered = name.lower()
        if lowered == "expires" and parse_date(
            held.replace("-", " ").encode("latin-1", "replace"), NOW_SECONDS
        ):
            held = AFTER
        elif lowered == "max-age" and _NUMBER.fullmatch(held):
            held = "3600" if held.strip("0") else "0"
        elif lowered in ("path", "domain"):
            held = "/" if lowered == "path" and held.startswith("/") else held[:_SHOWN]
        shown.append(
            f"{name[:_SHOWN]}={held[:_SHOWN]}" if equals and lowered not in _ATTRIBUTES else name[:_SHOWN]
        )
    return "; ".join(shown)


def _challenge(value: str) -> str:
    return _QUOTED.sub('"x"', value[:_LONGEST])


def _origin(value: str) -> str:
    return value if value in ("*", "null") else "https://example.org" if "://" in value else value[:_SHOWN]


def _reference(value: str) -> str:
    return "" if not value.strip() else "https://example.org/x" if _ABSOLUTE.match(value) else "/x"


def _number(value: str) -> str:
    return "1" if _NUMBER.fullmatch(value) and value.strip("0") else value[:_SHOWN]


def _retry(value: str) -> str:
    return "1" if _NUMBER.fullmatch(value) else AFTER


_PLAINER: dict[str, Callable[[str], str]] = {
    "etag": _etag,
    "set-cookie": _set_cookie,
    "www-authenticate": _challenge,
    "proxy-authenticate": _challenge,
    "location": _reference,
    "content-location": _reference,
    "access-control-allow-origin": _origin,
    "content-length": _number,
    "retry-after": _retry,
    "content-range": lambda value: "bytes 0-0/2" if _RANGE.fullmatch(value) else value[:_SHOWN],
}


MADE_EQUAL = frozenset(
    (NOW, BEFORE, AFTER, '"e"', 'W/"e"', "/x", "https://example.org", "https://example.org/x")
)
"""Values that stand for others."""


@lru_cache(64)
def readable(held: Held) -> Held:
    """What a log holds, as far as findings read it."""
    read = (
        Part.REQUEST_FIELDS | Part.RESPONSE_FIELDS | Part.REQUEST_BYTES | Part.RESPONSE_BYTES | Part.CONTENT
    )
    return replace(held, format="", parts=held.parts & read)
