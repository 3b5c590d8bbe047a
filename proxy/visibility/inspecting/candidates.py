"""What an answer may depend on: the pieces of a request that may differ while the path is the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proxy.visibility.inspecting.messages import cookies_of, field_of, parameters_of, place_of
from proxy.visibility.names import FIELDS
from proxy.visibility.observation import Observation

MOST = 24
"""How many cookies, and how many query parameters, are looked at for one endpoint: the commonest."""

ALWAYS = ("authorization", "accept-language", "accept", "accept-encoding", "user-agent")
"""The request fields that are always looked at; those that Vary names, and credentials, come on top."""

CREDENTIALS = frozenset(("authorization", *(name.decode() for name in FIELDS)))

_NOT_CONTENT = frozenset(("cookie", "host", "connection", "content-length"))

Value = str | None
View = tuple[Value, ...]
"""The value of each candidate in one request, None where it is absent."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """`kind` is `cookie`, `field`, `query` or `replica`; the name of a field is in lower case."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()

    @property
    def personal(self) -> bool:
        """Whether it may tell one user from another."""
        return self.kind == "cookie" or self.name in CREDENTIALS


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer of the origin whose content is known by its digest."""

    time: float
    view: View
    digest: str
    exchange: Observation

    @property
    def path(self) -> str:
        """The host and path that was asked for."""
        authority, path, _ = place_of(self.exchange.authority, self.exchange.target)
        return authority + path


def tells(exchange: Observation) -> bool:
    """Whether an exchange shows what the origin server answers to that request, in full.

    What came from a cache says nothing: it was made for somebody else. Nor does an error, a part of a
    representation, or a 304.
    """
    if exchange.method != "GET" or exchange.status not in (200, 203) or not exchange.digest:
        return False
    if exchange.from_cache or not exchange.complete:
        return False
    age = field_of(exchange.response_fields, "age")
    return age is None or age.strip() in ("", "0")


def candidates(exchanges: Sequence[Observation]) -> tuple[Candidate, ...]:
    """What is worth looking at in some requests: what is there, and not the same in all of them."""
    cookies: Counter[str] = Counter()
    parameters: Counter[str] = Counter()
    fields: dict[str, None] = dict.fromkeys(ALWAYS)
    for one in exchanges:
        cookie = field_of(one.request_fields, "cookie")
        if cookie is not None:
            cookies.update(cookies_of(cookie).keys())
        parameters.update(parameters_of(place_of(one.authority, one.target)[2]).keys())
        fields |= dict.fromkeys(
            lowered for name, _ in one.request_fields if (lowered := name.lower()) in CREDENTIALS
        )
        vary = field_of(one.response_fields, "vary")
        if vary is not None:
            fields |= dict.fromkeys(name.strip().lower() for name in vary.split(",")[:16])
    found = [Candidate("cookie", name) for name, _ in cookies.most_common(MOST)]
    found += [
        Candidate("field", name) for name in fields if name and name != "*" and name not in _NOT_CONTENT
    ]
    found += [Candidate("query", name) for name, _ in parameters.most_common(MOST)]
    found.append(Candidate("replica", ""))
    wide = [view_of(one, found) for one in exchanges]
    return tuple(one for at, one in enumerate(found) if len({view[at] for view in wide}) > 1)


def view_of(exchange: Observation, columns: Iterable[Candidate]) -> View:
    """The value of each candidate in one request."""
    cookies: dict[str, str] | None = None
    parameters: dict[str, str] | None = None
    fields: dict[str, str] = {}
    for name, value in exchange.request_fields:
        lowered = name.lower()
        fields[lowered] = f"{fields[lowered]}, {value}" if lowered in fields else value
    found: list[Value] = []
    for column in columns:
        if column.kind == "cookie":
            if cookies is None:
                cookies = cookies_of(fields.get("cookie", ""))
            found.append(cookies.get(column.name))
        elif column.kind == "field":
            found.append(fields.get(column.name))
        elif column.kind == "query":
            if parameters is None:
                parameters = parameters_of(place_of(exchange.authority, exchange.target)[2])
            found.append(parameters.get(column.name))
        else:
            found.append(exchange.upstream or None)
    return tuple(found)
