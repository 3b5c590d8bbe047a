"""What a comparison came to, as it stands in its JSON report: these names are stable."""

from __future__ import annotations

import msgspec

from proxy.commands.comparing.machine import Cores, Machine
from proxy.commands.comparing.spread import Spread, ratios, spread

FORMAT = "pellucid/compare-proxies/1"
BASE = "nginx"
"""Whom the others are related to."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How it was measured: seconds of each run, connections, and by which load generator."""

    repeats: int
    seconds: float
    connections: int
    load: str
    load_version: str


class Measured(msgspec.Struct, frozen=True):
    """One measure over all rounds, and its ratio to the base in the same rounds."""

    median: float
    low: float
    high: float
    ratio: Spread | None


class Run(msgspec.Struct, kw_only=True):
    """One round: the figures by the measures' names, and what was not as it should be, in words."""

    round: int
    measures: dict[str, float]
    complaints: list[str] = []


class Row(msgspec.Struct, kw_only=True):
    """One contender in one workload. `failed` says in which way it could not go on."""

    contender: str
    runs: list[Run] = []
    measures: dict[str, Measured] = {}
    failed: str | None = None

    def values(self, measure: str) -> dict[int, float]:
        """What it came to in each round."""
        return {run.round: run.measures[measure] for run in self.runs if measure in run.measures}


class Result(msgspec.Struct, kw_only=True):
    """One workload: `main` is the measure that it is about, `shown` are all that are worth showing.

    `base` is whom the others are related to.
    """

    workload: str
    title: str
    sentence: str
    load: str
    main: str
    shown: list[str]
    rows: list[Row]
    warnings: list[str] = []
    base: str = BASE

    def row(self, contender: str) -> Row | None:
        """Of one contender, where it took part."""
        return next((row for row in self.rows if row.contender == contender), None)


class Compared(msgspec.Struct, kw_only=True):
    """A contender as it was started; `left_out` says why it was not."""

    name: str
    title: str
    log: str
    note: str = ""
    version: str = ""
    path: str = ""
    source: str = ""
    command: list[str] = []
    files: dict[str, str] = {}
    left_out: str | None = None


class Figure(msgspec.Struct, kw_only=True):
    """One line of the summary, and what is aimed at; `value`, `low` and `high` are None where unmeasured."""

    name: str
    title: str
    sentence: str
    workload: str
    contenders: list[str]
    unit: str
    value: float | None
    low: float | None
    high: float | None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether it is as good as it is aimed at; None where it was not measured."""
        if self.value is None:
            return None
        shown = round(self.value, 2)  # what is read is what is judged
        if self.at_most is not None:
            return shown <= self.at_most
        return self.at_least is None or shown >= self.at_least


class Report(msgspec.Struct, kw_only=True):
    """Everything. `made` is a time in UTC, `command` what was called, `seconds` how long it took."""

    format: str = FORMAT
    made: str
    command: list[str]
    seconds: float
    machine: Machine
    cores: Cores
    settings: Settings
    contenders: list[Compared]
    workloads: list[Result]
    figures: list[Figure]
    warnings: list[str]

    @property
    def subject(self) -> str:
        """What was compared: the name of the command."""
        return self.format.split("/")[1].removeprefix("compare-")

    def title(self, contender: str) -> str:
        """What a contender is called."""
        return next((one.title for one in self.contenders if one.name == contender), contender)


def summarize(rows: list[Row], base: str = BASE) -> None:
    """Fill in each row's medians, spreads and ratios to the base, from its runs."""
    beside = next((row for row in rows if row.contender == base), None)
    for row in rows:
        names = dict.fromkeys(name for run in row.runs for name in run.measures)
        for name in names:
            values = row.values(name)
            found = spread(list(values.values()))
            ratio = ratios(values, beside.values(name)) if beside is not None and beside is not row else None
            row.measures[name] = Measured(found.median, found.low, found.high, ratio)
