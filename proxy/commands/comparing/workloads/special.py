"""Workloads that only a load generator of ours can make: at once, at a rate, over idle connections."""

from __future__ import annotations

from typing import ClassVar

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import Part
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load import requests
from proxy.commands.comparing.load.outcome import Outcome, Plan
from proxy.commands.comparing.origin.content import HOT, SMALL, cold
from proxy.commands.comparing.procfs import resident_bytes, settled_seconds
from proxy.commands.comparing.results import BASE, Run
from proxy.commands.comparing.standing import Standing
from proxy.commands.comparing.workloads.contract import Workload
from proxy.commands.comparing.workloads.steady import latencies, said

CROWD = 1000
IDLE = 5000
ACTIVE = 20
ACTIVE_RATE = 1000.0
FASTEST = 25_000.0
"""The highest rate that the generator of ours keeps with time to spare."""

_PROBE = 1.0
_LATE = 0.001
_LATENESS = "the load generator sent more than 1 % of the requests over 1 ms late, which counts as waiting"
_SPARE_FILES = 300


class Stampede(Workload):
    name = "stampede"
    title = "Stampede on a cold object"
    sentence = f"{CROWD:,} clients ask at once for an object that isn't stored and takes the origin 200 ms."
    part = Part.STAMPEDE
    main = "origin_requests"
    shown = ("origin_requests", "whole_milliseconds", "p50_milliseconds", "errors", "resident_mebibytes")
    always_own: ClassVar[bool] = True

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        target = cold(standing.place.port * 1000 + number)
        asked = bench.requests(f"cold-{standing.contender.name}-{number}", lambda: requests.one(target))
        plan = Plan(port=standing.place.port, requests=asked, connections=CROWD, burst=True, length=SMALL)
        with bench.own(plan) as generator:
            outcome = generator.run()
        standing.check()
        run = Run(round=number, measures=latencies(outcome), complaints=list(outcome.complaints))
        run.measures["whole_milliseconds"] = outcome.seconds * 1e3
        run.measures["origin_requests"] = bench.origin_count(target)
        run.measures["errors"] = outcome.errors + standing.differs(target)
        run.measures["resident_mebibytes"] = resident_bytes(standing.pids) / (1 << 20)
        return run


class Timed(Workload):
    """Hits at a given rate; what they take runs from when each was due."""

    part = Part.HITS
    always_own: ClassVar[bool] = True

    def measure(self, standing: Standing, outcome: Outcome, number: int) -> Run:
        """What came of it, as far as the rate is concerned."""
        standing.check()
        run = Run(round=number, measures=latencies(outcome), complaints=list(outcome.complaints))
        run.measures["errors"] = outcome.errors + standing.differs(HOT)
        late = outcome.late or 0.0
        run.measures["late_milliseconds"] = late * 1e3
        if late > _LATE:
            run.complaints.append(_LATENESS)
        return run


