"""`pellucid compare stores`, from what was wanted to its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.comparison import (
    FILES,
    Wanted,
    enter,
    find_load,
    measured_by,
    named,
    taken_by_others,
    warned,
)
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.figures import figures
from proxy.commands.comparing.machine import describe, require_linux, share_out
from proxy.commands.comparing.results import Report
from proxy.commands.comparing.running import Told, benched, run_workload
from proxy.commands.comparing.state.stage.store import find_store, start_store
from proxy.commands.comparing.stores.aims import AIMS
from proxy.commands.comparing.stores.hits import Lane, Passes, Shared, Spread
from proxy.commands.comparing.stores.hits import Wanted as WantedMore
from proxy.commands.comparing.stores.purging import FleetPurge, Purge, Tag
from proxy.commands.comparing.stores.restarting import Restart
from proxy.commands.comparing.stores.variants import Valkey, variants
from proxy.commands.comparing.workloads.contract import Workload
from proxy.server.process import allow_files

FORMAT = "pellucid/compare-stores/1"
_KINDS: tuple[type[Workload], ...] = (
    *(Lane, Spread, Passes, WantedMore, Shared, Restart, Purge, FleetPurge, Tag),
)
WORKLOADS = {kind.name: kind for kind in _KINDS}


def compare(wanted: Wanted, told: Told, begun: Callable[[int], None]) -> Report:
    """Run it all, or the workloads that are wanted. Raises ComparisonError, ConfigurationError."""
    require_linux()
    began, taken = time.monotonic(), taken_by_others()
    wrk = find_load(wanted.load)
    workloads = [kind() for kind in named("figure", wanted.workloads, WORKLOADS)]
    valkey, parts = Valkey(), {one.part for one in workloads}
    entrants, compared = enter([one for one in variants(valkey) if one.parts & parts])
    cores, files = share_out(), allow_files(FILES)
    settings = measured_by(wanted, wrk)
    begun(settings.repeats * sum(one.part in each.contender.parts for one in workloads for each in entrants))
    with benched(settings, cores, wrk, files) as bench:
        _start_valkey(bench, valkey)
        results = [run_workload(bench, workload, entrants, told) for workload in workloads]
    failures = [row.failed for result in results for row in result.rows if row.failed]
    if not any(row.runs for result in results for row in result.rows):
        raise ComparisonError("nothing could be measured", evidence="; ".join(failures[:3]))
    others = (taken_by_others() - taken) / (time.monotonic() - began)
    return Report(
        format=FORMAT,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        command=list(wanted.command),
        seconds=round(time.monotonic() - began, 1),
        machine=describe(),
        cores=cores,
        settings=settings,
        contenders=compared,
        workloads=results,
        figures=figures(results, [one.name for one in compared], AIMS),
        warnings=warned(cores, entrants, others),
    )


def _start_valkey(bench: Bench, valkey: Valkey) -> None:
    """One for all, on the contenders' core, where there is one; it ends with all others."""
    try:
        found = find_store()
    except ComparisonError:
        return  # who needs it has been left out
    folder = bench.folder / "valkey"
    folder.mkdir()
    valkey.port = start_store(found, folder, bench.cores.contender).port
