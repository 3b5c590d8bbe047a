"""Hits, wherever they are found: what they cost, and how long they take."""

from __future__ import annotations

import random
from typing import ClassVar

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import Part
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load import requests
from proxy.commands.comparing.load.outcome import Plan
from proxy.commands.comparing.origin.content import ITEMS, SMALL, item
from proxy.commands.comparing.results import Run
from proxy.commands.comparing.standing import Standing
from proxy.commands.comparing.workloads.special import Timed
from proxy.commands.comparing.workloads.steady import Hot, Steady, said

OBJECTS = 2000
"""Objects that are asked for where memory is not to hold them all: about 4 MiB with what belongs to them."""

RATE = 200.0
LINES = 8
_ORDER = 1


class Lane(Hot):
    name = "lane"
    title = "Hits in memory"
    sentence = (
        "One hot object of 1 KiB, all processes of a contender on one core: what more processes and more"
        " tiers cost a hit that is found in memory."
    )
    part = Part.LANE
    base = "memory"


class Spread(Hot):
    name = "spread"
    title = "The same, all cores for all"
    sentence = (
        "The same, where the contender may run on the core of the load too: with two cores the load takes"
        " what the second worker would need, so this is less than two workers can do."
    )
    part = Part.LANE
    base = "memory"
    main = "requests_per_second"
    shown = (
        "requests_per_second",
        "processor_microseconds",
        "p50_milliseconds",
        "p99_milliseconds",
        "errors",
    )
    everywhere: ClassVar[bool] = True


class Passes(Steady):
    name = "disk"
    title = "Hits on disk, each object once in each pass"
    sentence = f"{OBJECTS:,} stored objects of 1 KiB, each asked for once before any is asked for again."
    part = Part.DISK
    connections = 16
    targets = [item(number) for number in range(OBJECTS)]  # noqa: RUF012 - declared by the class it inherits

    def _first(self) -> list[bytes]:
        """Often enough that whatever is done only where something is asked for again has been done."""
        return [*super()._first(), *super()._first()]

    @staticmethod
    def asked() -> list[bytes]:
        """All of them in an order that says nothing."""
        order = random.Random(_ORDER).sample(range(OBJECTS), OBJECTS)
        return [requests.request(item(number), requests.agent(0)) for number in order]


class Wanted(Passes):
    name = "wanted"
    title = "Hits on disk and in memory, some wanted more than others"
    sentence = (
        f"The same {OBJECTS:,} objects in Zipf order (skew 1) by 100 user agents: what is wanted often comes"
        " to be in memory where there is any."
    )

    @staticmethod
    def asked() -> list[bytes]:
        return requests.zipf(items=OBJECTS)


class Shared(Timed):
    name = "valkey"
    title = "Hits in Valkey"
    sentence = (
        f"{ITEMS:,} stored objects of 1 KiB in Zipf order, {RATE:,.0f} requests a second at even intervals"
        f" over {LINES} connections; Valkey, which is asked for each where there is no memory, runs on the"
        " core of the contender."
    )
    part = Part.SHARED
    base = "memory"
    main = "p50_milliseconds"
    shown = (*("p50_milliseconds", "p99_milliseconds", "p999_milliseconds", "late_milliseconds", "errors"),)

    def prepare(self, bench: Bench, standing: Standing) -> None:
        first = bench.requests("items", lambda: [_plain(number % ITEMS) for number in range(2 * ITEMS)])
        plan = Plan(port=standing.place.port, requests=first, connections=LINES, once=True, length=SMALL)
        with bench.own(plan) as generator:
            outcome = generator.run()
        if outcome.errors:
            raise ComparisonError("it does not answer as it should", evidence=said(outcome))

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        plan = Plan(
            port=standing.place.port,
            requests=bench.requests("zipf", requests.zipf),
            connections=LINES,
            seconds=bench.settings.seconds,
            rate=RATE,
            length=SMALL,
        )
        asked = bench.origin_count()
        with bench.own(plan) as generator:
            outcome = generator.run()
        run = self.measure(standing, outcome, number)
        if asked := bench.origin_count() - asked:
            run.complaints.append(f"{asked:,} of {outcome.requests:,} were no hits")
        return run


def _plain(number: int) -> bytes:
    return requests.request(item(number), requests.agent(0))
