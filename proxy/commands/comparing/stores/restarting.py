"""What is still there after a restart: the hit ratio before and after it."""

from __future__ import annotations

from typing import ClassVar

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import Part, Place
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load import requests
from proxy.commands.comparing.load.outcome import Plan
from proxy.commands.comparing.origin.content import SMALL
from proxy.commands.comparing.results import Run
from proxy.commands.comparing.standing import Standing, stand
from proxy.commands.comparing.workloads.contract import Workload
from proxy.commands.comparing.workloads.steady import said

ITEMS = 2000
WARM = 12_000
WINDOW = 8000
LINES = 16
KILLED = "killed"
"""The contender that is ended by SIGKILL."""


class Restart(Workload):
    name = "restart"
    title = "A restart"
    sentence = (
        f"{ITEMS:,} objects in Zipf order (skew 1), more than fit on the disk: {WARM:,} requests, so that"
        f" those to keep have long been chosen, then {WINDOW:,} before the restart and as many others right"
        " after it. Those stand for a minute of some 130 requests a second: what counts is how many there"
        " were, so they come as fast as they are answered. Chance alone moves the ratio by half a percent"
        " from round to round, as it does without a restart."
    )
    part = Part.RESTART
    base = "restarted"
    main = "kept_ratio"
    shown = ("kept_ratio", "hit_ratio", "hit_ratio_after", "start_milliseconds", "errors")
    always_own: ClassVar[bool] = True
    fresh: ClassVar[bool] = True

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        contender, folder = standing.contender, standing.place.folder
        self._part(bench, standing, 3 * number, WARM)
        before, wrong = self._part(bench, standing, 3 * number + 1, WINDOW)
        standing.end(killed=contender.name == KILLED)
        place = Place(folder, 0, bench.origin_port)
        with stand(contender, contender.find(), place, bench.cores.contender) as again:
            after, errors = self._part(bench, again, 3 * number + 2, WINDOW)
            started = again.started
        run = Run(round=number, measures={"hit_ratio": before, "hit_ratio_after": after})
        run.measures["kept_ratio"] = after / before if before else 0.0
        run.measures["start_milliseconds"] = started * 1e3
        run.measures["errors"] = wrong + errors
        return run

    def _part(self, bench: Bench, standing: Standing, part: int, length: int) -> tuple[float, int]:
        """The hit ratio of the next so many requests, and how many were not answered as they should be."""
        asked = bench.requests(
            f"restart-{part}", lambda: requests.zipf(length=length, items=ITEMS, part=part + 1)
        )
        plan = Plan(port=standing.place.port, requests=asked, connections=LINES, once=True, length=SMALL)
        before = bench.origin_count()
        with bench.own(plan) as generator:
            outcome = generator.run()
        standing.check()
        if not outcome.requests:
            raise ComparisonError(f"{standing.contender.name} answered nothing", evidence=said(outcome))
        return 1 - (bench.origin_count() - before) / length, outcome.errors
