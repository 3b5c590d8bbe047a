"""What is counted about one endpoint, in a form that can be added up over processes and minutes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import frexp

from proxy.visibility.inspecting.report import Durations
from proxy.visibility.inspecting.sample import Bucket
from proxy.visibility.inspecting.traits import Traits
from proxy.visibility.observation import Observation

MOST_ROWS = 2_048
"""How many sorts of exchanges are told apart at one endpoint."""

MOST_PATHS = 1_024
"""Up to how many distinct paths they are counted; from there on their number is estimated, within 10 %."""

ENDLESS = 1e7
"""Seconds from which on no exchange took as long as a log claims."""

MOST_PARAMETERS = 64
"""How many names of query parameters are kept at one endpoint."""

MOST_ERRORS = 12
"""How many sorts of errors are told apart at one endpoint by more than their status."""

_HASHES = 1 << 64
_STEPS = 8

Row = tuple[Traits, bool | None, str, tuple[str, ...]]
"""A sort of exchange: traits, whether a cache answered, outcome, and reasons."""


class Distinct:
    """How many different things there were: counted, and estimated where there are many (bottom-k)."""

    __slots__ = ("hashes", "limit")

    def __init__(self) -> None:
        self.hashes: set[int] = set()
        self.limit = _HASHES

    def add(self, hashed: int) -> None:
        """One more, by 64 bits of hash that are the same in every process."""
        if hashed < self.limit:
            self.hashes.add(hashed)
            if len(self.hashes) > 2 * MOST_PATHS:
                self._cut()

    def merge(self, other: Distinct) -> None:
        self.limit = min(self.limit, other.limit)
        self.hashes = {one for one in self.hashes | other.hashes if one < self.limit}
        if len(self.hashes) > 2 * MOST_PATHS:
            self._cut()

    @property
    def exact(self) -> bool:
        return len(self.hashes) <= MOST_PATHS and self.limit == _HASHES

    @property
    def count(self) -> int:
        if self.exact:
            return len(self.hashes)
        smallest = sorted(self.hashes)[:MOST_PATHS]
        if len(smallest) < MOST_PATHS:
            return round(len(smallest) * _HASHES / self.limit)
        return round((MOST_PATHS - 1) * _HASHES / smallest[-1])

    def _cut(self) -> None:
        """Keep the smallest hashes. What is cut off can't come back: the limit is now theirs."""
        kept = sorted(self.hashes)[: MOST_PATHS + 1]
        self.limit = kept.pop()
        self.hashes = set(kept)


class Histogram:
    """Durations in steps of 9 %."""

    __slots__ = ("longest", "steps")

    def __init__(self) -> None:
        self.steps: dict[int, int] = {}
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        step = step_of(seconds)
        self.steps[step] = self.steps.get(step, 0) + 1
        if seconds > self.longest:
            self.longest = seconds

    def merge(self, other: Histogram) -> None:
        for step, count in other.steps.items():
            self.steps[step] = self.steps.get(step, 0) + count
        self.longest = max(self.longest, other.longest)

    def durations(self) -> Durations:
        known = sum(self.steps.values())
        if not known:
            return Durations()
        median, p95, p99 = (self._quantile(share, known) for share in (0.5, 0.95, 0.99))
        return Durations(known, median, p95, p99, round(self.longest, 6))

    def _quantile(self, share: float, known: int) -> float:
        wanted, passed = share * known, 0
        for step in sorted(self.steps):
            passed += self.steps[step]
            if passed >= wanted:
                return round(min(value_of(step), self.longest), 6)
        return round(self.longest, 6)


def step_of(seconds: float) -> int:
    """The number of the step that a duration falls into; steps of one octave are of equal width."""
    if not 1e-9 < seconds < 1e9:
        return -1_000 if seconds <= 1e-9 else 1_000
    mantissa, exponent = frexp(seconds)
    return exponent * _STEPS + int((mantissa - 0.5) * 2 * _STEPS)


def value_of(step: int) -> float:
    """The middle of a step, in seconds."""
    if step <= -1_000:
        return 0.0
    exponent, part = divmod(step, _STEPS)
    return float((0.5 + (part + 0.5) / (2 * _STEPS)) * 2.0**exponent)


class Tally:
    """The figures of one endpoint. `rows` are its exchanges by sort: how many, and their bytes."""

    __slots__ = ("bucket", "errors", "histogram", "parameters", "paths", "rows")

    def __init__(self) -> None:
        self.rows: dict[Row, list[int]] = {}
        self.histogram = Histogram()
        self.paths = Distinct()
        self.parameters: set[str] = set()
        self.bucket = Bucket()
        self.errors: dict[tuple[int, str], tuple[int, Observation]] = {}

    @property
    def weight(self) -> int:
        """How many exchanges are in it."""
        return sum(count for count, _ in self.rows.values())

    def row(self, row: Row) -> list[int]:
        """The counters of a sort of exchange that is new here."""
        if len(self.rows) >= MOST_ROWS:
            row = (row[0], row[1], row[2], ()) if row[3] else row
            if row not in self.rows:
                row = next(iter(self.rows))
        return self.rows.setdefault(row, [0, 0])

    def merge(self, other: Tally) -> None:
        """Take in what was counted elsewhere."""
        for row, (count, size) in other.rows.items():
            counters = self.rows.get(row) or self.row(row)
            counters[0] += count
            counters[1] += size
        self.histogram.merge(other.histogram)
        self.paths.merge(other.paths)
        self.name_parameters(other.parameters)
        self.bucket.merge(other.bucket)
        for kind, (times, example) in other.errors.items():
            self._fail(kind, times, example)

    def fail(self, exchange: Observation) -> None:
        """Count an exchange that ended in an error."""
        self._fail((exchange.status, exchange.error[:200]), 1, exchange)

    def _fail(self, kind: tuple[int, str], times: int, example: Observation) -> None:
        if kind not in self.errors and len(self.errors) >= MOST_ERRORS:
            kind = (kind[0], "")  # of which there are no more than there are status codes
        count, first = self.errors.get(kind, (0, example))
        self.errors[kind] = count + times, first

    def name_parameters(self, names: Iterable[str]) -> None:
        """Remember the names of query parameters."""
        self.parameters.update(names)
        if len(self.parameters) > MOST_PARAMETERS:
            self.parameters = set(sorted(self.parameters)[:MOST_PARAMETERS])

    def each(self) -> Iterator[tuple[Row, int, int]]:
        """Every sort of exchange, with how many there were and their bytes."""
        for row, (count, size) in self.rows.items():
            yield row, count, size
