"""Origin servers of the mind: what one would answer that has answered once already."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msgspec import structs

from proxy.caching.answering import not_modified_fields
from proxy.caching.effects import Arrived, Unreached
from proxy.message.conditions import Verdict, evaluate, validators_of
from proxy.message.dates import format_date, parse_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

ERROR = 503
"""The status code of the origin server that is reached, but in trouble (RFC 5861 §4)."""


@dataclass(frozen=True, slots=True)
class Had:
    """One exchange with the origin server as it was had.

    `received` is how many bytes of content came, and `ended` whether that was all. `limit` is the largest
    content that is stored, in bytes. `beginning` is the first of the content, all of it where it is short.
    """

    request: Request
    arrived: Arrived
    received: int
    ended: bool
    limit: int
    beginning: bytes = b""

    @property
    def content(self) -> int | None:
        """The bytes of content to store; None where they can't be: there are too many, or no end of them."""
        return self.received if self.ended and self.received <= self.limit else None

    @property
    def response(self) -> Response:
        return self.arrived.response

    @property
    def time(self) -> float:
        """When the response was had, in seconds since the epoch."""
        return self.arrived.response_time

    def with_response(self, response: Response) -> Had:
        """The same, but for the response's head."""
        return replace(self, arrived=structs.replace(self.arrived, response=response))


def unchanged(had: Had, request: Request, now: float) -> Arrived:
    """What an origin server sends where nothing has changed: the same again, or 304 where that will do.

    It takes as long as it took.
    """
    asked = now - (had.time - had.arrived.request_time)
    response = Response(had.response.status, _later(had.response.fields, had.time, now), had.response.reason)
    if response.status == 200 and request.method in (b"GET", b"HEAD"):
        validators = validators_of(response.fields, now)
        if evaluate(request, validators, now) is Verdict.NOT_MODIFIED:
            fields = not_modified_fields(response.fields)
            return Arrived(Response(304, fields, b"Not Modified"), asked, now, 0)
    return Arrived(response, asked, now, had.arrived.length)


def in_trouble(now: float) -> Arrived:
    """What an origin server sends that answers with an error."""
    fields = Fields([(b"Date", format_date(now)), (b"Content-Length", b"0")])
    return Arrived(Response(ERROR, fields, b"Service Unavailable"), now, now, 0)


def unreachable(now: float) -> Unreached:
    """What becomes of a request where the origin server can't be reached."""
    return Unreached(502, "no connection", now)


def _later(fields: Fields, then: float, now: float) -> Fields:
    """The fields as they would be sent anew: their dates as far from now as they were from then."""
    for name in (b"date", b"expires"):
        values = fields.all(name)
        moment = parse_date(values[0], then) if len(values) == 1 else None
        if moment is not None and now > then:
            fields = fields.setting(name.title(), format_date(moment + now - then))
    return fields
