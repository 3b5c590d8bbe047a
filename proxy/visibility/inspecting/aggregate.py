"""All that is counted while logs are read: bounded, fast, and to be added up over processes."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappush, heapreplace
from math import inf
from zlib import crc32

import msgspec

from proxy.caching.policy import Policy
from proxy.visibility.inspecting.messages import parameters_of, place_of
from proxy.visibility.inspecting.sample import Slot, fit
from proxy.visibility.inspecting.tally import ENDLESS, Row, Tally
from proxy.visibility.inspecting.timeline import LAST, Timeline
from proxy.visibility.inspecting.traits import Sorter
from proxy.visibility.inspecting.tree import Node, Tree
from proxy.visibility.observation import Batch, Held, Lines, Observation, Part

BUDGET = 60_000
"""How many exchanges are kept to be looked at one by one."""

MOST_TARGETS = 50_000
"""For how many targets the place is remembered."""

MOST_LINES = 50_000
"""How many field lines are remembered, so that equal ones are kept once."""

CONTENT = 2_048
"""How many bytes of content are kept of an exchange, where the log holds it."""

SLOWEST = 20
"""How many of the slowest exchanges are kept."""

_NOWHERE = frozenset((0, 400, 404, 405, 410, 414, 501))
"""Status codes that don't show that there is such a path."""


class _Place:
    """What is remembered of one target. `sure`: that there is such a path."""

    __slots__ = ("slot", "sure", "tally")

    def __init__(self, tally: Tally, slot: Slot | None, sure: bool) -> None:
        self.tally = tally
        self.slot = slot
        self.sure = sure


