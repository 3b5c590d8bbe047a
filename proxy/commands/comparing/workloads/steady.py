"""Workloads that ask as fast as they are answered, over a fixed number of connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import Part
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load import requests
from proxy.commands.comparing.load.outcome import Outcome, Plan
from proxy.commands.comparing.origin.content import HOT, ITEMS, LARGE, SMALL, item, private
from proxy.commands.comparing.procfs import resident_bytes, settled_seconds
from proxy.commands.comparing.results import Run
from proxy.commands.comparing.standing import Standing
from proxy.commands.comparing.workloads.contract import Workload

LIMIT = 0.9
"""From this share of its core on, the load generator is said to have been at its limit."""

_STRAY = 0.001
_WARM = 0.5
_SAMPLES = (0, 1, 7)
_USUAL = (
    *("processor_microseconds", "requests_per_second", "p50_milliseconds", "p99_milliseconds"),
    *("p999_milliseconds", "resident_mebibytes", "errors", "generator_percent"),
)


class Steady(Workload):
    """Each connection asks anew as soon as it is answered, once everything that may be stored is stored."""

    part: ClassVar[Part] = Part.HITS
    main: ClassVar[str] = "processor_microseconds"
    shown: ClassVar[tuple[str, ...]] = _USUAL
    length: ClassVar[int] = SMALL
    connections: ClassVar[int | None] = None
    """At most so many, where that matters."""

    traced: ClassVar[bool] = False
    targets: ClassVar[Sequence[str]] = [HOT]
    """What is asked for twice before anything is measured: all that is asked for afterwards."""

    asked: Callable[[], Sequence[bytes]]

    def prepare(self, bench: Bench, standing: Standing) -> None:
        first = bench.requests(f"{self.name}-first", self._first)
        plan = Plan(port=standing.place.port, requests=first, connections=8, once=True, length=self.length)
        with bench.own(plan) as generator:
            outcome = generator.run()
        if outcome.errors:
            raise ComparisonError(
                f"{standing.contender.name} does not answer as it should", evidence=said(outcome)
            )
        bench.load(self._plan(bench, standing, min(_WARM, bench.settings.seconds)))

    def _first(self) -> list[bytes]:
        """Everything once so that it is stored, and once more so that it has been found there."""
        twice = [*self.targets, *self.targets]
        return [requests.request(target, requests.agent(number % 7)) for number, target in enumerate(twice)]

    def _plan(self, bench: Bench, standing: Standing, seconds: float) -> Plan:
        number = bench.settings.connections
        return Plan(
            port=standing.place.port,
            requests=bench.requests(self.name, self.asked),
            connections=min(number, self.connections or number),
            seconds=seconds,
            traced=self.traced,
            length=self.length,
        )

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        plan = self._plan(bench, standing, bench.settings.seconds)
        asked, origin = bench.origin_count(), bench.origin_seconds()
        before = settled_seconds(standing.pids)
        outcome = bench.load(plan)
        busy = bench.busy(outcome, bench.origin_seconds() - origin)
        spent = settled_seconds(standing.pids) - before
        asked = bench.origin_count() - asked
        standing.check()
        if not outcome.requests:
            raise ComparisonError(f"{standing.contender.name} answered nothing", evidence=said(outcome))
        run = Run(round=number, measures=latencies(outcome), complaints=list(outcome.complaints))
        run.measures["processor_microseconds"] = spent / outcome.requests * 1e6
        run.measures["requests_per_second"] = outcome.requests / outcome.seconds
        run.measures["resident_mebibytes"] = resident_bytes(standing.pids) / (1 << 20)
        run.measures["origin_requests"] = asked
        run.measures["generator_percent"] = busy * 100
        if self.length > SMALL:
            run.measures["megabytes_per_second"] = outcome.content / outcome.seconds / 1e6
        wrong = sum(standing.differs(self.targets[index % len(self.targets)]) for index in _SAMPLES)
        run.measures["errors"] = outcome.errors + wrong
        self._judge(run, outcome, wrong, busy)
        return run

    def _judge(self, run: Run, outcome: Outcome, wrong: int, busy: float) -> None:
        """Say what was not as it should have been."""
        asked = run.measures["origin_requests"]
        if self.part is Part.HITS and asked > _STRAY * outcome.requests:
            run.complaints.append(f"{asked:,.0f} of {outcome.requests:,} were no hits")
        if self.part is Part.PASSING and asked < (1 - _STRAY) * outcome.requests:
            run.complaints.append("answers that must not be stored came out of a cache")
        if wrong:
            run.complaints.append("an answer was not the origin's")
        if busy > LIMIT:
            run.complaints.append(f"the load generator was at its limit ({busy:.0%} of a core)")


def latencies(outcome: Outcome) -> dict[str, float]:
    """The percentiles as measures."""
    return {
        "p50_milliseconds": outcome.p50 * 1e3,
        "p99_milliseconds": outcome.p99 * 1e3,
        "p999_milliseconds": outcome.p999 * 1e3,
    }


def said(outcome: Outcome) -> str:
    """What the load generator had to complain of."""
    return ", ".join(outcome.complaints) or "no complaint, and no answer"


class Hot(Steady):
    name = "hot"
    title = "One hot object"
    sentence = "1 KiB of JSON that is stored, asked for again and again by one user agent."
    asked = staticmethod(lambda: requests.one(HOT))


class Zipf(Steady):
    name = "zipf"
    title = "1,000 objects by 100 user agents"
    sentence = "1,000 stored objects of 1 KiB, asked for in Zipf order (skew 1) by 100 user agents."
    targets = [item(number) for number in range(ITEMS)]  # noqa: RUF012 - declared by the class it inherits
    asked = staticmethod(requests.zipf)


class Traced(Steady):
    name = "traced"
    title = "The same, a new trace id in each request"
    sentence = (
        "The same 1,000 objects and agents; each request has another traceparent, so that no two are equal."
    )
    targets = Zipf.targets
    traced = True
    asked = staticmethod(lambda: requests.zipf(traced=True))


class Passing(Steady):
    name = "passing"
    title = "Passing through"
    sentence = (
        "1,000 objects of 1 KiB of JSON that must not be stored: each request goes to the origin, over a kept"
        " connection. Each object has been asked for twice before."
    )
    part = Part.PASSING
    targets = [private(number) for number in range(ITEMS)]  # noqa: RUF012 - declared by the class it inherits
    asked = staticmethod(requests.uncacheable)


class Large(Steady):
    name = "large"
    title = "10 MiB objects"
    sentence = "One stored object of 10 MiB, over at most 8 connections."
    main = "megabytes_per_second"
    shown = ("megabytes_per_second", "processor_microseconds", *_USUAL[2:])
    targets = ("/large",)
    length = LARGE
    connections = 8
    asked = staticmethod(lambda: requests.one("/large"))
