"""From a log to requests that can be run once more: what the origin server would answer to each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from proxy.message.dates import format_date, parse_date
from proxy.message.fields import Fields
from proxy.message.response import Response
from proxy.visibility.inspecting.messages import request_of, response_of
from proxy.visibility.inspecting.replay import Asked
from proxy.visibility.inspecting.timeline import LAST
from proxy.visibility.observation import Observation

_OURS = frozenset(("refused", "local"))
"""Outcomes that the proxy made by itself: the origin server had no part in them, nor would it have."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Exchanges that stand for `weight` of their kind each, as to what they cost."""

    exchange: Observation
    weight: float = 1.0


def asked_of(sampled: Sequence[Sampled]) -> list[Asked]:
    """The requests of some exchanges in the order of time.

    A 304 to the client says little of what the origin server would have answered to somebody who has
    nothing: for that the nearest full response to the same target is taken.
    """
    full = _Full(one.exchange for one in sampled)
    found = []
    for one in sampled:
        exchange = one.exchange
        if exchange.outcome in _OURS or not 0 <= exchange.time <= LAST or not exchange.method:
            continue
        request = request_of(exchange)
        if exchange.outcome == "failed" or not exchange.status:
            found.append(Asked(exchange.time, request, None, 0, one.weight))
            continue
        response, length = response_of(exchange), max(0, exchange.response_bytes)
        if exchange.status == 304 and exchange.method in ("GET", "HEAD"):
            response, length = full.instead_of(exchange, response)
        if exchange.method == "HEAD":
            length = 0
        fields = sent_at(response.fields, exchange.time)
        response = replace(response, fields=fields)
        found.append(Asked(exchange.time, request, response, length, one.weight, exchange.digest))
    return found


def sent_at(fields: Fields, now: float) -> Fields:
    """The fields of a response as they would be sent `now`: the dates as far from it as they were."""
    dates = fields.all(b"date")
    then = parse_date(dates[0], now) if len(dates) == 1 else None
    expires = fields.all(b"expires")
    until = parse_date(expires[0], now) if len(expires) == 1 else None
    if until is not None and then is not None and abs(until - now) < 1e10:
        fields = fields.setting(b"Expires", format_date(min(max(0.0, until + now - then), LAST)))
    return fields.setting(b"Date", format_date(now))


class _Full:
    """The full responses to each target, by the variant that was asked for where there is one."""

    def __init__(self, exchanges: Iterable[Observation]) -> None:
        self._found: dict[tuple[str, str], list[Observation]] = {}
        for one in exchanges:
            if one.method == "GET" and one.status == 200:
                self._found.setdefault((one.authority, one.target), []).append(one)

    def instead_of(self, exchange: Observation, not_modified: Response) -> tuple[Response, int]:
        """The 200 that stands behind a 304, and its bytes of content: 0 where no such response was seen."""
        near = self._found.get((exchange.authority, exchange.target), ())
        tag = not_modified.fields.get(b"etag")
        best: Observation | None = None
        for one in near:
            if tag is None or response_of(one).fields.get(b"etag") == tag:
                best = one
                if one.time >= exchange.time:
                    break
        if best is None:
            return Response(200, not_modified.fields, b"OK"), 0
        fields = response_of(best).fields
        for name in not_modified.fields.names():
            fields = fields.without(name)
        return Response(200, fields.adding(*not_modified.fields), b"OK"), max(0, best.response_bytes)
