"""Reads a log to its end, as the tests want it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from proxy.visibility.observation import Batch, Fault, Held, Observation
from proxy.visibility.reading import Reading, open_source

LOGS = Path(__file__).parent / "logs"
KEY = "a key for the digests of the tests"


@dataclass
class Readout:
    """What a log held."""

    format: str = ""
    observations: list[Observation] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left_out: int = 0
    lines: int = 0
    done: int = 0
    helds: list[Held] = field(default_factory=list)

    @property
    def held(self) -> Held:
        """What it holds by the last batch."""
        return self.helds[-1]

    def take(self, batch: Batch) -> None:
        self.observations += batch.observations
        self.faults += batch.faults
        self.left_out += batch.left_out
        assert batch.lines >= self.lines
        assert batch.done >= self.done
        self.lines, self.done = batch.lines, batch.done
        self.helds.append(batch.held)


def readout(path: Path | str, form: str = "", *, reveal: bool = False) -> Readout:
    """Everything in a log."""
    result = Readout()
    with open_source(str(path), Reading(format=form, key=KEY, reveal=reveal)) as source:
        result.format = source.format
        for batch in source.batches():
            result.take(batch)
    return result
