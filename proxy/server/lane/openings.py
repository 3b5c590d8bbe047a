"""Which requests there is leave to forward at the moment, and what was said of responses to them so far."""

from __future__ import annotations

from proxy.engine.passing import Opening, Verdict
from proxy.message.fields import NO_FIELDS
from proxy.message.request import Request
from proxy.server.lane.generations import Generations
from proxy.server.lane.heads import Names, Part
from proxy.server.lane.passed import Template

RULES_ASK = frozenset(
    b"""
    host cache-control pragma authorization if-match if-none-match if-modified-since if-unmodified-since
    if-range range content-length transfer-encoding expect
    """.split()
)
"""What the caching rules look up in a request: by these fields requests are told apart."""

_MOST_WAYS = 64
_MOST_SAID = 8
_MOST_TEMPLATES = 8
_WAY = 3000
_PLACE = 600
"""Bytes of memory, about."""


class Said:
    """What was said of a response, and how responses like it are rendered."""

    __slots__ = ("templates", "verdict")

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.templates: dict[tuple[bytes, ...], Template] = {}


class Way:
    """Leave to forward requests that are alike. `received` is what they have in common, but for fields."""

    __slots__ = ("host", "leave", "new", "place", "received", "said", "size")

    def __init__(self, leave: Opening, received: Request, place: Place) -> None:
        self.leave = leave
        self.received = Request(
            received.method, received.target, NO_FIELDS, received.version, received.scheme, received.authority
        )
        self.host = received.authority
        self.place = place
        self.said: list[Said] = []
        self.new = 0  # responses that were not like any before, since one was
        self.size = _WAY + 2 * sum(len(name) + len(value) for name, value in received.fields)


class Place:
    """The ways for one request line, for each by what is in the fields called `RULES_ASK`."""

    __slots__ = ("line", "size", "ways")

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.ways: dict[Part, Way] = {}
        self.size = _PLACE + 2 * len(line)


class Openings:
    """All of them, in `budget` bytes; those that are used least of late make room."""

    def __init__(self, budget: int) -> None:
        self.names = Names(RULES_ASK)
        self.places: Generations[bytes, Place] = Generations(budget)

    def add(self, line: bytes, leave: Opening, received: Request) -> None:
        """There is leave for requests with this line that are like the one `received`."""
        place = self.places.get(line)
        if place is None:
            place = Place(line)
            self.places.put(line, place, place.size)
        part = tuple(
            (lowered, value) for name, value in received.fields if (lowered := name.lower()) in RULES_ASK
        )
        before = place.ways.pop(part, None)
        if before is None and len(place.ways) >= _MOST_WAYS:
            before = place.ways.pop(next(iter(place.ways)))
        way = place.ways[part] = Way(leave, received, place)
        self._grown(place, way.size - (before.size if before is not None else 0))

    def say(self, way: Way, verdict: Verdict) -> Said:
        """Remember what was said of a response."""
        said = Said(verdict)
        if verdict.lasting:
            if len(way.said) >= _MOST_SAID:
                way.said.clear()
            way.said.append(said)
        return said

    def keep(self, way: Way, said: Said, name: tuple[bytes, ...], template: Template) -> None:
        """Remember how a response is rendered."""
        if len(said.templates) >= _MOST_TEMPLATES:
            said.templates.clear()
        said.templates[name] = template
        way.size += template.size
        self._grown(way.place, template.size)

    def _grown(self, place: Place, size: int) -> None:
        place.size += size
        if self.places.young.get(place.line) is place:
            self.places.grown(size)
