"""What matters of a message for the figures; what the rules make of it is asked once for all alike."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from proxy.caching.freshness import HEURISTICALLY_CACHEABLE
from proxy.caching.policy import Policy
from proxy.caching.storing import decide_storing
from proxy.caching.vary import nominated
from proxy.message.cache_control import Directives
from proxy.visibility.inspecting.messages import request_of, response_of
from proxy.visibility.inspecting.timeline import LAST
from proxy.visibility.observation import Held, Lines, Observation

MOST = 4_096
"""How many sorts of exchanges are told apart; all others are told apart by method and status only."""

_SAFE = frozenset(("GET", "HEAD", "QUERY"))
_STATEMENTS = (b"no-store", b"private", b"no-cache", b"max-age", b"s-maxage", b"immutable")
_REQUEST = frozenset(("authorization", "cookie", "cache-control"))
_RESPONSE = frozenset(("cache-control", "cdn-cache-control", "expires", "pragma", "vary")) | {
    *("set-cookie", "content-type", "etag", "last-modified", "content-location")
}
_LONG = 200
_MOST_LINES = 20_000

_Told = tuple[str, ...]
"""What matters of a field line: its name in lower case, and what is told apart of its value."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of a response by itself.

    `explicit`: it says whether and how long it may be kept, or its method or status say that it may not.
    `storable`: a shared cache may store it. `reasons` are the slugs for that, the main one first; `lifetime`
    says in a word how long it stays fresh.
    """

    explicit: bool
    storable: bool
    reasons: tuple[str, ...]
    lifetime: str


@dataclass(eq=False, slots=True, weakref_slot=True)
class Traits:
    """What exchanges of one sort have in common; compared by identity.

    `judged` is None where the log lacks what the rules would need.
    """

    method: str
    status: int
    cookies: tuple[str, ...] = ()
    authorized: bool = False
    vary: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    media_type: str = ""
    validator: bool = False
    judged: Judged | None = None
    key: tuple[object, ...] = ()

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (
            self.method,
            self.status,
            self.cookies,
            self.authorized,
            self.vary,
            self.sets,
            self.media_type,
            self.validator,
            self.judged,
            self.key,
        )


_alike: WeakValueDictionary[object, Traits] = WeakValueDictionary()


def _again(*values: Any) -> Traits:
    """The traits that are known by their key already, or these: so that those of all processes are one."""
    known = _alike.get(values[-1])
    if known is None:
        known = _alike[values[-1]] = Traits(*values)
    return known


class Sorter:
    """Finds the traits of exchanges from logs that hold `held`. Equal exchanges get the same object."""

    def __init__(self, held: Held, policy: Policy) -> None:
        self._held = held
        self._policy = policy
        self._known: dict[object, Traits] = {}
        self._rest: dict[tuple[str, int], Traits] = {}
        self.plain: dict[tuple[str, int], Traits] = {}
        self._request_names: dict[str, str] = {}
        self._response_names: dict[str, str] = {}
        self._lines: dict[tuple[str, str], _Told] = {}
        self.fields = any(map(held.has_request_field, _REQUEST)) or any(
            map(held.has_response_field, _RESPONSE)
        )
        self.judges = held.has_response_field("cache-control")

    def traits(self, exchange: Observation) -> Traits:
        """The traits of one exchange."""
        if not self.fields:
            return self._plain(exchange.method, exchange.status)
        key = (
            self.judges,
            exchange.method,
            exchange.status,
            self._asked(exchange.request_fields),
            self._answered(exchange.response_fields),
        )
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST:
                return self._plain(exchange.method, exchange.status)
            found = self._known[key] = self._make(key, exchange)
        return found

    def _plain(self, method: str, status: int) -> Traits:
        """Traits by method and status alone; kept in `plain` where there are no others."""
        known = self._rest if self.fields else self.plain
        found = known.get((method, status))
        if found is None:
            if len(known) >= MOST:  # whoever sends that many methods means no good
                method, status = "(others)", status if status in range(100, 600) else 0
            found = known[method, status] = _again(
                method, status, (), False, (), (), "", False, None, (method, status)
            )
        return found

    def _asked(self, lines: Lines) -> tuple[_Told, ...]:
        return self._read(lines, self._request_names, _REQUEST)

    def _answered(self, lines: Lines) -> tuple[_Told, ...]:
        return self._read(lines, self._response_names, _RESPONSE)

    def _read(self, lines: Lines, names: dict[str, str], wanted: Collection[str]) -> tuple[_Told, ...]:
        """What matters of the fields whose names are wanted."""
        known = self._lines
        found: list[_Told] = []
        for line in lines:
            name = names.get(line[0])
            if name is None:
                lowered = line[0].lower()
                name = lowered if lowered in wanted else ""
                if len(names) < MOST:
                    names[line[0]] = name
            if name:
                told = known.get(line)
                if told is None:
                    if len(known) >= _MOST_LINES:
                        known.clear()
                    told = known[line] = _told(name, line[1])
                found.append(told)
        return tuple(found)

    def _make(self, key: tuple[object, ...], exchange: Observation) -> Traits:
        asked, answered = self._asked(exchange.request_fields), self._answered(exchange.response_fields)
        vary = ",".join(found[1] for found in answered if found[0] == "vary").lower()
        media = [found[1] for found in answered if found[0] == "content-type"]
        return _again(
            exchange.method,
            exchange.status,
            tuple(dict.fromkeys(name for found in asked if found[0] == "cookie" for name in found[1:])),
            ("authorization",) in asked,
            tuple(dict.fromkeys(name.strip() for name in vary.split(",") if name.strip())),
            tuple(dict.fromkeys(found[1] for found in answered if found[0] == "set-cookie")),
            media[0].partition(";")[0].strip().lower() if media else "",
            ("etag",) in answered or ("last-modified",) in answered,
            judge(exchange, self._policy) if self.judges else None,
            key,
        )


def _told(name: str, value: str) -> _Told:
    """What matters of one field line."""
    if name == "cookie":
        return (name, *sorted(part.partition("=")[0].strip() for part in value.split(";")))
    if name in ("authorization", "etag", "last-modified"):
        return (name,)
    if name == "set-cookie":
        return name, value.partition("=")[0].strip()
    if name == "expires":
        return name, "a date" if len(value) > 4 else value
    return name, value[:_LONG]


def judge(exchange: Observation, policy: Policy) -> Judged | None:
    """What the rules say of one response by itself; None where there is nothing to say."""
    if exchange.status < 200 or exchange.status in (304, 412, 416):
        return None  # what it speaks of is another message
    if exchange.method not in _SAFE:
        return Judged(True, False, ("written-through",), "")
    response = response_of(exchange)
    time = exchange.time if 0 <= exchange.time <= LAST else 0.0
    storing = decide_storing(
        request_of(exchange), response, request_time=time, response_time=time, policy=policy
    )
    directives = storing.effective.directives
    lifetime = storing.lifetime
    explicit = (
        lifetime.explicit
        or any(name in directives for name in _STATEMENTS)
        or nominated(response.fields) is None  # Vary: * says that no other request may be answered with it
        or exchange.status not in HEURISTICALLY_CACHEABLE  # nor does anybody keep it unless told to
    )
    how_long = _how_long(lifetime.explicit, lifetime.heuristic, lifetime.seconds, directives)
    reasons = tuple(because.reason.slug for because in storing.reasons)
    return Judged(explicit, storing.allowed, reasons, how_long)


def _how_long(explicit: bool, heuristic: bool, seconds: float, directives: Directives) -> str:
    for name in (b"no-store", b"no-cache"):
        if name in directives:
            return name.decode()
    if explicit:
        return f"{seconds:.0f} s"
    return "guessed from Last-Modified" if heuristic else "not said"
