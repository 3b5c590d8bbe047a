"""What all workloads share: the origin, the load generator, the files of requests, the cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from proxy.commands.comparing.asking import get
from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.load.outcome import Outcome, Plan
from proxy.commands.comparing.load.own import Generator, generator
from proxy.commands.comparing.load.requests import write
from proxy.commands.comparing.load.wrk import run_wrk
from proxy.commands.comparing.machine import Cores
from proxy.commands.comparing.origin.process import COUNT
from proxy.commands.comparing.procfs import processor_seconds
from proxy.commands.comparing.results import Settings


class Bench:
    """One comparison's tools. `wrk` is None where the generator of ours makes all load."""

    def __init__(
        self,
        *,
        settings: Settings,
        folder: Path,
        cores: Cores,
        wrk: Found | None,
        origin: tuple[int, int],
        files: int,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.cores = cores
        self.wrk = wrk
        self.origin_port, self._origin_pid = origin
        self.files = files
        self.full_load: dict[str, float] = {}
        self._loads = 0

    def requests(self, name: str, make: Callable[[], Sequence[bytes]]) -> str:
        """The path of a file of requests, which are made when they are first needed."""
        path = self.folder / f"requests-{name}"
        if not path.exists():
            write(make(), path)
        return str(path)

    def load(self, plan: Plan) -> Outcome:
        """As fast as it is answered, by wrk where it is there. Raises ComparisonError."""
        self._loads += 1
        if self.wrk is not None:
            return run_wrk(self.wrk, plan, self.folder, self.cores.load, self._loads)
        with self.own(plan) as generator:
            return generator.run()

    def own(self, plan: Plan) -> AbstractContextManager[Generator]:
        """The generator of ours with its connections open. Raises ComparisonError."""
        return generator(plan, self.folder, self.cores.load)

    def origin_count(self, target: str | None = None) -> int:
        """How many requests the origin has had, in all or for one target."""
        return int(get(self.origin_port, COUNT + (f"?{target}" if target else "")).content)

    def origin_seconds(self) -> float:
        """The origin's processor time so far."""
        return processor_seconds([self._origin_pid])

    def busy(self, outcome: Outcome, origin_seconds: float) -> float:
        """The busiest core but the contender's, as a share of the time that a load took."""
        shared = self.cores.origin == self.cores.load
        seconds = outcome.processor + origin_seconds if shared else max(outcome.processor, origin_seconds)
        return seconds / outcome.seconds
