"""A log run through the caching rules once more: the rules themselves, over a store in memory.

There is no second implementation of any rule here. What is assumed: the store has room for everything, and
the origin server answers as it did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from proxy.caching.answering import not_modified_fields
from proxy.caching.decision import Outcome
from proxy.caching.effects import (
    Answer,
    Arrived,
    Effect,
    Forward,
    Found,
    Freshen,
    Invalidate,
    LookUp,
    Result,
    Store,
    Unreached,
    Validate,
)
from proxy.caching.exchange import Exchange, exchange, revalidation
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.message.conditions import Verdict, evaluate, validators_of
from proxy.message.request import Request
from proxy.message.response import Response

LABEL_LIMIT = 16
"""How many of the entries that carry a label are looked at, the newest, as the engine does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a log, and what the origin server answers to it at that time.

    `time` is in seconds since the epoch, `length` the bytes of content of the full response, `digest` that of
    the content; `response` is None where the origin could not be reached. `weight` is for how many exchanges
    of the log this one stands, as to what it costs.
    """

    time: float
    request: Request
    response: Response | None
    length: int
    weight: float = 1.0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of some requests; each figure is weighed. `origin_bytes` are bytes of content."""

    exchanges: float = 0.0
    hits: float = 0.0
    origin_requests: float = 0.0
    origin_bytes: float = 0.0

    @property
    def ratio(self) -> float:
        """The share of hits."""
        return self.hits / self.exchanges if self.exchanges else 0.0


@dataclass(eq=False, slots=True)
class _Entry:
    key: bytes
    labels: tuple[bytes, ...]
    stored: StoredResponse


class Shelf:
    """What is stored. It answers the look-ups that the rules ask for."""

    def __init__(self) -> None:
        self._keys: dict[bytes, list[_Entry]] = {}
        self._labels: dict[bytes, list[_Entry]] = {}
        self._entries: dict[int, _Entry] = {}

    def look_up(self, effect: LookUp) -> list[StoredResponse]:
        """What is stored under a key, or with a label."""
        if effect.label is None:
            return [entry.stored for entry in self._keys.get(effect.key, ())]
        return [entry.stored for entry in self._labels.get(effect.label, ())[-LABEL_LIMIT:]]

    def freshen(self, effect: Freshen) -> None:
        """Replace what is known of a stored response."""
        entry = self._entries.pop(id(effect.selected), None)
        if entry is not None:
            entry.stored = effect.updated
            self._entries[id(entry.stored)] = entry

    def invalidate(self, effect: Invalidate) -> None:
        """Let go of what was invalidated."""
        gone = [entry for key in effect.keys for entry in self._keys.get(key, ())]
        gone += [entry for label in effect.labels for entry in self._labels.get(label, ())]
        for entry in gone:
            self._remove(entry.stored)

    def store(self, wanted: Store, length: int) -> None:
        """Keep a response, of which `length` bytes of content have arrived."""
        stored = wanted.stored
        if wanted.extends is None and stored.complete_length is None:
            complete = None if stored.response.status == 206 else length
            stored = replace(stored, length=length, complete_length=complete)
        for replaced in wanted.replaces:
            self._remove(replaced)
        entry = _Entry(wanted.key, wanted.labels, stored)
        self._entries[id(stored)] = entry
        self._keys.setdefault(entry.key, []).append(entry)
        for label in entry.labels:
            self._labels.setdefault(label, []).append(entry)

    def _remove(self, stored: StoredResponse) -> None:
        entry = self._entries.pop(id(stored), None)
        if entry is not None:
            self._keys[entry.key].remove(entry)
            for label in entry.labels:
                self._labels[label].remove(entry)


def replay(requests: Iterable[Asked], policy: Policy) -> Outcomes:
    """Run requests, in the order of time, through the rules, with nothing stored at the beginning."""
    shelf = Shelf()
    exchanges = hits = origin_requests = origin_bytes = 0.0
    for asked in requests:
        run = _Run(asked, shelf)
        answer = run.rules(exchange(asked.request, policy))
        if answer.background is not None:
            wanted: Validate = answer.background
            run.rules(revalidation(wanted.request, wanted.selected, policy))
        exchanges += asked.weight
        hits += asked.weight * (answer.decision.outcome in (Outcome.HIT, Outcome.STALE))
        origin_requests += asked.weight * run.requests
        origin_bytes += asked.weight * run.bytes
    return Outcomes(exchanges, hits, origin_requests, origin_bytes)


class _Run:
    """One exchange: performs what the rules ask for. Counts what went to the origin."""

    __slots__ = ("_arrived", "_asked", "_shelf", "bytes", "requests")

    def __init__(self, asked: Asked, shelf: Shelf) -> None:
        self._asked = asked
        self._shelf = shelf
        self._arrived = 0
        self.requests = 0
        self.bytes = 0

    def rules(self, rules: Exchange) -> Answer:
        """Run some rules to their answer, and keep what they want kept."""
        result: Result = None
        while True:
            try:
                effect = rules.send(result)
            except StopIteration as end:
                answer: Answer = end.value
                if answer.store is not None:
                    self._shelf.store(answer.store, self._arrived)
                return answer
            result = self._perform(effect)

    def _perform(self, effect: Effect) -> Result:
        if isinstance(effect, LookUp):
            return Found(self._shelf.look_up(effect), self._asked.time)
        if isinstance(effect, Forward):
            return self._forward(effect.request)
        if isinstance(effect, Freshen):
            self._shelf.freshen(effect)
        else:
            self._shelf.invalidate(effect)
        return None

    def _forward(self, request: Request) -> Arrived | Unreached:
        now, response = self._asked.time, self._asked.response
        self.requests += 1
        if response is None:
            return Unreached(502, "no connection", now)
        if response.status == 200 and request.method in (b"GET", b"HEAD"):
            validators = validators_of(response.fields, now)
            if evaluate(request, validators, now) is Verdict.NOT_MODIFIED:
                self._arrived = 0
                return Arrived(Response(304, not_modified_fields(response.fields)), now, now, 0)
        self._arrived = 0 if request.method == b"HEAD" else self._asked.length
        self.bytes += self._arrived
        return Arrived(response, now, now, self._arrived)
