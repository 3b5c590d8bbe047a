"""Which licences there are at the moment: found by what a request says, revoked by what the store changes."""

from __future__ import annotations

import math
from collections.abc import Callable

from proxy.caching.no_vary_search import Rule
from proxy.engine.licence import Licence
from proxy.server.lane.answers import Answered
from proxy.server.lane.generations import Generations
from proxy.server.lane.heads import Names, Part
from proxy.server.lane.wider import Applied, Around

RULES_ASK = frozenset(
    b"""
    host cache-control pragma authorization range content-length transfer-encoding upgrade
    if-match if-none-match if-modified-since if-unmodified-since if-range
    """.split()
)
"""What the caching rules look up in a request whatever the resource, so that `Names` seldom grow."""

_MOST_PARTS = 64
"""Licences for one request line, as requests for it differ in fields that matter."""

_FIXED = 1200
"""Bytes that a licence takes beside its texts: the objects, and places in four tables."""


class Standing:
    """A licence in force: what is left of it once its answer is rendered.

    `part` is what its requests have in the fields that matter to it. `around` is what stands around the
    target in the record, where that may differ. `rendering` is the answer from `since` to `last`: when its
    age is told otherwise, it is rendered anew. `epoch` is that of the store when it was looked at last.
    `content` is what the store's entry holds, not another copy, and is let go with that. It is None where
    the entry is not in memory: then `fetch` gives it, or None once the entry has left or has changed.
    """

    __slots__ = (
        "_answered",
        "_found",
        "_from",
        "_until",
        "around",
        "content",
        "epoch",
        "fetch",
        "key",
        "last",
        "part",
        "place",
        "rendering",
        "since",
        "size",
        "touch",
        "wider",
    )

    def __init__(
        self,
        licence: Licence,
        answered: Answered,
        place: Place,
        part: Part | tuple[Applied, Part],
        around: Around | None = None,
        *,
        hold: bool = False,
    ) -> None:
        """`hold`: the content is kept in memory even where it's read from where the entry stands."""
        self.key = licence.key
        self.wider = licence.wider
        self.content: bytes | None = licence.content
        self.fetch: Callable[[], bytes | None] = _none
        self.epoch = licence.epoch
        self.place = place
        self.part = part
        self.around = around
        self.touch = licence.entry.touch
        self._answered = answered
        self._found = licence.found
        self._from = licence.since
        self._until = licence.until
        held = 0 if licence.whole else len(licence.content)
        fetch = getattr(licence.entry, "fetch", None)
        if fetch is not None:  # the entry is the licence's own: nobody else keeps it in memory
            held += sum(getattr(entry, "lean", _zero)() for entry, _ in licence.found)
            if hold:
                held += len(licence.content) if licence.whole else 0
            elif licence.whole and licence.content:
                self.content, self.fetch = None, fetch
        self.size = _FIXED + answered.size + len(licence.key) + held + _size_of(part)
        self._show(licence.since)

    @property
    def in_force(self) -> bool:
        """Whether it has not ended."""
        return self._until > -math.inf

    def renewed(self, now: float, epoch: int) -> bool:
        """Whether the answer is good at `now`, rendered anew if need be."""
        if not self._from <= now < self._until:
            return False
        if epoch != self.epoch:
            if self.wider or any(entry.state is not state for entry, state in self._found):
                return False
            self.epoch = epoch
        if not self.since <= now <= self.last:
            self._show(now)
        return self.since <= now <= self.last

    def end(self) -> None:
        """It is in force no more, and keeps nothing of the entry alive."""
        self.content = b""
        self.fetch = _none
        self.touch = _nothing
        self._found = ()
        self._until = self.last = -math.inf

    def _show(self, now: float) -> None:
        self.rendering = rendering = self._answered.at(now)
        self.since, self.last = rendering.since, rendering.last


def _size_of(part: Part | tuple[Applied, Part]) -> int:
    """Bytes that the name of a licence takes, about: its texts, and the tuples around them."""
    pairs = [pair for several in part for pair in several]
    return sum(60 + (len(one) if isinstance(one, bytes) else sum(map(len, one))) for one in pairs)


def _zero() -> int:
    return 0


def _none() -> bytes | None:
    """Fetches nothing."""
    return None


def _nothing() -> None:
    """Touches nothing."""


