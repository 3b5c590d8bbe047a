"""Records of our own, decoded straight to what an observation needs of them."""

from __future__ import annotations

from math import nan
from typing import Literal

import msgspec
from msgspec import Struct

from proxy.visibility.observation import Held, Lines, Observation, Part
from proxy.visibility.reading.lineformat import NotRead
from proxy.visibility.reading.times import SECONDS, iso

HELD = Held("pellucid/1", ~Part(0) & ~Part.CONTENT)

_FROM_CACHE = {"hit": True, "stale": True, "forwarded": False, "validated": False, "failed": False}


class _Request(Struct, gc=False):
    method: str
    target: str
    scheme: str
    authority: str
    version: str
    fields: Lines
    content_bytes: int


class _Response(Struct, gc=False):
    status: int
    fields: Lines
    content_bytes: int
    digest: str | None
    complete: bool


class _Reason(Struct, gc=False):
    slug: str


class _Decision(Struct, gc=False):
    outcome: str
    reasons: tuple[_Reason, ...]
    forward: str | None
    stored: bool | None
    collapsed: bool | None


class _Upstream(Struct, gc=False):
    server: str


class _Record(Struct, gc=False):
    format: Literal["pellucid/1"]
    id: str
    time: str
    client: str
    duration_seconds: float | None
    request: _Request | None
    response: _Response | None
    decision: _Decision | None
    upstream: _Upstream | None
    error: str | None


_NO_REQUEST = _Request("", "", "", "", "", (), -1)
_NO_RESPONSE = _Response(0, (), -1, None, False)
_NO_DECISION = _Decision("", (), None, None, None)
_decode = msgspec.json.Decoder(_Record).decode


class RecordFormat:
    """Lines as `proxy.visibility.record` writes them; their credentials are hidden already."""

    name = "pellucid"
    held = HELD

    def read(self, lines: bytes, count: int) -> list[Observation]:
        """As LineFormat says."""
        try:
            found = [_observation(_decode(line)) for line in lines.splitlines()]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise NotRead(_why(error)) from error
        except ValueError as error:
            raise NotRead("the time can't be read") from error
        if len(found) != count:
            raise NotRead("it is no record: an empty line")
        return found


def _why(error: Exception) -> str:
    """What of the line is wrong: msgspec names the place and the type, and quotes only what the format is."""
    text = str(error)
    if "`$.format`" in text:
        return "its format is not pellucid/1"
    if isinstance(error, msgspec.ValidationError):
        return f"it is no record: {text[:120]}"
    return "it is no record: not JSON, or cut short"


def _observation(record: _Record) -> Observation:
    request = record.request or _NO_REQUEST
    response = record.response or _NO_RESPONSE
    decision = record.decision or _NO_DECISION
    text, client, duration = record.time, record.client, record.duration_seconds
    return Observation(
        # As our own records write it; whatever else RFC 3339 permits is read too.
        SECONDS[text[:19]] + int(text[20:26]) * 1e-6 if text[26:] == "Z" else iso(text),
        client[: client.rfind(":")] if client[:1] != "[" else client[1 : client.rfind("]")],
        request.method,
        request.scheme,
        request.authority,
        request.target,
        request.version,
        request.fields,
        request.content_bytes,
        response.status,
        response.fields,
        response.content_bytes,
        response.digest or "",
        nan if duration is None else duration,
        response.complete,
        True if decision.collapsed else _FROM_CACHE.get(decision.outcome),
        decision.outcome,
        decision.forward or "",
        tuple([reason.slug for reason in decision.reasons]),
        decision.stored,
        "" if record.upstream is None else record.upstream.server,
        record.error or "",
        record.id,
    )
