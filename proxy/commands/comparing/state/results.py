"""What the measurement came to, as it stands in its JSON report: these names are stable."""

from __future__ import annotations

import msgspec

from proxy.commands.comparing.machine import Machine
from proxy.commands.comparing.spread import Spread, spread
from proxy.commands.comparing.state.shopping.account import Account, Timeline
from proxy.commands.comparing.state.shopping.outcome import Traffic

FORMAT = "pellucid/compare-state/1"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How it was measured. `seconds` is how long each run goes on after the blow; `seed` makes the mix."""

    repeats: int
    seconds: float
    quick: bool
    seed: int = 1
    shoppers: int = 24
    think: float = 0.1
    rate: float = 100.0
    scale_rate: float = 60.0
    scale_shoppers: int = 30
    visits: int = 4
    most: int = 100_000
    lines: tuple[int, ...] = (0, 1, 5, 20, 50, 100)
    drills: int = 80
    scenarios: tuple[str, ...] = ("kill", "deploy", "hang", "cut")
    steps: tuple[float, ...] = (0.0, 0.1, 0.3, 1.0)


class Row(msgspec.Struct, kw_only=True):
    """One variant's value of a figure, `at` a place of its axis where it has one. Every sample is kept."""

    variant: str
    at: float | None = None
    samples: list[float]
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, variant: str, at: float | None, samples: list[float]) -> Row:
        """Of at least one sample."""
        found = spread(samples)
        return cls(
            variant=variant, at=at, samples=samples, median=found.median, low=found.low, high=found.high
        )

    @property
    def spread(self) -> Spread:
        """Median, smallest and largest."""
        return Spread(self.median, self.low, self.high)


class Figure(msgspec.Struct, kw_only=True):
    """One thing that was measured; the fields are those of `figures.Kind`."""

    name: str
    part: str
    title: str
    unit: str
    better: str
    sentence: str
    axis: str
    rows: list[Row]

    def row(self, variant: str, at: float | None = None) -> Row | None:
        """Of one variant, at a place, where it was measured."""
        return next((one for one in self.rows if one.variant == variant and one.at == at), None)


class Run(msgspec.Struct, kw_only=True):
    """One run of shoppers, with its account. `faults` say where that doesn't balance: there should be none.

    `blow` and `healed` are seconds since the run began, where something was done to a replica.
    """

    part: str
    scenario: str
    variant: str
    round: int
    account: Account
    timeline: Timeline
    traffic: Traffic
    seconds: float
    faults: list[str]
    blow: float | None = None
    healed: float | None = None


class Cause(msgspec.Struct, kw_only=True):
    """Something that sent requests to the origin, as `pellucid inspect` says it."""

    cause: str
    sentence: str
    section: str
    requests: int
    share: float


class Hidden(msgspec.Struct, kw_only=True):
    """What `pellucid inspect` says of one variant's log: what hides the rest. `share` is of all requests."""

    variant: str
    exchanges: int
    causes: list[Cause]
    credentials: list[str]
    findings: list[str]


class Described(msgspec.Struct, kw_only=True):
    """A variant as it was started; `left_out` says why it was not."""

    name: str
    title: str
    where: str
    stateless: bool
    balance: str
    command: list[str]
    left_out: str | None = None


class Report(msgspec.Struct, kw_only=True):
    """Everything. `made` is a time in UTC, `command` what was called, `seconds` how long it took.

    `complaints` say what went wrong: an account that doesn't balance, a variant that could not go on.
    """

    format: str = FORMAT
    made: str
    command: list[str]
    seconds: float
    interrupted: bool
    machine: Machine
    store: str
    settings: Settings
    variants: list[Described]
    figures: list[Figure]
    hidden: list[Hidden]
    runs: list[Run]
    complaints: list[str]
    warnings: list[str]

    def title(self, variant: str) -> str:
        """What a variant is called."""
        return next((one.title for one in self.variants if one.name == variant), variant)

    def figure(self, name: str) -> Figure | None:
        """A figure by its name, where it was measured."""
        return next((one for one in self.figures if one.name == name), None)
