"""All that findings read of an exchange: where this is equal, the findings are, and are worked out once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from proxy.visibility.findings.canonical import canonical, readable
from proxy.visibility.findings.content import Content, content_of
from proxy.visibility.observation import Held, Lines, Observation, Part
from proxy.visibility.sessions.carried import Credential, carried
from proxy.visibility.sessions.classify import classify
from proxy.visibility.sessions.form import Form
from proxy.visibility.sessions.kinds import Degree, Kind, Where

_READ = frozenset(
    (
        "accept-encoding", "accept-language", "authorization", "content-type", "cookie", "origin", "range",
        "x-http-method", "x-http-method-override", "x-method-override",
    )
)  # fmt: skip
"""The request fields whose presence matters."""

_OWN = frozenset(("refused", "failed", "local"))
_MOST_LINES = 64
_SURE = frozenset((Degree.CERTAIN, Degree.LIKELY))
_WORD = re.compile(r"[a-z]+")
_LONGEST_PATH = 512


@dataclass(frozen=True, slots=True)
class Told:
    """A credential whose kind is likely at least; `again` says that the request had sent what is given."""

    kind: Kind
    where: Where
    name: str
    scheme: str = ""
    signed: bool = False
    removed: bool = False
    again: bool = False
    expired: bool = False

    def __str__(self) -> str:
        if self.where is Where.COOKIE:
            return f"the cookie {self.name}"
        if self.where is Where.AUTHORIZATION:
            return f"{self.name}: {self.scheme}".rstrip(": ")
        return (
            f"{self.name} in the {self.where}" if self.where is not Where.FIELD else f"the field {self.name}"
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """What findings read. `fields` are the lines of the response whose values matter, in their plainest form.

    `asked` are the request fields that are there; `words` those of the path, `parameters` the names in the
    query and `leads` the words of Location, as far as rules know them. `has_content` and `sent_content` are
    None where the log does not tell.
    """

    held: Held
    method: str
    status: int
    asked: frozenset[str]
    fields: Lines
    sent: tuple[Told, ...]
    given: tuple[Told, ...]
    words: frozenset[str]
    parameters: frozenset[str]
    leads: frozenset[str]
    has_content: bool | None
    sent_content: bool | None
    content: Content | None

    def values(self, name: str) -> tuple[str, ...]:
        """The values of the response field `name` (lower case)."""
        return tuple(value for key, value in self.fields if key == name)

    def lacks(self, *names: str) -> bool:
        """Whether the log tells that the response has none of these fields."""
        return all(self.held.has_response_field(name) and not self.values(name) for name in names)


def signature(observation: Observation, held: Held) -> Signature | None:
    """What findings read of an exchange; None where there is no answer of an origin."""
    if not observation.status or not observation.method or observation.outcome in _OWN:
        return None
    found = carried(observation)
    words, parameters = _of_target(observation.target[:_LONGEST_PATH])
    date = next((value for name, value in observation.response_fields if name.lower() == "date"), "")
    told = {name.lower() for name, _ in observation.request_fields}
    return Signature(
        readable(held),
        observation.method,
        observation.status,
        frozenset(told & _READ),
        tuple(_fields(observation.response_fields, date)),
        tuple(_told(found.sent, (), observation.time)),
        tuple(_told(found.given, found.sent, observation.time)),
        words,
        parameters,
        _of_target(_location(observation.response_fields))[0],
        _some(observation.response_bytes, Part.RESPONSE_BYTES in held.parts),
        _some(observation.request_bytes, Part.REQUEST_BYTES in held.parts),
        content_of(observation, held),
    )


def _some(count: int, told: bool) -> bool | None:
    return count > 0 if told and count >= 0 else None


def _location(lines: Lines) -> str:
    return next((value for name, value in lines if name.lower() == "location"), "")[:_LONGEST_PATH]


def _fields(lines: Lines, date: str) -> Iterator[tuple[str, str]]:
    for name, value in lines[:_MOST_LINES]:
        found = canonical(name.lower(), value, date)
        if found is not None:
            yield found


def _told(credentials: tuple[Credential, ...], before: tuple[Credential, ...], now: float) -> Iterator[Told]:
    seen = set()
    had = {(one.where, one.name, one.value) for one in before}
    for one in credentials:
        if (one.where, one.name) in seen:
            continue
        seen.add((one.where, one.name))
        form = one.form
        kind = _kind(one.where, one.name, one.length, form and (form.name, form.keys, form.held), one.scheme)
        if kind is not None:
            signed = form is not None and form.format.signed
            again = (one.where, one.name, one.value) in had
            expired = form is not None and form.expires is not None and form.expires < now
            yield Told(kind, one.where, one.name, one.scheme, signed, one.removed, again, expired)


@lru_cache(4096)
def _kind(
    where: Where, name: str, length: int, form: tuple[str, tuple[str, ...], int] | None, scheme: str
) -> Kind | None:
    """The kind of a credential where that is likely at least."""
    verdict = classify(name, None, where, length, form and Form(form[0], keys=form[1], held=form[2]), scheme)
    return verdict.kind if verdict.degree in _SURE else None


@lru_cache(4096)
def _of_target(target: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the path and the names of the query's parameters that rules look for."""
    path, _, query = target.lower().partition("?")
    words = frozenset(_WORD.findall(path)) & WORDS
    names = frozenset(part.partition("=")[0] for part in query.split("&")) & PARAMETERS
    actions = frozenset(
        value for name, _, value in (part.partition("=") for part in query.split("&")) if name == "action"
    )
    return words | (actions & WORDS), names


READING = frozenset(("search", "query", "find", "lookup", "filter"))
CHANGING = frozenset(("delete", "remove", "destroy", "logout", "signout", "unsubscribe", "approve"))
WRITING = CHANGING | {
    "create",
    "add",
    "update",
    "edit",
    "save",
    "set",
    "subscribe",
    "confirm",
    "cancel",
    "reset",
}
TUNNELS = frozenset(("graphql", "jsonrpc", "xmlrpc", "soap"))
LOGIN = frozenset(("login", "signin", "logon", "sso"))
WORDS = READING | WRITING | LOGIN | TUNNELS
PARAMETERS = frozenset(("_method", "_httpmethod", "x-http-method-override"))
