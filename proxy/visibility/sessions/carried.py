"""The credentials of one exchange: where each stands, what it is called, and the form of its value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import unquote

from proxy.message.dates import parse_date
from proxy.visibility.names import FIELDS, PARAMETERS, SCHEMES, normalized
from proxy.visibility.observation import Observation
from proxy.visibility.redaction import DIGEST
from proxy.visibility.sessions.decoding import LONGEST, structure
from proxy.visibility.sessions.form import Form, unmarked
from proxy.visibility.sessions.kinds import Where
from proxy.visibility.sessions.reading import form_of

_PARTS = re.compile(r"~[0-9a-f]{16}\.([0-9]+)(?:\.(.+))?")
_PARAMETER = re.compile(r"([^=?#;/&]+)=([^?#;/&]+)")
_AGE = re.compile(r"-?[0-9]{1,12}")
_AUTHORIZATIONS = frozenset({"authorization", "proxy-authorization", "x-forwarded-authorization"})
_FIELDS = frozenset(name.decode() for name in FIELDS)
_SCHEMES = frozenset(name.decode() for name in SCHEMES)
_LONGEST_NAME = 80
_MOST = 128
_RECENT, _KEPT = 4096, 512
_CENTURY = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential. `value` is its digest, or itself where the message hides none.

    `length` is that of the value in bytes, `form` None where the log does not tell. `scheme` is that of
    `Authorization` in lower case. Of a cookie that a response sets, `removed` says that the client is to
    forget it, `lasts` for how many seconds it is to keep it, `until` the moment till when in seconds since
    the epoch (None where it does not say so: then until the client is closed). What stands in content has no
    value here.
    """

    where: Where
    name: str
    value: str
    length: int
    form: Form | None = None
    scheme: str = ""
    removed: bool = False
    lasts: float | None = None
    until: float | None = None

    @property
    def shown(self) -> bool:
        """Whether the value itself is here, and not its digest."""
        return not DIGEST.fullmatch(self.value)


@dataclass(frozen=True, slots=True)
class Carried:
    """The credentials that a request sent, and those that its response gave."""

    sent: tuple[Credential, ...]
    given: tuple[Credential, ...]


def carried(observation: Observation) -> Carried:
    """The credentials of an exchange, at most 128 each way."""
    sent = list(in_target(observation.target))
    for name, value in observation.request_fields:
        sent += in_field(name, value)
    given: list[Credential] = []
    for name, value in observation.response_fields:
        if name.lower() == "set-cookie":
            given += (_as_of(one, observation.time) for one in set_cookie(value))
    if observation.content:
        given += in_content(observation.content)
    return Carried(tuple(sent[:_MOST]), tuple(given[:_MOST]))


def in_field(name: str, value: str) -> tuple[Credential, ...]:
    """The credentials of a field line of a request."""
    return _recent_field(name, value) if len(name) + len(value) < _KEPT else _in_field(name, value)


def _in_field(name: str, value: str) -> tuple[Credential, ...]:
    lowered = name.lower()
    if lowered == "cookie":
        return tuple(_cookies(value))
    if lowered in _AUTHORIZATIONS:
        return (_authorization(lowered, value),) if value else ()
    if value and (lowered in _FIELDS or DIGEST.fullmatch(value)):
        return (_credential(Where.FIELD, lowered, value),)
    return ()


def _cookies(value: str) -> Iterator[Credential]:
    for part, _ in zip(value.split(";"), range(_MOST), strict=False):
        name, equals, held = part.strip().partition("=")
        if equals and held:
            yield _credential(Where.COOKIE, name, held)


def _authorization(field: str, value: str) -> Credential:
    scheme, _, rest = value.partition(" ")
    if rest and scheme.lower() in _SCHEMES:
        return _credential(Where.AUTHORIZATION, field, rest.strip(), scheme.lower())
    return _credential(Where.AUTHORIZATION, field, value)


def set_cookie(value: str) -> tuple[Credential, ...]:
    """The cookie of a `Set-Cookie` line, with what its attributes say (RFC 6265 §5.2)."""
    return _recent_set_cookie(value) if len(value) < _KEPT else _set_cookie(value)


def _set_cookie(value: str) -> tuple[Credential, ...]:
    first, *attributes = value.split(";")
    name, equals, held = first.strip().partition("=")
    if not equals:
        return ()
    said = {key.strip().lower(): text.strip() for key, _, text in (one.partition("=") for one in attributes)}
    age, expires = said.get("max-age", ""), said.get("expires")
    lasts = float(age) if _AGE.fullmatch(age) else None
    until = None
    if lasts is None and expires is not None:
        until = parse_date(expires.replace("-", " ").encode("latin-1", "replace"), _CENTURY)
    removed = not held or (lasts is not None and lasts <= 0)
    found = _credential(Where.COOKIE, name, held)
    return (replace(found, removed=removed, lasts=lasts, until=until),)


def _as_of(cookie: Credential, now: float) -> Credential:
    """A cookie that expired before it was sent is one that the client is to forget."""
    past = cookie.until is not None and cookie.until <= now  # never where the time is not known
    return replace(cookie, removed=True) if past else cookie


def in_content(content: bytes) -> tuple[Credential, ...]:
    """The tokens that the members of a JSON object carry, or those of the objects within it."""
    found = structure(content[:LONGEST]) if content[:1] == b"{" else None
    if not isinstance(found, dict):
        return ()
    inner = [pair for one in found.values() if isinstance(one, dict) for pair in one.items()]
    pairs = [*found.items(), *inner]
    return tuple(
        replace(_credential(Where.BODY, str(name), value), value="")
        for name, value in pairs[:_MOST]
        if isinstance(value, str) and value and normalized(str(name).encode("utf-8", "replace")) in PARAMETERS
    )


def in_target(target: str) -> tuple[Credential, ...]:
    """The credentials of a request target: digests, and the values of parameters that are named for one."""
    if "=" not in target:
        return ()
    return _recent_target(target) if len(target) < _KEPT else _in_target(target)


def _in_target(target: str) -> tuple[Credential, ...]:
    path = target.partition("?")[0]
    return tuple(
        _credential(Where.PATH if found.start() < len(path) else Where.QUERY, unquote(found[1]), found[2])
        for found, _ in zip(_PARAMETER.finditer(target), range(_MOST), strict=False)
        if DIGEST.fullmatch(found[2]) or normalized(found[1].encode("latin-1", "replace")) in PARAMETERS
    )


def _credential(where: Where, name: str, value: str, scheme: str = "") -> Credential:
    """One credential, its name cut where it is too long to be one."""
    name = name[:_LONGEST_NAME]
    digest = _PARTS.fullmatch(value) if value[:1] == "~" else None
    if digest is None:
        data = value.encode("latin-1", "replace")
        return Credential(where, name, value, len(data), replace(form_of(data), payload=None), scheme)
    form = unmarked(digest[2]) if digest[2] else None
    return Credential(where, name, value, int(digest[1][:9]), form, scheme)


_recent_field = lru_cache(_RECENT)(_in_field)
_recent_target = lru_cache(_RECENT)(_in_target)
_recent_set_cookie = lru_cache(_RECENT)(_set_cookie)
