"""Which licences there are at the moment: found by what a request says, revoked by what the store changes."""

from __future__ import annotations

import math
from collections.abc import Callable

from proxy.engine.licence import Licence
from proxy.message.request import Request
from proxy.server.lane.answers import Later, Renderer, Rendering
from proxy.server.lane.generations import Generations
from proxy.server.lane.heads import Names, Part

_RULES_ASK = frozenset(
    b"""
    host cache-control pragma authorization range content-length transfer-encoding
    if-match if-none-match if-modified-since if-unmodified-since if-range
    """.split()
)
"""What the caching rules look up in a request whatever the resource, so that `Names` seldom grow."""

_MOST_PARTS = 64
"""Licences for one request line, as requests for it differ in fields that matter."""

_FIXED = 1600
"""Bytes that a licence takes beside its texts: the objects, and places in four tables."""


class Standing:
    """A licence in force. `part` is what its requests have in the fields that matter to it.

    It holds from `since` to `last`: until the answer's age is told otherwise, when it's rendered anew. It
    has been looked after since the store was in `epoch`. `content` is what the store's entry holds, not
    another copy, and it is let go together with that.
    """

    __slots__ = (
        "_later",
        "_received",
        "content",
        "epoch",
        "last",
        "licence",
        "part",
        "place",
        "rendering",
        "since",
        "size",
        "touch",
    )

    def __init__(
        self,
        licence: Licence,
        received: Request,
        rendering: Rendering,
        place: Place,
        part: Part,
        touch: Callable[[], None],
    ) -> None:
        self.licence: Licence | None = licence
        self.content = licence.content
        self.epoch = licence.epoch
        self.place = place
        self.part = part
        self.touch = touch
        self._received = received
        self._later: Later | None = None
        copied = 0 if licence.content is licence.entry.content else len(licence.content)
        self.size = _FIXED + 3 * rendering.size + copied
        self._show(rendering)

    def renewed(self, renderer: Renderer, now: float, epoch: int) -> bool:
        """Whether the answer is good at `now`, rendered anew if need be."""
        licence = self.licence
        if licence is None or not licence.since <= now < licence.until:
            return False
        if epoch != self.epoch:
            if licence.wider or any(entry.state is not state for entry, state in licence.found):
                return False
            self.epoch = epoch
        if not self.since <= now <= self.last:
            if self._later is None:
                self._later = renderer.later(licence, self._received, self.rendering)
                if self._later is None:
                    return False
            self._show(self._later.at(now))
        return self.since <= now <= self.last

    def end(self) -> None:
        """It is in force no more, and keeps nothing of the entry alive."""
        self.licence = self._later = None
        self.content = b""
        self.since, self.last = math.inf, -math.inf

    def _show(self, rendering: Rendering) -> None:
        self.rendering = rendering
        self.since, self.last = rendering.since, rendering.last


class Place:
    """The licences for one request line: for each by what is in the fields called `names`."""

    __slots__ = ("line", "names", "size", "standings")

    def __init__(self, line: bytes, names: Names) -> None:
        self.line = line
        self.names = names
        self.standings: dict[Part, Standing] = {}
        self.size = 400 + 2 * len(line)


class Register:
    """Every licence in force, in `budget` bytes; those that are used least of late make room."""

    def __init__(self, budget: int) -> None:
        self.places: Generations[bytes, Place] = Generations(budget, self._empty)
        self._by_key: dict[bytes, dict[Standing, None]] = {}
        self._by_base: dict[bytes, dict[Standing, None]] = {}
        self._names: dict[frozenset[bytes], Names] = {}
        self._usual = self._named(_RULES_ASK)

    def place(self, line: bytes, asked: frozenset[bytes]) -> Place:
        """The place for `line`, where all fields in `asked` are told apart."""
        place = self.places.get(line)
        if place is None:
            place = Place(line, self._usual if asked <= _RULES_ASK else self._named(asked | _RULES_ASK))
            self.places.put(line, place, place.size)
        elif not asked <= place.names.wanted:
            self._empty(place)
            place.names = self._named(asked | place.names.wanted)
        return place

    def add(self, standing: Standing, licence: Licence) -> None:
        """Put a licence in force."""
        place = standing.place
        if (before := place.standings.get(standing.part)) is not None:
            self.end(before)
        elif len(place.standings) >= _MOST_PARTS:
            self.end(next(iter(place.standings.values())))
        place.standings[standing.part] = standing
        self._by_key.setdefault(licence.key, {})[standing] = None
        if licence.wider:
            self._by_base.setdefault(base_of(licence.key), {})[standing] = None
        self._resize(place, standing.size)

    def revoke(self, key: bytes) -> None:
        """Something has changed under `key`: the licences that depend on it end."""
        for standing in tuple(self._by_key.get(key, ())):
            self.end(standing)
        if self._by_base:
            for standing in tuple(self._by_base.get(base_of(key), ())):
                self.end(standing)

    def end(self, standing: Standing) -> None:
        """End a licence that is in force."""
        licence, place = standing.licence, standing.place
        if licence is None:
            return
        _discard(self._by_key, licence.key, standing)
        if licence.wider:
            _discard(self._by_base, base_of(licence.key), standing)
        place.standings.pop(standing.part, None)
        standing.end()
        self._resize(place, -standing.size)

    def _empty(self, place: Place) -> None:
        for standing in tuple(place.standings.values()):
            self.end(standing)

    def _resize(self, place: Place, size: int) -> None:
        place.size += size
        if self.places.young.get(place.line) is place:
            self.places.grown(size)

    def _named(self, wanted: frozenset[bytes]) -> Names:
        names = self._names.get(wanted)
        if names is None:
            if len(self._names) >= 1024:  # those in use stay alive with their places
                self._names.clear()
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
