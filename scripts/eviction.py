"""Compares what Pellucid's eviction keeps with libcachesim's policies: the same traces, one process.

    python scripts/eviction.py [--requests N] [--markdown FILE]

Needs `pip install 'pellucid[compare]'`. The traces are made here from fixed seeds: whoever runs this gets the
same hit ratios, but for Pellucid's own, whose memory of what has gone is a table by salted hashes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cachetools
import libcachesim
import numpy as np

from proxy.storage.memory.eviction import S3Fifo

OBJECTS = 100_000
ROOM = 10_000
COMMAND = ".venv/bin/python scripts/eviction.py"

WITHOUT_LIST = {
    "FIFO": libcachesim.FIFO,
    "Clock": libcachesim.Clock,
    "Clock2Q+": libcachesim.Clock2QPlus,
    "Hyperbolic": libcachesim.Hyperbolic,
    "LHD": libcachesim.LHD,
    "SIEVE": libcachesim.Sieve,
    "S3-FIFO": libcachesim.S3FIFO,
}
"""Policies that move nothing on a hit."""

WITH_LIST = {"LRU": libcachesim.LRU, "ARC": libcachesim.ARC, "W-TinyLFU": libcachesim.WTinyLFU}
"""Those that move the entry in a list on each hit, or count each in a sketch."""

SHOWN = ("FIFO", "LRU", "SIEVE", "S3-FIFO", "W-TinyLFU")


@dataclass(frozen=True)
class Trace:
    """Requests by object, and each object's size; `room` in the unit of the sizes."""

    name: str
    requests: np.ndarray
    sizes: np.ndarray
    room: int


def zipf(skew: float, count: int, seed: int) -> np.ndarray:
    """`count` requests for `OBJECTS` objects by Zipf's law."""
    weights = np.cumsum(1.0 / np.arange(1, OBJECTS + 1) ** skew)
    return np.searchsorted(weights / weights[-1], np.random.default_rng(seed).random(count))


