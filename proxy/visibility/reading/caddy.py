"""Caddy's access log: JSON with all the fields of requests and responses."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from proxy.visibility.observation import Held, Lines, Observation, Part
from proxy.visibility.reading.columns import address
from proxy.visibility.reading.hiding import Hiding, version_of
from proxy.visibility.reading.lineformat import NotRead
from proxy.visibility.reading.outcomes import told
from proxy.visibility.reading.times import any_time

_PARTS = (
    Part.TIME
    | Part.CLIENT
    | Part.AUTHORITY
    | Part.REQUEST_FIELDS
    | Part.RESPONSE_FIELDS
    | Part.REQUEST_BYTES
    | Part.RESPONSE_BYTES
    | Part.DURATION
)
_REDACTED = "REDACTED"
_HIDDEN = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization"})
Headers = dict[str, list[str]]


class _Tls(Struct, gc=False):
    version: int = 0


class _Request(Struct, gc=False):
    method: str
    uri: str
    host: str = ""
    proto: str = ""
    remote_ip: str = ""
    remote_addr: str = ""
    client_ip: str = ""
    headers: Headers = {}
    tls: _Tls | None = None


class _Line(Struct, gc=False):
    request: _Request
    status: int
    ts: float | str
    duration: float | str = 0.0
    size: int = -1
    bytes_read: int = -1
    resp_headers: Headers = {}
    msg: Literal["handled request", "NOP"] = "handled request"


_decode = msgspec.json.Decoder(_Line).decode


class CaddyFormat:
    """Lines of Caddy 2, whose values of credentials it hides itself unless told otherwise."""

    name = "caddy"

    def __init__(self, hiding: Hiding) -> None:
        self._hiding = hiding
        self._hidden: set[str] = set()
        self.held = Held(self.name, _PARTS)

    def read(self, lines: bytes, count: int) -> list[Observation]:
        """As LineFormat says."""
        try:
            found = [self._observation(_decode(line)) for line in lines.splitlines()]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise NotRead("it is no line of Caddy's access log") from error
        if len(found) != count:
            raise NotRead("an empty line")
        if len(self._hidden) > len(self.held.hidden):
            self.held = Held(self.name, _PARTS, hidden=frozenset(self._hidden))
        return found

    def _observation(self, line: _Line) -> Observation:
        request = line.request
        response_fields = self._lines(line.resp_headers)
        outcome, forward, from_cache = told(response_fields)
        duration = _seconds(line.duration)
        scheme, authority, target = self._hiding.url(_bytes(request.uri))
        return Observation(
            time=(any_time(line.ts) if isinstance(line.ts, str) else any_time(repr(line.ts))) - duration,
            client=request.client_ip or request.remote_ip or address(request.remote_addr),
            method=_bytes(request.method),
            scheme=scheme or ("https" if request.tls is not None else "http"),
            authority=authority or self._hiding.authority(_bytes(request.host)),
            target=target,
            version=version_of(request.proto),
            request_fields=self._lines(request.headers),
            request_bytes=line.bytes_read,
            status=line.status if 0 <= line.status <= 999 else 0,
            response_fields=response_fields,
            response_bytes=line.size,
            duration=duration,
            from_cache=from_cache,
            outcome=outcome,
            forward=forward,
        )

    def _lines(self, headers: Headers) -> Lines:
        return tuple(
            self._line(name, _bytes(value))
            for name, values in headers.items()
            for value in values or (_REDACTED,)  # up to version 2.6 the values are only left out
        )

    def _line(self, name: str, value: str) -> tuple[str, str]:
        if value == _REDACTED:
            lowered = name.lower()
            if lowered in _HIDDEN:
                self._hidden.add(lowered)
            return name, value
        return self._hiding.line(_bytes(name), value)


def _bytes(text: str) -> str:
    """What was UTF-8 as its bytes, taken for ISO-8859-1."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


_UNITS = {"ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9, "s": 1.0}


def _seconds(duration: float | str) -> float:
    """Seconds, or as Go writes a duration: `1.5ms`."""
    if isinstance(duration, str):
        unit = next((unit for unit in _UNITS if duration.endswith(unit)), "")
        duration = float(duration.removesuffix(unit)) * _UNITS.get(unit, 1.0)
    if not 0 <= duration < 1e9:
        raise ValueError("no duration")
    return duration
