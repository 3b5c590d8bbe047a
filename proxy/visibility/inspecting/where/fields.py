"""What a condition can ask of an exchange, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from proxy.visibility.inspecting.messages import cookies_of, field_of, parameters_of, place_of
from proxy.visibility.observation import Observation

Value = str | float | bool | None | tuple[str, ...]
Read = Callable[[Observation], Value]


def _number(value: float) -> float | None:
    return value if value == value and value >= 0 else None


_PLAIN: Mapping[str, Read] = MappingProxyType(
    {
        "id": lambda one: one.id,
        "time": lambda one: one.time if one.time == one.time else None,
        "client": lambda one: one.client,
        "duration": lambda one: _number(one.duration),
        "error": lambda one: one.error or None,
        "from_cache": lambda one: one.from_cache,
        "request.method": lambda one: one.method,
        "request.target": lambda one: one.target,
        "request.path": lambda one: place_of(one.authority, one.target)[1],
        "request.query": lambda one: place_of(one.authority, one.target)[2],
        "request.scheme": lambda one: one.scheme,
        "request.authority": lambda one: one.authority,
        "request.version": lambda one: one.version,
        "request.bytes": lambda one: _number(one.request_bytes),
        "response.status": lambda one: one.status or None,
        "response.bytes": lambda one: _number(one.response_bytes),
        "response.digest": lambda one: one.digest or None,
        "response.complete": lambda one: one.complete,
        "decision.outcome": lambda one: one.outcome or None,
        "decision.reasons": lambda one: one.reasons,
        "decision.forward": lambda one: one.forward or None,
        "decision.stored": lambda one: one.stored,
        "upstream.server": lambda one: one.upstream or None,
    }
)

_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "method": "request.method",
        "target": "request.target",
        "path": "request.path",
        "query": "request.query",
        "authority": "request.authority",
        "host": "request.authority",
        "request.content_bytes": "request.bytes",
        "status": "response.status",
        "bytes": "response.bytes",
        "response.content_bytes": "response.bytes",
        "digest": "response.digest",
        "complete": "response.complete",
        "duration_seconds": "duration",
        "outcome": "decision.outcome",
        "reasons": "decision.reasons",
        "reason": "decision.reasons",
        "forward": "decision.forward",
        "stored": "decision.stored",
        "upstream": "upstream.server",
    }
)

NAMES = (*_PLAIN, *_ALIASES)
"""Every name, but for those of single fields, cookies and parameters."""

_BY_NAME: Mapping[str, Callable[[str], Read]] = MappingProxyType(
    {
        "request.fields": lambda name: lambda one: field_of(one.request_fields, name.lower()),
        "response.fields": lambda name: lambda one: field_of(one.response_fields, name.lower()),
        "request.cookies": lambda name: (
            lambda one: cookies_of(field_of(one.request_fields, "cookie") or "").get(name)
        ),
        "request.parameters": lambda name: (
            lambda one: parameters_of(place_of(one.authority, one.target)[2]).get(name)
        ),
    }
)

COLLECTIONS = tuple(_BY_NAME)
"""What is asked by a name of its own: `request.fields["accept"]`, or `request.fields.accept`."""


def reader(name: str) -> Read | None:
    """What reads a field of an exchange; None where there is no such name."""
    return _PLAIN.get(_ALIASES.get(name, name))


def reader_by_name(collection: str, name: str) -> Read | None:
    """What reads a message's field, a cookie or a parameter; None where there is no such collection."""
    make = _BY_NAME.get(collection)
    return make(name) if make is not None else None
