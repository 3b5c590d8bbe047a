"""Which requests there is leave to forward at the moment, and what was said of responses to them so far."""

from __future__ import annotations

from proxy.caching.timely import Timely, Timing
from proxy.engine.passing import Opening, Verdict
from proxy.message.fields import NO_FIELDS
from proxy.message.request import Request
from proxy.server.lane.generations import Generations
from proxy.server.lane.heads import Names, Part
from proxy.server.lane.passed import Template, request_text
from proxy.server.lane.told import Key, Told
from proxy.server.lane.wider import Around, target_text
from proxy.visibility.redaction import Redaction

RULES_ASK = frozenset(
    b"""
    host cache-control pragma authorization if-match if-none-match if-modified-since if-unmodified-since
    if-range range content-length transfer-encoding expect upgrade
    """.split()
)
"""What the caching rules look up in a request: by these fields requests are told apart."""

_MOST_WAYS = 64
_MOST_KEYS = 64
_MOST_TIMES = 8

_WAY = 1000
_PLACE = 500
_FAMILY = 2000
_SAID = 2500
"""Bytes of memory, about."""


class Said:
    """What was said of a response, and how responses like it are rendered."""

    __slots__ = ("template", "verdict")

    def __init__(self, verdict: Verdict, template: Template) -> None:
        self.verdict = verdict
        self.template = template


class Judged:
    """What was said of responses that tell the rules the same but for the time, by what is to say of that."""

    __slots__ = ("by_time", "timing")

    def __init__(self, timing: Timing | None) -> None:
        self.timing = timing
        self.by_time: dict[Timely | None, Said] = {}


class Family:
    """Requests of which the rules say the same, whatever their target is, and so of the responses to them.

    `leave` is that of one of them, and `received` what it has in common with the others. Where the target
    does matter (`around` is None) it is a family of one. `judged` is what was said of responses, by what the
    rules are told. The first place by which something was said keeps that.
    """

    __slots__ = ("around", "grown", "home", "judged", "leave", "name", "received", "size")

    def __init__(self, name: FamilyName, leave: Opening, received: Request, around: Around | None) -> None:
        self.name = name
        self.size = _FAMILY + 2 * len(name[0]) + 3 * sum(len(value) + 60 for _, value in name[1])
        self.grown = 0  # bytes that what was said takes
        self.leave = leave
        self.received = received
        self.around = around
        self.judged: dict[Key, Judged] = {}
        self.home: Place | None = None

    def said(self, told: Told, times: tuple[float, float]) -> Said | None:
        """What was said of a response that was asked for and had at `times`; None: nothing yet."""
        judged = self.judged.get(told.key)
        if judged is None:
            return None
        timing = judged.timing
        return judged.by_time.get(None if timing is None else timing.at(told.times, *times))


FamilyName = tuple[bytes, Part]
"""The method, or the whole request line where the target matters; and what the rules ask for."""


class Way:
    """Leave to forward requests that are alike.

    `host` is what they have in Host, `before` how their record begins, up to the field lines. It is `open`
    until a moment (by `time.perf_counter`) while the store is in the same state, as far as `epoch` and
    `changes` tell.
    """

    __slots__ = (
        "before",
        "changes",
        "epoch",
        "family",
        "host",
        "leave",
        "new",
        "open",
        "place",
        "size",
        "to_head",
    )

    def __init__(self, leave: Opening, family: Family, before: bytes, place: Place, size: int) -> None:
        self.leave = leave
        self.family = family
        self.before = before
        self.place = place
        self.host = family.received.authority
        self.to_head = family.received.method == b"HEAD"
        self.open = 0.0
        self.epoch = self.changes = -1
        self.new = 0  # responses that were not like any before, since one was
        self.size = size


class Place:
    """The ways for one request line, for each by what is in the fields called `RULES_ASK`."""

    __slots__ = ("homed", "line", "size", "ways")

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.ways: dict[Part, Way] = {}
        self.homed: list[Family] = []
        self.size = _PLACE + 2 * len(line)


