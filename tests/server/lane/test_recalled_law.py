"""The law over a disk: what is kept there answers as the long way does, and is recorded as that does it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.server.lane import fingerprint, heads, recalled
from proxy.storage.disk.order import Lack, evict_some
from proxy.storage.disk.scribe import Job, Scribe
from proxy.storage.disk.store import DiskStore
from proxy.storage.opening import opened
from proxy.storage.selection import Selection
from proxy.storage.settings import StorageSettings, ValkeySettings
from proxy.storage.tiers.store import Tiers
from tests.server.lane.test_law import SETTINGS, Step, answering, pieces_of, requests
from tests.server.lane.twin import Clock, Twin

EXAMPLES = int(os.environ.get("LANE_EXAMPLES", "12"))
GIVEN = {"lane": 0, "all": 0}
EVENTS = [
    "",
    "",
    "",
    "invalidate",
    "label",
    "soft",
    "soft all",
    "evict",
    "forget",
    "expire",
    "remove",
    "restart",
]


class AtOnce:
    """Does what there is to be written on the spot: so it is all done when it is looked at."""

    def __init__(self, perform: Callable[[list[Job]], None], scribe: Scribe) -> None:
        self._perform = perform
        self.close = scribe.close

    def submit(self, act: Callable[..., Any], *, alone: bool = False, must: bool = False) -> Future[Any]:
        job = Job(act, alone, must)
        self._perform([job])
        return job.future


class OverDisk(Twin):
    """A proxy with its responses on disk, that can be stopped and started again."""

    def __init__(self, folder: Path, clock: Clock, *, lane: bool, memory: int) -> None:
        self._made = folder, clock, lane, memory
        settings = StorageSettings(store=f"disk:{folder}", memory=memory, disk=4 << 20)
        store = opened(settings, ValkeySettings(), memory).store
        super().__init__(
            answering, clock, lane=lane, settings=SETTINGS, store=store, budget=memory or 100_000
        )
        scribe = self.disk._scribe
        self.disk._scribe = self.disk.answers._scribe = cast("Any", AtOnce(self.disk._mapped.perform, scribe))

    @property
    def disk(self) -> DiskStore:
        assert isinstance(self.store, Tiers)
        assert isinstance(self.store.below, DiskStore)
        return self.store.below

    async def restarted(self) -> OverDisk:
        """The same after a restart: with the origin that it had, and all that it has recorded."""
        folder, clock, lane, memory = self._made
        await self.close()
        after = OverDisk(folder, clock, lane=lane, memory=memory)
        after.origin._asked, after.origin.asked = self.origin._asked, self.origin.asked
        after.lines, after.hits = self.lines, self.hits
        return after


def forget(twin: OverDisk) -> None:
    """Have nothing in memory."""
    assert isinstance(twin.store, Tiers)
    memory = twin.store.memory
    for key in list(memory.keys()):
        for copy in memory.at_hand(key):
            memory.drop(copy)


async def happen(twin: OverDisk, event: str) -> OverDisk:
    """Something that changes the store and comes from no client."""
    now, keys = twin.clock(), (b"GET http://a/", b"GET http://a/etag", b"GET http://a/short")
    match event:
        case "invalidate":
            await twin.store.invalidate(keys[:2], [])
        case "label":
            await twin.store.purge(Selection(labels=(b"tag:=t", b"group:http://a g")))
        case "soft":
            await twin.store.purge(Selection(keys=keys, labels=(b"tag:=t",)), soft=now)
        case "soft all":
            await twin.store.purge(Selection(everything=True), soft=now)
        case "evict":
            await twin.disk.do(lambda change: evict_some(change, 1, Lack.MAP))
            forget(twin)  # which of them has what in memory is not said
        case "forget":
            forget(twin)
        case "expire":
            await twin.store.expire(now)
        case "remove":
            for entry in (await twin.disk.look_up(b"GET http://a/vary"))[:1]:
                await twin.store.remove(entry)
        case "restart":
            return await twin.restarted()
    return twin


async def run(twin: OverDisk, script: list[tuple[Step, str]]) -> tuple[list[Any], int]:
    clients: dict[int, Any] = {}
    seen: list[Any] = []
    for step, event in script:
        connection, transport = clients.get(step.client, (None, None))
        if connection is None or transport.closed:
            connection, transport = clients[step.client] = twin.connect()
        seen.append(await twin.give(connection, *pieces_of(step.data, step.cuts)))
        seen.append(twin.records())
        twin.clock.now += step.wait
        before = twin
        twin = await happen(twin, event)
        if twin is not before:
            clients.clear()
        seen.append(len(twin.origin.asked))
    await twin.close()
    seen.append(twin.records())
    return seen, twin.hits


kept = st.sampled_from(
    [b"/etag", b"/vary", b"/modified", b"/group", b"/search?q=1", b"/search", b"/sie", b"/swr"]
)
lines = st.sampled_from(
    [b"", b"", b"Accept-Language: de\r\n", b"X-Token: max-age=60\r\n", b'If-None-Match: "v0"\r\n']
)
methods = st.sampled_from([b"GET", b"GET", b"HEAD"])
usual = st.builds(lambda *parts: b"%b %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % parts, methods, kept, lines)
waits = st.sampled_from([0.0] * 6 + [0.75, 3.0, 30.0, -2.0])


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Step, str]]:
    """A few requests that come again and again, and something else between."""
    pool = draw(st.lists(usual, min_size=1, max_size=2)) * 3 + draw(st.lists(usual | requests(), max_size=1))
    steps = draw(
        st.lists(st.tuples(st.sampled_from(pool), waits, st.sampled_from(EVENTS)), min_size=5, max_size=15)
    )
    return [(Step(0, data, (), wait, ""), event) for data, wait, event in steps]


@settings(max_examples=EXAMPLES, deadline=None)
@given(histories(), st.sampled_from([0, 1 << 16, 1 << 20]), st.booleans())
def test_what_is_kept_answers_as_the_long_way_does(
    script: list[tuple[Step, str]], memory: int, climbs: bool
) -> None:
    found = []
    for lane in (True, False):
        clock = Clock()
        with (
            asyncio.Runner() as runner,
            pytest.MonkeyPatch.context() as patch,
            tempfile.TemporaryDirectory() as folder,
        ):
            clock.everywhere(patch)
            patch.setattr(fingerprint, "_LOADED", inf)
            patch.setattr(heads, "_OFTEN", 2)
            patch.setattr(recalled, "_OFTEN", 2 if climbs else 1000)
            patch.setattr(recalled, "_MORE_OFTEN", 2 if climbs else 1000)

            async def both(lane: bool = lane, clock: Clock = clock, folder: str = folder) -> Any:
                return await run(OverDisk(Path(folder), clock, lane=lane, memory=memory), script)

            seen, hits = runner.run(both())
        found.append(seen)
        assert lane or not hits
        GIVEN["lane"] += hits
        GIVEN["all"] += len(seen) // 3
    for with_lane, without in zip(*found, strict=True):
        assert with_lane == without


def test_the_law_was_tested_on_what_is_kept() -> None:
    print(GIVEN)
    assert GIVEN["lane"] > GIVEN["all"] / 100
