"""A story: a few exchanges as a line of text each, run by the rules of the proxy themselves.

`GET / > 200 | Cache-Control: max-age=60` is a request and what the origin server answers; `|` stands before
each field. `70 s: GET / > unreachable` comes 70 seconds after the line before. A request that goes forward
twice has two answers. Where nothing follows the request, nothing has to go forward. `(a soft purge)` has all
that is stored count as stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from proxy.caching.decision import Because
from proxy.caching.effects import Arrived, Found, Unreached
from proxy.caching.exchange import exchange
from proxy.caching.policy import Policy
from proxy.caching.private_cache import decide_storing_privately
from proxy.caching.stored import StoredResponse
from proxy.caching.storing import decide_storing
from proxy.caching.vary import selects
from proxy.commands.explaining.rehearsal import Rehearsed, Shelf, rehearse_rules
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

BEGINNING = 784111777.0
"""When every story begins: Sun, 06 Nov 1994 08:49:37 GMT, as in RFC 9110."""

POLICY = Policy()
AUTHORITY = b"example.org"
SOFT_PURGE = "(a soft purge)"
LENGTH = 10
"""Bytes of content, where a message doesn't say how many it has."""

_LONG = {"(with 300 tags)": f"Surrogate-Key: {' '.join(map(str, range(300)))}"}
"""What stands for a field line that is too long to be read."""

_LINE = re.compile(r"(?:([0-9]+) s: )?([^>]+?)(?: > (.+))?")


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of a story: a request, `after` seconds since the line before, and the answers to it."""

    after: int
    request: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """How a story ended: the reasons of its last exchange, and the head that its client got."""

    reasons: tuple[Because, ...]
    response: Response | None = None

    @property
    def cache_status(self) -> str:
        """What Cache-Status said, or nothing."""
        values = self.response.fields.all(b"cache-status") if self.response is not None else ()
        return values[-1].decode() if values else ""


def turns(lines: tuple[str, ...]) -> Iterator[Turn]:
    """The lines of a story, read. Raises ValueError for one that isn't of that form."""
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"not a line of a story: {line!r}")
        yield Turn(int(match[1] or 0), match[2], tuple(match[3].split(" > ")) if match[3] else ())


def tell(lines: tuple[str, ...], *, bypass: bool = False) -> Told:
    """Run the exchanges of a story, and say how the last one ended."""
    now = BEGINNING
    shelf: Shelf = ()
    rehearsed: Rehearsed | None = None
    for turn in turns(lines):
        now += turn.after
        if turn.request == SOFT_PURGE:
            shelf = tuple(replace(one, stored=one.stored.softened(now)) for one in shelf)
            continue
        rehearsed = _exchange(turn, shelf, now, bypass)
        shelf = rehearsed.shelf
    if rehearsed is None:
        raise ValueError("a story has at least one line")
    return Told(rehearsed.answer.decision.reasons, rehearsed.answer.response)


def tell_storing(lines: tuple[str, ...], *, private: bool = False) -> Told:
    """What the storing rule says of the one exchange of a story, whether or not a cache would ask it."""
    request, response = _only(lines)
    decide = decide_storing_privately if private else decide_storing
    said = decide(request, response, request_time=BEGINNING, response_time=BEGINNING, policy=POLICY)
    return Told(said.reasons)


def tell_selecting(lines: tuple[str, ...]) -> Told:
    """What the rule for Vary says of the same request, if the one response of a story were stored."""
    request, response = _only(lines)
    stored = StoredResponse(request, response, BEGINNING, BEGINNING, LENGTH, complete_length=LENGTH)
    return Told(selects(stored, request)[1])


def _only(lines: tuple[str, ...]) -> tuple[Request, Response]:
    (turn,) = turns(lines)
    (answer,) = turn.answers
    return read_request(turn.request), read_response(answer, BEGINNING)


def _exchange(turn: Turn, shelf: Shelf, now: float, bypass: bool) -> Rehearsed:
    request = read_request(turn.request)
    coming = iter(turn.answers)
    lengths: list[int] = []

    def origin(_: Request, now: float) -> Arrived | Unreached | Found:
        answer = next(coming)
        if answer == "unreachable":
            return Unreached(502, "connection refused", now)
        if answer.startswith("waits"):
            return _waited_for(request, answer.removeprefix("waits, "), now)
        response = read_response(answer, now)
        lengths.append(int(response.fields.get(b"content-length") or LENGTH))
        return Arrived(response, now, now, lengths[-1])

    rules = exchange(request, POLICY, bypass=bypass)
    rehearsed = rehearse_rules(rules, shelf, now, origin, LENGTH)
    left = list(coming)
    if left:
        raise ValueError(f"nobody asked for {left}")
    return rehearsed


def _waited_for(request: Request, answer: str, now: float) -> Found:
    """What another client's request for the same brought in the meantime."""

    def origin(_: Request, now: float) -> Arrived:
        return Arrived(read_response(answer, now), now, now, LENGTH)

    other = rehearse_rules(exchange(request, POLICY), (), now, origin, LENGTH)
    return Found([one.stored for one in other.shelf], now)


def read_request(text: str) -> Request:
    """`GET /path | Name: value`, sent to example.org. A QUERY's content is the same in each story."""
    start, *lines = text.split(" | ")
    method, target = start.encode().split(b" ")
    known = method == b"QUERY" and "(unread content)" not in lines
    fields = _fields(line for line in lines if not line.startswith("("))
    digest = b"\0" * 32 if known else None
    return Request(method, target, fields, authority=AUTHORITY, content_digest=digest)


def read_response(text: str, now: float) -> Response:
    """`200 | Name: value`; it has a Date, as the origin server's clock is right."""
    status, *lines = text.split(" | ")
    fields = _fields(lines)
    if b"date" not in fields:
        fields = fields.adding((b"Date", format_date(now)))
    return Response(int(status), fields)


def _fields(lines: Iterator[str] | list[str]) -> Fields:
    pairs = (_LONG.get(line, line).partition(": ") for line in lines)
    return Fields((name.encode(), value.encode()) for name, _, value in pairs)
