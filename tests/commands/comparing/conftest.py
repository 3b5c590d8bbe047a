"""What the tests of comparisons share: a report that was not measured but made up, and an origin server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.commands.comparing.children import Child
from proxy.commands.comparing.figures import figures
from proxy.commands.comparing.machine import Cores, Machine
from proxy.commands.comparing.results import Compared, Report, Result, Row, Run, Settings, summarize


def row(contender: str, *rounds: dict[str, float], failed: str | None = None) -> Row:
    runs = [Run(round=number, measures=measures) for number, measures in enumerate(rounds)]
    return Row(contender=contender, runs=runs, failed=failed)


def result(workload: str, main: str, shown: list[str], rows: list[Row]) -> Result:
    summarize(rows)
    return Result(
        workload=workload,
        title=f"The workload {workload}",
        sentence="What is done.",
        load="wrk",
        main=main,
        shown=shown,
        rows=rows,
    )


def hits(processor: float, p99: float) -> dict[str, float]:
    return {
        "processor_microseconds": processor,
        "requests_per_second": 1e6 / processor,
        "p50_milliseconds": p99 / 2,
        "p99_milliseconds": p99,
        "p999_milliseconds": p99 * 2,
        "errors": 0,
    }


@pytest.fixture
def report() -> Report:
    """Two workloads: in one Pellucid needs half of what nginx needs, in the other it failed."""
    ours = row("pellucid", hits(10, 1.0), hits(12, 1.2), hits(11, 1.1))
    ours.runs[1].complaints.append("3 of 100 were no hits")
    theirs = row("nginx", hits(20, 1.0), hits(24, 1.0), hits(22, 1.0))
    hot = result("hot", "processor_microseconds", list(hits(1, 1)), [ours, theirs])
    failed = row("pellucid", failed="pellucid ended at once: <script>alert(1)</script>\x1b[31m")
    passing = result(
        "passing", "processor_microseconds", list(hits(1, 1)), [failed, row("nginx", hits(30, 2))]
    )
    both = [hot, passing]
    command = ["/usr/sbin/nginx", "-c", "nginx.conf"]
    return Report(
        made="2026-01-01T00:00:00+00:00",
        command=["pellucid", "compare", "proxies"],
        seconds=90.0,
        machine=Machine("A processor", 2, 8 << 30, "Linux 6", "CPython 3.11"),
        cores=Cores((0,), (1,), (1,)),
        settings=Settings(repeats=3, seconds=2.0, connections=64, load="wrk", load_version="4.1"),
        contenders=[
            Compared(name="pellucid", title="Pellucid", log="records", version="1", path="/p", source="here"),
            Compared(
                name="nginx",
                title="nginx",
                log="combined",
                version="1.22",
                path="/n",
                source="the system",
                command=command,
                files={"nginx.conf": "daemon off; # <b>"},
            ),
            Compared(name="squid", title="Squid", log="combined", left_out="squid is not installed"),
        ],
        workloads=both,
        figures=figures(both, ["pellucid", "nginx", "varnish", "squid"]),
        warnings=["only one core"],
    )


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[int]:
    """The port of an origin server in a process of its own."""
    command = [sys.executable, "-m", "proxy.commands.comparing.origin.process"]
    with Child("origin", command, tmp_path, cores=share(), pipes=True) as child:
        yield int(child.receive())


def share() -> tuple[int, ...]:
    import os

    return tuple(os.sched_getaffinity(0))


@pytest.fixture
def cores() -> tuple[int, ...]:
    """All the cores that there are."""
    return share()