class Half(Timed):
    name = "half"
    title = "Hits at half of full load"
    sentence = (
        f"The hot object at an even rate that is the same for all, so that the same work is compared: half of"
        f" what {BASE} can do here, and at most {FASTEST:,.0f} a second, which the load generator can keep."
    )
    main = "p99_milliseconds"
    shown = (
        *("p50_milliseconds", "p99_milliseconds", "p999_milliseconds", "processor_microseconds"),
        *("requests_per_second", "late_milliseconds", "errors"),
    )

    def __init__(self) -> None:
        self._rate: float | None = None
        self._whose = ""

    def prepare(self, bench: Bench, standing: Standing) -> None:
        """The first to be prepared, which is the base where it takes part, says what full load is."""
        if standing.differs(HOT):
            raise ComparisonError(f"{standing.contender.name} does not answer as it should")
        if self._rate is None:
            full = bench.full_load.get(standing.contender.name)
            if full is None:
                outcome = bench.load(self._plan(bench, standing, _PROBE, None))
                full = outcome.requests / outcome.seconds
            self._rate = min(FASTEST, full / 2)
            self._whose = standing.contender.title
        with bench.own(self._plan(bench, standing, min(_PROBE, bench.settings.seconds), None)) as generator:
            generator.run()

    def _plan(self, bench: Bench, standing: Standing, seconds: float, rate: float | None) -> Plan:
        return Plan(
            port=standing.place.port,
            requests=bench.requests("hot", lambda: requests.one(HOT)),
            connections=bench.settings.connections,
            seconds=seconds,
            rate=rate,
            length=SMALL,
        )

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        before = settled_seconds(standing.pids)
        with bench.own(self._plan(bench, standing, bench.settings.seconds, self._rate)) as generator:
            outcome = generator.run()
        spent = settled_seconds(standing.pids) - before
        run = self.measure(standing, outcome, number)
        run.measures["requests_per_second"] = outcome.requests / outcome.seconds
        run.measures["processor_microseconds"] = spent / max(1, outcome.requests) * 1e6
        return run

    def warnings(self, bench: Bench) -> list[str]:
        if self._rate is None:
            return []
        why = f"half of what {self._whose} did at full load"
        if self._rate == FASTEST:
            why = "the fastest that the load generator keeps"
        return [f"the rate was {self._rate:,.0f} requests a second, {why}"]


class Idle(Timed):
    name = "idle"
    title = f"{IDLE:,} mostly idle connections"
    sentence = (
        f"{IDLE:,} connections that have asked once and stay open, while {ACTIVE} others ask for the hot"
        f" object {ACTIVE_RATE:,.0f} times a second."
    )
    main = "connection_kibibytes"
    shown = (
        *("connection_kibibytes", "resident_mebibytes", "p50_milliseconds", "p99_milliseconds"),
        *("p999_milliseconds", "late_milliseconds", "errors"),
    )

    def __init__(self) -> None:
        self._before: dict[str, int] = {}

    def number(self, bench: Bench) -> int:
        """How many idle connections this machine allows."""
        return max(0, min(IDLE, (bench.files - _SPARE_FILES) // 2))

    def _plan(self, bench: Bench, standing: Standing, idle: int) -> Plan:
        return Plan(
            port=standing.place.port,
            requests=bench.requests("hot", lambda: requests.one(HOT)),
            connections=ACTIVE,
            seconds=bench.settings.seconds,
            rate=ACTIVE_RATE,
            idle=idle,
            length=SMALL,
        )

    def prepare(self, bench: Bench, standing: Standing) -> None:
        """The same without the idle connections: what is held then is not theirs."""
        with bench.own(self._plan(bench, standing, 0)) as generator:
            outcome = generator.run()
            self._before[standing.contender.name] = resident_bytes(standing.pids)
        if not outcome.requests:
            raise ComparisonError(f"{standing.contender.name} answered nothing", evidence=said(outcome))

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        idle = self.number(bench)
        with bench.own(self._plan(bench, standing, idle)) as generator:
            outcome = generator.run()
            held = resident_bytes(standing.pids)
        run = self.measure(standing, outcome, number)
        added = held - self._before[standing.contender.name]
        run.measures["connection_kibibytes"] = added / max(1, idle) / 1024
        run.measures["resident_mebibytes"] = held / (1 << 20)
        return run

    def warnings(self, bench: Bench) -> list[str]:
        number = self.number(bench)
        if number == IDLE:
            return []
        return [f"only {number:,} connections: no more files may be open here (`ulimit -n`)"]


class Start(Workload):
    name = "start"
    title = "From start to first answer"
    sentence = "The process is started, and asked until it answers with what the origin says."
    part = Part.START
    main = "start_milliseconds"
    shown = ("start_milliseconds", "resident_mebibytes")
    always_own: ClassVar[bool] = True
    fresh: ClassVar[bool] = True

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        run = Run(round=number, measures={"start_milliseconds": standing.started * 1e3})
        run.measures["resident_mebibytes"] = resident_bytes(standing.pids) / (1 << 20)
        return run