class Openings:
    """All of them, in `budget` bytes; those that are used least of late make room.

    `by_target` says that clients are told something about the target by the rules.
    """

    def __init__(self, redaction: Redaction, budget: int, *, by_target: bool = False) -> None:
        self.names = Names(RULES_ASK)
        self.places: Generations[bytes, Place] = Generations(budget - budget // 8, self._forgotten)
        self._families: Generations[FamilyName, Family] = Generations(budget // 8)
        self._redaction = redaction
        self._by_target = by_target

    def family(self, name: FamilyName) -> Family | None:
        """The family of that name, where there is leave for one of its requests."""
        return self._families.get(name)

    def found(self, leave: Opening, received: Request) -> Family:
        """Begin a family with the leave for the request `received`."""
        bare = Request(
            received.method, received.target, NO_FIELDS, received.version, received.scheme, received.authority
        )
        around = None
        name = self.name(received)
        if leave.anywhere and not self._by_target:
            around = Around.of(request_text(bare, self._redaction), received.target, self._redaction)
        if around is None:
            name = _line(received), name[1]
        self._families.pop(name)
        family = Family(name, leave.bare(RULES_ASK), bare, around)
        self._families.put(name, family, family.size)
        return family

    def add(self, family: Family, received: Request) -> bool:
        """There is leave for requests like `received`, which is of that family; False where there is none."""
        leave, target = family.leave, received.target
        if family.around is None:
            before = request_text(family.received, self._redaction)
        else:
            text = target_text(target, self._redaction)
            if text is None:
                return False
            before = b"%b%b%b" % (family.around.before, text, family.around.after)
            if target != leave.request.target:
                leave = leave.likened(target)
        line = _line(received)
        place = self.places.get(line)
        if place is None:
            place = Place(line)
            self.places.put(line, place, place.size)
        part = family.name[1]
        gone = place.ways.pop(part, None)
        if gone is None and len(place.ways) >= _MOST_WAYS:
            gone = place.ways.pop(next(iter(place.ways)))
        size = _WAY + 6 * len(target) + (family.size if family.leave is leave else 0)
        way = Way(leave, family, before, place, size)
        place.ways[part] = way
        self._grown(place, way.size - (gone.size if gone is not None else 0))
        return True

    def known(self, received: Request) -> bool:
        """Whether there is leave for requests like the one `received` already."""
        place = self.places.get(_line(received))
        return place is not None and self._part(received) in place.ways

    def keep(self, way: Way, told: Told, said: Said) -> None:
        """Remember what was said of a response."""
        family, verdict = way.family, said.verdict
        if family.home is None:
            family.home = way.place
            way.place.homed.append(family)
        if len(family.judged) >= _MOST_KEYS:
            self._grown(family.home, -family.grown)
            family.judged.clear()
            family.grown = 0
        judged = family.judged.get(told.key)
        if judged is None:
            judged = family.judged[told.key] = Judged(verdict.timing)
        full = len(judged.by_time) >= _MOST_TIMES
        if full:
            del judged.by_time[next(iter(judged.by_time))]
        judged.by_time[verdict.timed] = said
        size = 0 if full else _SAID + said.template.size
        family.grown += size
        self._grown(family.home, size)

    def name(self, received: Request) -> FamilyName:
        """The name of the family that requests like `received` belong to."""
        secret = self._redaction.target_once(received.target)[1]
        return (_line(received) if self._by_target or secret else received.method), self._part(received)

    @staticmethod
    def _part(received: Request) -> Part:
        lines = [(name.lower(), value) for name, value in received.fields]
        return tuple([line for line in lines if line[0] in RULES_ASK])

    def _forgotten(self, place: Place) -> None:
        for family in place.homed:
            family.judged.clear()
            family.home, family.grown = None, 0

    def _grown(self, place: Place, size: int) -> None:
        place.size += size
        if self.places.young.get(place.line) is place:
            self.places.grown(size)


def _line(received: Request) -> bytes:
    return b"%b %b HTTP/1.1" % (received.method, received.target)
