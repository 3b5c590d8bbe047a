"""Reads logs and counts: what one process does with one part of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from proxy.caching.policy import Policy
from proxy.commands.inspecting.choosing import Choice
from proxy.visibility.inspecting.aggregate import Aggregate
from proxy.visibility.inspecting.report import Fault
from proxy.visibility.observation import Batch, Held
from proxy.visibility.reading import Reading, Span, read_span

MOST_FAULTS = 5
"""How many of the lines that could not be read are shown, of one source."""

Progress = Callable[[int], None]
"""Told how many more bytes have been read."""


@dataclass(slots=True)
class Counted:
    """What came of one part of a source. The lines of its faults are counted from the part's beginning."""

    aggregate: Aggregate
    helds: list[Held] = field(default_factory=list)
    exchanges: int = 0
    left_out: int = 0
    lines: int = 0
    faults: list[Fault] = field(default_factory=list)

    def take(self, batches: Iterable[Batch], choice: Choice, progress: Progress) -> None:
        """Count batches, less the exchanges that were not asked for."""
        condition, done, counted = choice.condition(), 0, self.aggregate
        for batch in batches:
            if batch.held not in self.helds:
                self.helds.append(batch.held)
            self.left_out += batch.left_out
            if len(self.faults) < MOST_FAULTS:
                self.faults += [Fault(one.line, one.why) for one in batch.faults]
            self.lines = batch.lines
            self.exchanges += len(batch.observations)
            chosen = batch.observations
            if condition is not None:
                chosen = [one for one in chosen if condition(one)]
            counted.add_all(batch.held, chosen)
            counted.time(batch.held, chosen)
            progress(batch.done - done)
            done = batch.done


def count_span(
    span: Span, reading: Reading, choice: Choice, policy: Policy, progress: Progress, budget: int
) -> Counted:
    """Count one part of a log. Raises UnreadableSource."""
    counted = Counted(Aggregate(policy, budget))
    with seldom_collecting():
        counted.take(read_span(span, reading), choice, progress)
    return counted


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Nothing here is in cycles, so that looking for them is lost time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