class Place:
    """The licences for one request line: for each by what is in the fields called `names`.

    Where there is a `rule`, it is the place for all lines that differ in their queries only: `line` is what
    they have in common, and each licence stands by what the rule leaves of its query, and by its fields.
    """

    __slots__ = ("line", "names", "rule", "size", "standings")

    def __init__(self, line: bytes, names: Names) -> None:
        self.line = line
        self.names = names
        self.rule: Rule | None = None
        self.standings: dict[Part | tuple[Applied, Part], Standing] = {}
        self.size = 400 + 2 * len(line)


class Register:
    """Every licence in force, in `budget` bytes; those that are used least of late make room."""

    def __init__(self, budget: int, forgotten: Callable[[bytes], None] | None = None) -> None:
        """`forgotten` is told of each request line that has to make room."""
        self.places: Generations[bytes, Place] = Generations(budget, self._forget)
        self._forgotten = forgotten
        self._by_key: dict[bytes, dict[Standing, None]] = {}
        self._by_base: dict[bytes, dict[Standing, None]] = {}
        self._names: dict[frozenset[bytes], Names] = {}
        self.usual = self.named(RULES_ASK)
        self.changes = 0  # in the store, so far

    def place(self, line: bytes, asked: frozenset[bytes], rule: Rule | None = None) -> Place:
        """The place for `line`, where all fields in `asked` are told apart, and queries as `rule` has it."""
        place = self.places.get(line)
        if place is None:
            place = Place(line, self.usual if asked <= RULES_ASK else self.named(asked | RULES_ASK))
            self.places.put(line, place, place.size)
        elif not asked <= place.names.wanted:
            self._empty(place)
            place.names = self.named(asked | place.names.wanted)
        if place.rule != rule:
            self._empty(place)
            place.rule = rule
        return place

    def add(self, standing: Standing) -> None:
        """Put a licence in force."""
        place = standing.place
        if (before := place.standings.get(standing.part)) is not None:
            self.end(before)
        elif len(place.standings) >= _MOST_PARTS:
            self.end(next(iter(place.standings.values())))
        place.standings[standing.part] = standing
        self._by_key.setdefault(standing.key, {})[standing] = None
        if standing.wider:
            self._by_base.setdefault(base_of(standing.key), {})[standing] = None
        self._resize(place, standing.size)

    def revoke(self, key: bytes) -> None:
        """Something has changed under `key`: the licences that depend on it end."""
        self.changes += 1
        for standing in tuple(self._by_key.get(key, ())):
            self.end(standing)
        if self._by_base:
            for standing in tuple(self._by_base.get(base_of(key), ())):
                self.end(standing)

    def end_all(self) -> None:
        """End every licence."""
        for standings in tuple(self._by_key.values()):
            for standing in tuple(standings):
                self.end(standing)

    def end(self, standing: Standing) -> None:
        """End a licence that is in force."""
        place = standing.place
        if not standing.in_force:
            return
        _discard(self._by_key, standing.key, standing)
        if standing.wider:
            _discard(self._by_base, base_of(standing.key), standing)
        place.standings.pop(standing.part, None)
        standing.end()
        self._resize(place, -standing.size)

    def _forget(self, place: Place) -> None:
        if self._forgotten is not None:
            self._forgotten(place.line)
        self._empty(place)

    def _empty(self, place: Place) -> None:
        for standing in tuple(place.standings.values()):
            self.end(standing)

    def _resize(self, place: Place, size: int) -> None:
        place.size += size
        if self.places.young.get(place.line) is place:
            self.places.grown(size)

    def named(self, wanted: frozenset[bytes]) -> Names:
        """The one object for this set of names."""
        names = self._names.get(wanted)
        if names is None:
            if len(self._names) >= 1024:  # those in use stay alive with their places
                self._names = {RULES_ASK: self.usual}
            names = self._names[wanted] = Names(wanted)
        return names


def base_of(key: bytes) -> bytes:
    """What keys have in common whose URIs differ only in the query."""
    return key.partition(b"?")[0]


def _discard(table: dict[bytes, dict[Standing, None]], key: bytes, standing: Standing) -> None:
    standings = table.get(key)
    if standings is not None:
        standings.pop(standing, None)
        if not standings:
            del table[key]
