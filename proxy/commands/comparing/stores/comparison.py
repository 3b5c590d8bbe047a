"""`pellucid compare stores`, from what was wanted to its report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.comparison import Wanted, measure, named
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.results import Report
from proxy.commands.comparing.running import Told
from proxy.commands.comparing.state.stage.store import find_store, start_store
from proxy.commands.comparing.stores.aims import AIMS
from proxy.commands.comparing.stores.hits import Lane, Passes, Shared, Spread
from proxy.commands.comparing.stores.hits import Wanted as WantedMore
from proxy.commands.comparing.stores.purging import FleetPurge, Purge, Tag
from proxy.commands.comparing.stores.restarting import Restart
from proxy.commands.comparing.stores.variants import Valkey, variants
from proxy.commands.comparing.workloads.contract import Workload

FORMAT = "pellucid/compare-stores/1"
_KINDS: tuple[type[Workload], ...] = (
    *(Lane, Spread, Passes, WantedMore, Shared, Restart, Purge, FleetPurge, Tag),
)
WORKLOADS = {kind.name: kind for kind in _KINDS}


def compare(wanted: Wanted, told: Told, begun: Callable[[int], None]) -> Report:
    """Run it all, or the workloads that are wanted. Raises ComparisonError, ConfigurationError."""
    workloads = [kind() for kind in named("figure", wanted.workloads, WORKLOADS)]
    valkey, parts = Valkey(), {one.part for one in workloads}
    contenders = [one for one in variants(valkey) if one.parts & parts]
    ready = partial(_start_valkey, valkey)
    return measure(wanted, contenders, workloads, told, begun, form=FORMAT, aims=AIMS, ready=ready)


def _start_valkey(valkey: Valkey, bench: Bench) -> None:
    """One for all, on the contenders' core, where there is one; it ends with all others."""
    try:
        found = find_store()
    except ComparisonError:
        return  # who needs it has been left out
    folder = bench.folder / "valkey"
    folder.mkdir()
    valkey.port = start_store(found, folder, bench.cores.contender).port
