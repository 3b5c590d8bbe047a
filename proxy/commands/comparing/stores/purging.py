"""Purging: who is given what was purged, how soon others know, and what a tag of many entries takes."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from proxy.caching.tags import tag_label
from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import Part, Place
from proxy.commands.comparing.machine import pinned
from proxy.commands.comparing.origin.content import version
from proxy.commands.comparing.results import Run
from proxy.commands.comparing.spread import spread
from proxy.commands.comparing.standing import Standing, stand
from proxy.commands.comparing.stores.filling import fill
from proxy.commands.comparing.stores.hammering import Line, Seen, hammer, purged
from proxy.commands.comparing.workloads.contract import Workload
from proxy.storage.disk.store import DiskStore

TRIES = 150
FLEET_TRIES = 60
READERS = 12
ENTRIES = 20_000
_TAG = "everything"
_BUDGET = 256 << 20


class Purge(Workload):
    name = "purge"
    title = "One URL purged, all workers asked for it"
    sentence = (
        f"{READERS} connections, which the workers share out among them, ask for one URL all the time, and it"
        f" is purged {TRIES} times by one of the workers. What the origin had given before the purge must be"
        " no answer to what is sent after the purge was answered."
    )
    part = Part.PURGE
    base = "workers"
    main = "old_answers"
    shown = ("old_answers", "answers", "purge_milliseconds", "seen_milliseconds")
    always_own: ClassVar[bool] = True
    tries: ClassVar[int] = TRIES

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        return self._hammered(bench, standing, standing.place.port, number)

    def _hammered(self, bench: Bench, standing: Standing, reading: int, number: int) -> Run:
        target = version(standing.place.port * 100 + number)
        purging, origin = standing.place.port, bench.origin_port
        with pinned(bench.cores.load):
            seen = asyncio.run(hammer(purging, [reading], origin, target, tries=self.tries, readers=READERS))
        standing.check()
        return Run(round=number, measures=measures(seen))


class FleetPurge(Purge):
    name = "fleet"
    title = "One URL purged, another proxy asked for it"
    sentence = (
        f"Two proxies share a Valkey. One purges a URL {FLEET_TRIES} times, {READERS} connections ask the"
        " other for it all the time, which has it in memory: for how long is it given what was purged?"
    )
    part = Part.FLEET
    base = "fleet"
    main = "seen_milliseconds"
    shown = ("seen_milliseconds", "purge_milliseconds", "old_answers", "answers")
    tries: ClassVar[int] = FLEET_TRIES

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        contender = standing.contender
        folder = bench.folder / f"peer-{number}" / standing.place.folder.name  # its name is the namespace
        folder.mkdir(parents=True)
        place = Place(folder, 0, bench.origin_port)
        with stand(contender, contender.find(), place, bench.cores.contender) as peer:
            return self._hammered(bench, standing, peer.place.port, number)


class Tag(Workload):
    name = "tag"
    title = f"A tag of {ENTRIES:,} entries purged"
    sentence = (
        f"{ENTRIES:,} entries on disk with one tag, and a PURGE of that tag, from its first byte to its"
        " answer; `scripts/purging.py` does it with a million in memory."
    )
    part = Part.TAG
    base = "tagged"
    main = "purge_milliseconds"
    shown = ("purge_milliseconds", "purged_entries")
    always_own: ClassVar[bool] = True
    fresh: ClassVar[bool] = True

    def run(self, bench: Bench, standing: Standing, number: int) -> Run:
        contender, folder = standing.contender, standing.place.folder
        standing.end()
        asyncio.run(_filled(str(folder / "kept")))
        place = Place(folder, 0, bench.origin_port)
        with stand(contender, contender.find(), place, bench.cores.contender) as again:
            took, first, second = asyncio.run(_purged_twice(again.place.port))
        run = Run(round=number, measures={"purge_milliseconds": took * 1e3, "purged_entries": first})
        if first != ENTRIES:
            run.complaints.append(f"{first:,} of {ENTRIES:,} entries were purged")
        if second:
            run.complaints.append(f"{second:,} were still there")
        return run


def measures(seen: Seen) -> dict[str, float]:
    """What is shown of it."""
    return {
        "old_answers": len(seen.old),
        "answers": seen.answers,
        "purge_milliseconds": spread(seen.purges).median * 1e3,
        "seen_milliseconds": max(seen.old, default=0.0) * 1e3,
    }


async def _filled(folder: str) -> None:
    store = DiskStore(folder, _BUDGET, _BUDGET)
    try:
        await fill(store, ENTRIES, (tag_label(_TAG.encode()),))
    finally:
        await store.close()


async def _purged_twice(port: int) -> tuple[float, int, int]:
    loop, line = asyncio.get_running_loop(), await Line.to(port)
    try:
        began = loop.time()
        first = await purged(line, "/", _TAG)
        took = loop.time() - began
        return took, first.get("disk", 0), (await purged(line, "/", _TAG)).get("disk", 0)
    finally:
        await line.close()
