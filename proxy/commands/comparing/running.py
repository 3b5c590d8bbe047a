"""Runs a comparison: each workload in several rounds, and in each round every contender in its turn.

The contenders of a workload stand side by side, pinned to one core, and only one has anything to do at a
time; a slow moment of the machine hits all of them alike, and each is compared with the others of its round.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.children import Child
from proxy.commands.comparing.contenders.contract import CONNECTIONS, Contender, Found, Place
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.machine import Cores
from proxy.commands.comparing.results import Result, Row, Settings, summarize
from proxy.commands.comparing.standing import Standing, stand
from proxy.commands.comparing.workloads.contract import Workload
from proxy.message.errors import ConfigurationError

_ORIGIN = "proxy.commands.comparing.origin.process"
_CONTENDERS_FILES = 2.4
"""Files that a server may open for each connection that it is told to expect, and some to spare."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A contender that is installed."""

    contender: Contender
    found: Found

    @property
    def name(self) -> str:
        return self.contender.name


Told = Callable[[str, str], None]
"""Told before each step: the workload's title, and who has its turn at what."""


@contextlib.contextmanager
def benched(
    settings: Settings, cores: Cores, wrk: Found | None, files: int, parent: Path | None = None
) -> Iterator[Bench]:
    """The origin, and a temporary folder that goes with it. Raises ComparisonError, ConfigurationError."""
    try:
        temporary = tempfile.TemporaryDirectory(
            prefix="pellucid-compare-", dir=parent, ignore_cleanup_errors=True
        )
    except OSError as error:
        raise ConfigurationError("no folder for what a comparison writes", evidence=str(error)) from error
    with temporary as name:
        folder = Path(name)
        folder.chmod(0o755)  # some contenders become another user
        with Child(
            "origin", [sys.executable, "-m", _ORIGIN], folder, cores=cores.origin, pipes=True
        ) as origin:
            port = int(origin.receive())
            yield Bench(
                settings=settings, folder=folder, cores=cores, wrk=wrk, origin=(port, origin.pid), files=files
            )


def run_workload(bench: Bench, workload: Workload, entrants: list[Entrant], told: Told) -> Result:
    """All rounds of one workload. Whoever fails is left behind, in its own words; the others go on."""
    taking_part = [one for one in entrants if workload.part in one.contender.parts]
    rows = {one.name: Row(contender=one.name) for one in taking_part}
    with contextlib.ExitStack() as stack:
        stood: dict[str, Standing] = {}
        if not workload.fresh:
            for one in sorted(taking_part, key=lambda one: one.name != workload.base):
                told(workload.title, f"{one.contender.title} gets ready")
                with _failing(rows[one.name]):
                    stood[one.name] = stack.enter_context(_standing(bench, workload, one))
                    with _in_its_own_words(stood[one.name]):
                        workload.prepare(bench, stood[one.name])
        for number in range(bench.settings.repeats):
            for one in _in_turn(taking_part, number):
                row = rows[one.name]
                if row.failed is None:
                    told(workload.title, f"{one.contender.title}, round {number + 1}")
                    with _failing(row):
                        _run(bench, workload, one, stood.get(one.name), row, number)
    summarize(list(rows.values()), workload.base)
    return Result(
        workload=workload.name,
        title=workload.title,
        sentence=workload.sentence,
        load="own" if workload.always_own else bench.settings.load,
        main=workload.main,
        shown=list(workload.shown),
        rows=list(rows.values()),
        base=workload.base,
        warnings=workload.warnings(bench),
    )


def _run(
    bench: Bench, workload: Workload, one: Entrant, standing: Standing | None, row: Row, number: int
) -> None:
    if standing is None:
        with _standing(bench, workload, one, number) as fresh:
            row.runs.append(workload.run(bench, fresh, number))
        return
    with _in_its_own_words(standing):
        row.runs.append(workload.run(bench, standing, number))
    standing.empty_logs()


def _standing(
    bench: Bench, workload: Workload, one: Entrant, number: int = 0
) -> contextlib.AbstractContextManager[Standing]:
    """A contender started in an empty folder of its own."""
    folder = bench.folder / f"{workload.name}-{one.name}-{number}"
    folder.mkdir()
    connections = min(CONNECTIONS, int(bench.files / _CONTENDERS_FILES))
    place = Place(folder, 0, bench.origin_port, connections)
    cores = bench.cores
    return stand(
        one.contender, one.found, place, cores.contender + (cores.load if workload.everywhere else ())
    )


def _in_turn(entrants: list[Entrant], number: int) -> list[Entrant]:
    """Everyone, each round beginning with another."""
    start = number % max(1, len(entrants))
    return entrants[start:] + entrants[:start]


@contextlib.contextmanager
def _in_its_own_words(standing: Standing) -> Iterator[None]:
    """Where something fails because a contender has ended, what it said itself tells more."""
    try:
        yield
    except ComparisonError:
        standing.check()
        raise


@contextlib.contextmanager
def _failing(row: Row) -> Iterator[None]:
    """What goes wrong with one contender is said in its row."""
    try:
        yield
    except ComparisonError as error:
        row.failed = str(error)
    except OSError as error:
        row.failed = f"{type(error).__name__}: {error}"
