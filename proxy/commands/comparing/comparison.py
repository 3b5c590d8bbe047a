"""`pellucid compare proxies`, from what was wanted to its report."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import Contender, Found, Place
from proxy.commands.comparing.contenders.everyone import EVERYONE
from proxy.commands.comparing.contenders.finding import SYSTEM
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.figures import AIMS, Aim, figures
from proxy.commands.comparing.load.wrk import find_wrk
from proxy.commands.comparing.machine import Cores, describe, require_linux, share_out
from proxy.commands.comparing.procfs import machine_seconds
from proxy.commands.comparing.results import BASE, FORMAT, Compared, Report, Result, Settings
from proxy.commands.comparing.running import Entrant, Told, benched, run_workload
from proxy.commands.comparing.workloads.all_workloads import WORKLOADS
from proxy.commands.comparing.workloads.contract import Workload
from proxy.message.errors import ConfigurationError
from proxy.server.process import allow_files

_FILES = 20_000
"""Files that a comparison would like to open at once."""
_ROOM = 2 << 30
_BUSY = 0.1
_EXAMPLE = Place(Path("FOLDER"), 8080, 8090)
"""Where the report says that each was started: the real folder and ports are other ones each time."""

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. `only` and `workloads` are empty for all, `load` for what is there."""

    only: tuple[str, ...]
    workloads: tuple[str, ...]
    repeats: int
    seconds: float
    connections: int
    load: str
    command: tuple[str, ...]


def compare(wanted: Wanted, told: Told, begun: Callable[[int], None]) -> Report:
    """Run it all. `begun` hears how many steps there will be. Raises ComparisonError, ConfigurationError."""
    contenders = named("contender", wanted.only, {one.name: one for one in EVERYONE})
    workloads = [kind() for kind in named("workload", wanted.workloads, WORKLOADS)]
    return measure(wanted, contenders, workloads, told, begun)


def measure(
    wanted: Wanted,
    contenders: Sequence[Contender],
    workloads: Sequence[Workload],
    told: Told,
    begun: Callable[[int], None],
    *,
    form: str = FORMAT,
    aims: Sequence[Aim] = AIMS,
    ready: Callable[[Bench], None] = lambda _: None,
) -> Report:
    """Measure these contenders in these workloads, once all is `ready`; `aims` make the summary.

    Raises ComparisonError, ConfigurationError.
    """
    require_linux()
    began, taken = time.monotonic(), _taken_by_others()
    wrk = find_load(wanted.load)
    entrants, compared = _enter(contenders)
    cores, files = share_out(), allow_files(_FILES)
    settings = _measured_by(wanted, wrk)
    begun(sum(_steps(one.part in each.contender.parts, settings) for one in workloads for each in entrants))
    results: list[Result] = []
    with benched(settings, cores, wrk, files) as bench:
        ready(bench)
        for workload in workloads:
            results.append(run_workload(bench, workload, entrants, told))
            _remember(bench, results[-1])
    if not any(row.runs for result in results for row in result.rows):
        failures = [row.failed for result in results for row in result.rows if row.failed]
        raise ComparisonError("nothing could be measured", evidence="; ".join(failures[:3]))
    return Report(
        format=form,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        command=list(wanted.command),
        seconds=round(time.monotonic() - began, 1),
        machine=describe(),
        cores=cores,
        settings=settings,
        contenders=compared,
        workloads=results,
        figures=figures(results, [one.name for one in compared], aims),
        warnings=_warnings(cores, entrants, (_taken_by_others() - taken) / (time.monotonic() - began)),
    )


def _taken_by_others() -> float:
    """Processor time of the machine so far that was neither ours nor our ended children's."""
    own = os.times()
    return machine_seconds() - (own.user + own.system + own.children_user + own.children_system)


def _measured_by(wanted: Wanted, wrk: Found | None) -> Settings:
    """How it is measured: wrk knows whole seconds only."""
    return Settings(
        repeats=wanted.repeats,
        seconds=wanted.seconds if wrk is None else max(1.0, float(round(wanted.seconds))),
        connections=wanted.connections,
        load="own" if wrk is None else "wrk",
        load_version="" if wrk is None else wrk.version,
    )


def find_load(wanted: str) -> Found | None:
    """wrk, unless ours is wanted, or there is no wrk and nobody asked for it. Raises ConfigurationError."""
    if wanted == "own":
        return None
    try:
        return find_wrk()
    except ComparisonError as error:
        if wanted == "wrk":
            raise ConfigurationError("wrk is not installed: --load own does without it") from error
        return None


def named(what: str, names: Sequence[str], known: Mapping[str, _Kind]) -> list[_Kind]:
    """Those that are named, or all where none is, in the usual order. Raises ConfigurationError."""
    for name in names:
        if name not in known:
            listed = ", ".join(known)
            raise ConfigurationError(f"there is no {what} of that name (there are {listed})", evidence=name)
    return [kind for name, kind in known.items() if not names or name in names]


def _enter(contenders: Sequence[Contender]) -> tuple[list[Entrant], list[Compared]]:
    """Who is installed, and what the report says of each. Raises ConfigurationError where nobody is."""
    entrants, compared = [], []
    for one in contenders:
        described = Compared(name=one.name, title=one.title, log=one.log, note=one.note)
        compared.append(described)
        try:
            found = one.find()
        except ComparisonError as error:
            described.left_out = str(error)
            continue
        entrants.append(Entrant(one, found))
        launch = one.launch(found, _EXAMPLE)
        described.version, described.path, described.source = found.version, found.path, found.source
        described.command, described.files = launch.command, dict(launch.files)
        if launch.helper:
            described.command += ["+", *launch.helper]
    if not entrants:
        reasons = "; ".join(str(one.left_out) for one in compared)
        raise ConfigurationError("none of these contenders is installed", evidence=reasons)
    return entrants, compared


def _steps(takes_part: bool, settings: Settings) -> int:
    return settings.repeats if takes_part else 0


def _remember(bench: Bench, result: Result) -> None:
    """What full load is, for the workload that asks at half of it."""
    if result.workload == "hot":
        for row in result.rows:
            if "requests_per_second" in row.measures:
                bench.full_load[row.contender] = row.measures["requests_per_second"].median


def _warnings(cores: Cores, entrants: Sequence[Entrant], others: float) -> list[str]:
    """What makes all figures worth less; `others` is how many cores other programs kept busy meanwhile."""
    found = []
    if not cores.apart:
        found.append("only one core: the load takes its processor time from those who are measured")
    if others > _BUSY:
        found.append(
            f"other programs kept {others:.1f} cores busy meanwhile: times are longer than on a quiet machine"
        )
    base = next((one for one in entrants if one.name == BASE), None)
    if base is not None and base.found.source != SYSTEM:
        found.append(
            f"nginx is {base.found.source}'s, a static build that needs about twice the processor time of"
            " a distribution's: ratios to it flatter the others"
        )
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < _ROOM:
        found.append(f"only {free >> 20:,} MiB are free where the logs are written ({tempfile.gettempdir()})")
    return found
