"""What several workers cost: processor time per hit with one and with more, in turn (with `wrk`, `taskset`).

    python scripts/workers.py [--workers 2] [--rounds 5] [--seconds 2] [--store memory]

Where the load generator leaves no room, throughput says nothing: processor time per hit does. If N workers
take as much of it as one does, they serve N times as many hits on N processors. All workers run on one
processor here, and the load generator on another: two that share a core would slow each other down.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_ORIGIN = """
import sys
from aiohttp import web
async def answer(request): return web.Response(body=b"x" * 1024, headers={"Cache-Control": "max-age=3600"})
app = web.Application(); app.router.add_get("/{path:.*}", answer)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
_ORIGIN_PORT, _PORT = 18091, 18092


def processor_time(process: int) -> float:
    """Seconds that a process and those that it started and that still run have taken so far."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    taken = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(taken[11]) + int(taken[12])) / _TICK + sum(processor_time(int(one)) for one in children)


def measure(workers: int, seconds: int, store: str, folder: str) -> tuple[float, float]:
    """Microseconds of processor time per hit, and hits per second."""
    command = [sys.executable, "-m", "proxy", "serve", "--upstream", f"http://127.0.0.1:{_ORIGIN_PORT}"]
    command += ["--listen", f"127.0.0.1:{_PORT}", "--workers", str(workers), "--watch", "never"]
    command += ["--log", f"{folder}/log", "--store", store.replace("DIR", f"{folder}/{workers}")]
    with subprocess.Popen(on_processor(0, command), stdout=subprocess.PIPE) as proxy:
        try:
            assert proxy.stdout is not None
            proxy.stdout.readline()
            load(workers, 1)
            before = processor_time(proxy.pid)
            requests, took = load(workers, seconds)
            taken = processor_time(proxy.pid) - before
        finally:
            proxy.send_signal(signal.SIGTERM)
    Path(f"{folder}/log").unlink()
    return taken / requests * 1e6, requests / took


def on_processor(number: int, command: list[str]) -> list[str]:
    """The command, kept to one of the processors that there are."""
    return ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[number]), *command]


def load(workers: int, seconds: int) -> tuple[int, float]:
    """How many requests were answered in how many seconds, over 64 connections for each worker."""
    command = ["wrk", "-t1", f"-c{64 * workers}", f"-d{seconds}s", f"http://127.0.0.1:{_PORT}/object"]
    told = subprocess.run(on_processor(-1, command), capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) requests in ([0-9.]+)s", told)
    assert found is not None, told
    assert "Non-2xx" not in told, told
    return int(found[1]), float(found[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--store", default="memory", help="disk:DIR is a folder of its own")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, "-c", _ORIGIN, str(_ORIGIN_PORT)]) as origin,
    ):
        try:
            rounds = [
                [measure(number, given.seconds, given.store, folder) for number in (1, given.workers)]
                for _ in range(given.rounds)
            ]
        finally:
            origin.terminate()
    for index, number in enumerate((1, given.workers)):
        costs, rates = zip(*(one[index] for one in rounds), strict=True)
        print(f"{number} worker(s): {spread(costs, 1)} µs per hit,", end=" ")
        print(f"{statistics.median(rates):,.0f} hits/s beside the load generator")
    ratios = [several[0] / alone[0] for alone, several in rounds]
    print(f"processor time per hit, to one worker: {spread(ratios, 3)}")
    print(
        f"throughput with a processor for each: {given.workers / statistics.median(ratios):.2f} x that of one"
    )


def spread(values: Sequence[float], digits: int) -> str:
    """Median, least and most."""
    shown = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return "{} ({}-{})".format(*shown)


if __name__ == "__main__":
    main()