def with_scans(requests: np.ndarray, *, again: bool) -> np.ndarray:
    """After each 50,000 requests a robot reads 20,000 objects that nobody else wants, or 5,000 `again`."""
    parts, unwanted, length = [], OBJECTS, 5000 if again else 20_000
    for part in np.array_split(requests, max(1, len(requests) // 50_000)):
        parts += [part, np.arange(unwanted, unwanted + length)]
        unwanted += 0 if again else length
    return np.concatenate(parts)


def shifting(requests: np.ndarray) -> np.ndarray:
    """After each tenth of the requests a tenth of the objects change places with each other."""
    chance, ranks, parts = np.random.default_rng(7), np.arange(OBJECTS), []
    for part in np.array_split(requests, 10):
        parts.append(ranks[part])
        chosen = chance.random(OBJECTS) < 0.1
        ranks[chosen] = chance.permutation(ranks[chosen])
    return np.concatenate(parts)


def traces(count: int) -> Iterator[Trace]:
    """What is compared."""
    alike = np.ones(OBJECTS + 20_000 * (count // 50_000 + 1), dtype=int)
    sizes = np.random.default_rng(9).lognormal(np.log(4096), 1.2, len(alike)).astype(int) + 600
    for skew in (0.6, 0.7, 0.8, 0.9, 1.0, 1.2):
        yield Trace(f"Zipf {skew}", zipf(skew, count, 1), alike, ROOM)
    yield Trace("Zipf 0.7, a tenth of the room", zipf(0.7, count, 1), alike, ROOM // 10)
    yield Trace("Zipf 0.9, scans", with_scans(zipf(0.9, count, 2), again=False), alike, ROOM)
    yield Trace("Zipf 0.9, the same scan again", with_scans(zipf(0.9, count, 2), again=True), alike, ROOM)
    yield Trace("Zipf 0.9, popularity shifts", shifting(zipf(0.9, count, 3)), alike, ROOM)
    in_bytes = int(sizes[:OBJECTS].mean() * ROOM)
    for skew in (0.7, 1.0):
        yield Trace(f"Zipf {skew}, sizes", zipf(skew, count, 4), sizes, in_bytes)
    yield Trace("Zipf 0.9, sizes, scans", with_scans(zipf(0.9, count, 5), again=False), sizes, in_bytes)


def ours(trace: Trace) -> float:
    """The hit ratio of Pellucid's eviction."""
    cache: S3Fifo[int, int] = S3Fifo(trace.room, getsizeof=int)
    sizes, hits = trace.sizes.tolist(), 0
    for key in trace.requests.tolist():
        if key in cache:
            cache.place(key).touch()
            hits += 1
        else:
            cache[key] = sizes[key]
    return hits / len(trace.requests)


def theirs(policy: Callable[[int], libcachesim.CacheBase], trace: Trace) -> float:
    """The hit ratio of one of libcachesim's."""
    cache, request, hits = policy(trace.room), libcachesim.Request(), 0
    sizes = trace.sizes.tolist()
    for key in trace.requests.tolist():
        request.obj_id, request.obj_size = key, sizes[key]
        hits += cache.get(request)
    return hits / len(trace.requests)


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """The lines of the table, a title first."""
    yield "trace", "Pellucid", "best without a list", "", *SHOWN
    for trace in traces(count):
        found = {name: theirs(policy, trace) for name, policy in (WITHOUT_LIST | WITH_LIST).items()}
        mine = ours(trace)
        best = max(WITHOUT_LIST, key=lambda name: found[name])
        yield (
            trace.name,
            f"{mine:.3f}",
            f"{found[best]:.3f} {best}",
            f"{100 * (mine - found[best]):+.1f}",
            *(f"{found[name]:.3f}" for name in SHOWN),
        )


def nanoseconds(what: Callable[[int], object]) -> float:
    """The least of five processor times, for one of 100,000 calls."""
    times = []
    for _ in range(5):
        began = time.process_time_ns()
        for key in range(100_000):
            what(key % ROOM)
        times.append((time.process_time_ns() - began) / 100_000)
    return min(times)


def costs() -> Iterator[tuple[str, str, str]]:
    """What a hit and a miss take here, against LRU of the same family (cachetools)."""
    yield "operation", "Pellucid", "cachetools.LRUCache"
    lru: cachetools.LRUCache[int, int] = cachetools.LRUCache(ROOM)
    cache: S3Fifo[int, int] = S3Fifo(ROOM)
    for key in range(ROOM):
        cache[key] = lru[key] = key
    places = [cache.place(key) for key in range(ROOM)]
    idle = nanoseconds(lambda key: places[key])
    hit = nanoseconds(lambda key: places[key].touch()) - idle
    yield "a hit", f"{hit:.0f} ns", f"{nanoseconds(lambda key: lru[key]) - idle:.0f} ns"
    fresh = iter(range(ROOM, 10**9))
    miss = nanoseconds(lambda _: cache.__setitem__(next(fresh), 1))
    yield (
        "a miss that evicts",
        f"{miss:.0f} ns",
        f"{nanoseconds(lambda _: lru.__setitem__(next(fresh), 1)):.0f} ns",
    )


def as_text(table: list[tuple[str, ...]]) -> str:
    """Columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def as_markdown(table: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join([lines[0], "|" + "---|" * len(table[0]), *lines[1:]])


PAGE = """# What the memory tier keeps

<!-- Made by `{command} --markdown docs/eviction.md`: measured, not computed from the code. -->

Which response goes when there is no room is decided by S3-FIFO, made to look at sizes
([`memory/eviction.py`](../proxy/storage/memory/eviction.py)): a hit moves nothing, it counts up to three. Hit
ratios of {count:,} requests for 100,000 objects with room for 10,000 of them (those with sizes: as many
bytes as 10,000 have on average), on the same traces as the policies of
[libcachesim](https://pypi.org/project/libcachesim/) {version}. The best without a list is the best of
{names}: those that move nothing on a
hit either. Beside it, the difference in percentage points.

{ratios}

The scans read 20,000 objects that nobody else wants after each 50,000 requests, or the same 5,000
each time. Where popularity shifts, a
tenth of the objects change places after each tenth of the requests. The sizes are lognormal (σ = 1.2) around
4 KB; where they differ, Pellucid lets a use count for the more the smaller the response is.

What it costs in processor time, on the machine where this was measured (CPython, one thread):

{costs}
"""


def main() -> None:
    """Print the tables as they are made; write the page where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    wanted = parser.parse_args()
    ratios = list(rows(wanted.requests))
    cost = list(costs())
    print(as_text(ratios), as_text(cost), sep="\n\n")
    if wanted.markdown is not None:
        page = PAGE.format(
            command=COMMAND,
            count=wanted.requests,
            version=libcachesim.__version__,
            names=", ".join(WITHOUT_LIST),
            ratios=as_markdown(ratios),
            costs=as_markdown(cost),
        )
        wanted.markdown.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