class Aggregate:
    """What was counted of all exchanges added so far. It can be sent to another process and added there.

    `lost` are the paths at which nothing was ever found. Of logs that hold fields or digests, up to `budget`
    exchanges are kept; of others none, as nothing could be learned from them one by one.
    """

    def __init__(self, policy: Policy | None = None, budget: int = BUDGET) -> None:
        self.policy = policy or Policy()
        self.budget = budget
        self.tree: Tree[Tally] = Tree()
        self.lost: Tree[Tally] = Tree(words=40)
        self.timeline = Timeline()
        self.exchanges = 0
        self.slowest: list[tuple[float, int, Observation]] = []
        self.helds: dict[Held, int] = {}
        self._sorters: dict[Held, Sorter] = {}
        self._places: dict[tuple[str, str], _Place] = {}
        self._queries: set[tuple[str, int]] = set()
        self._lines: dict[tuple[str, str], tuple[str, str]] = {}
        self._changes = 0
        self._kept = 0

    def __getstate__(self) -> dict[str, object]:
        """Without what is only remembered to be faster."""
        return {**self.__dict__, "_sorters": {}, "_places": {}, "_lines": {}, "_queries": set()}

    def add(self, batch: Batch) -> None:
        """Count the exchanges of one batch."""
        self.add_all(batch.held, batch.observations)
        self.time(batch.held, batch.observations)

    def add_all(self, held: Held, exchanges: Iterable[Observation]) -> None:
        """Count exchanges from a log that holds `held`."""
        sorter = self._sorters.get(held)
        if sorter is None:
            sorter = self._sorters[held] = Sorter(held, self.policy)
        sampled = sorter.fields or Part.DIGEST in held.parts
        traits_of, places, slow = sorter.traits, self._places, self._slow_from()
        plain = sorter.plain
        count = 0
        for one in exchanges:
            count += 1
            status, size = one.status, one.response_bytes
            place = places.get((one.authority, one.target))
            if place is None or not (place.sure or status in _NOWHERE):
                place = self._find(one, sampled)
            tally = place.tally
            traits = plain.get((one.method, status)) or traits_of(one)
            row: Row = (traits, one.from_cache, one.outcome, one.reasons)
            counters = tally.rows.get(row)
            if counters is None:
                counters = tally.row(row)
            counters[0] += 1
            if size > 0:
                counters[1] += size
            if 0 <= one.duration < ENDLESS:
                tally.histogram.add(one.duration)
                if one.duration > slow:
                    slow = self._slow(one, count)
            if status >= 500 or not status or one.error:
                tally.fail(one if one.content is None else msgspec.structs.replace(one, content=None))
            slot = place.slot
            if slot is not None and slot.live:
                self._keep(slot, one)
        self.exchanges += count
        self.helds[held] = self.helds.get(held, 0) + count
        if self._kept > self.budget + self.budget // 4:
            self._fit()

    def time(self, held: Held, exchanges: Iterable[Observation]) -> None:
        """Note when exchanges happened, where the log tells."""
        if Part.TIME not in held.parts:
            return
        timeline = self.timeline
        second, slot = -inf, [0, 0, 0, 0]
        first, last = inf, -inf
        for one in exchanges:
            moment = one.time
            if moment != second:
                if not 0 <= moment <= LAST:
                    continue
                second, slot = moment, timeline.slot(moment)
                if moment < first:
                    first = moment
                if moment > last:
                    last = moment
            slot[0] += 1
            if one.from_cache:
                slot[1] += 1
            if one.status >= 500 or not one.status:
                slot[2] += 1
            if one.response_bytes > 0:
                slot[3] += one.response_bytes
        if first <= last:
            timeline.span(first, last)

    def merge(self, other: Aggregate) -> None:
        """Add what was counted of a later part of the same traffic; `other` is not to be used afterwards."""
        self.tree.merge(other.tree)
        self.lost.merge(other.lost)
        self.timeline.merge(other.timeline)
        self.exchanges += other.exchanges
        for held, count in other.helds.items():
            self.helds[held] = self.helds.get(held, 0) + count
        slowest = sorted(self.slowest + other.slowest, key=lambda found: (-found[0], _moment(found[2])))
        self.slowest = [(found[0], -at, found[2]) for at, found in enumerate(slowest[:SLOWEST])][::-1]
        self._places.clear()
        self._queries.clear()
        self._fit()

    def tallies(self) -> list[Tally]:
        """Every tally, those of paths that were never found last."""
        nodes: list[Node[Tally]] = [node for tree in (self.tree, self.lost) for _, node in tree.root.walk()]
        return [node.gathered for node in nodes if node.gathered is not None]

    def _find(self, one: Observation, sampled: bool) -> _Place:
        """Where an exchange belongs; remembered for the others with the same target."""
        authority, path, query = place_of(one.authority, one.target)
        sure = one.status not in _NOWHERE
        node = self.tree.place(authority, path) if sure else self.tree.find(authority, path)
        if node is None or (node.gathered is None and not sure):
            node = self.lost.place(authority, path)
        else:
            sure = True
        if self.tree.changes + self.lost.changes != self._changes or len(self._places) >= MOST_TARGETS:
            self._changes = self.tree.changes + self.lost.changes
            self._places.clear()
            self._queries.clear()
        elif len(self._queries) >= MOST_TARGETS:
            self._queries.clear()
        if node.gathered is None:
            node.gathered = Tally()
        tally = node.gathered
        hashed = crc32(path.encode(errors="replace"), crc32(authority.encode(errors="replace"))) << 32
        tally.paths.add(hashed)
        if query and (query, id(tally)) not in self._queries:
            self._queries.add((query, id(tally)))
            tally.name_parameters(parameters_of(query))
        place = _Place(tally, tally.bucket.slot(hashed) if sampled else None, sure)
        self._places[one.authority, one.target] = place
        return place

    def _keep(self, slot: Slot, one: Observation) -> None:
        """Keep an exchange of a path, where all before it were kept too."""
        if len(slot.kept) == slot.seen:
            slot.kept.append(
                msgspec.structs.replace(
                    one,
                    request_fields=self._once(one.request_fields),
                    response_fields=self._once(one.response_fields),
                    content=one.content[:CONTENT] if one.content else None,
                )
            )
            self._kept += 1
        slot.seen += 1

    def _once(self, lines: Lines) -> Lines:
        known = self._lines
        if len(known) > MOST_LINES:
            known.clear()
        return tuple([known.setdefault(line, line) for line in lines])

    def _fit(self) -> None:
        self._kept = fit((tally.bucket for tally in self.tallies()), self.budget)

    def _slow_from(self) -> float:
        return self.slowest[0][0] if len(self.slowest) >= SLOWEST else 0.0

    def _slow(self, one: Observation, count: int) -> float:
        if one.content:
            one = msgspec.structs.replace(one, content=None)
        found = (one.duration, -(self.exchanges + count), one)
        if len(self.slowest) < SLOWEST:
            heappush(self.slowest, found)
        else:
            heapreplace(self.slowest, found)
        return self._slow_from()


def _moment(exchange: Observation) -> float:
    return exchange.time if exchange.time == exchange.time else 0.0
