"""Random histories of several processes and proxies on one store, against a plain list of what was stored.

Whatever is under way at the same time: a read gives nothing that was purged before it began, nothing of
another key, and nothing torn; and in the end, when all is quiet, everybody finds the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from proxy.storage.contract import Entry, Writer
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.selection import Selection
from proxy.storage.tiers.nearby import Nearby
from proxy.storage.tiers.store import Tiers
from tests.storage.lower import LowerStore, over
from tests.storage.putting import DIGEST, NOW, read, response

KEYS = [b"GET https://a.example.org/1", b"GET https://b.example.org/2"]
LABELS = [(), (b"x",), (b"x", b"y")]
WANTED = [
    *(Selection(keys=(key,)) for key in KEYS),
    Selection(keys=(KEYS[0],), labels=(b"y",)),
    Selection(labels=(b"x",)),
    Selection(prefixes=(b"https://a.",)),
    Selection(patterns=(b"/1$",)),
    Selection(everything=True),
]
WHO = st.integers(0, 1)


@dataclass(eq=False)
class Known:
    """What was stored, by its number: its content tells of both."""

    key: bytes
    labels: tuple[bytes, ...]
    begun: int

    @property
    def content(self) -> bytes:
        return b"%b %d " % (self.key, self.begun) * (1 + self.begun % 5)


class Histories(RuleBasedStateMachine):
    """Two processes with little memory: some of what they hold is evicted all the time."""

    SLOW = False
    BARE = False
    MEMORY = 9000

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = 0
        self.known: dict[int, Known] = {}
        self.purged: list[tuple[int, int, Selection]] = []  # when it began and ended
        self.writers: list[tuple[int, Known, Writer]] = []
        self.work: set[asyncio.Task[None]] = set()
        self.held = MemoryStore(8 << 20, 1 << 20)
        self.news = News.unnamed()
        self.gone: list[Tiers] = []
        self.lowers: list[LowerStore] = [self.lower() for _ in range(2)]
        self.stores = [self.start(who) for who in range(2)]

    def lower(self) -> LowerStore:
        return LowerStore(self.held, slow=self.SLOW, bare=self.BARE)

    def start(self, who: int) -> Tiers:
        news = News.of(self.news.fileno())
        return over(self.lowers[who], memory=self.MEMORY, news=news)

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def begin(self, work: Coroutine[Any, Any, None], at_once: bool) -> None:
        async def started() -> None:
            task = asyncio.get_running_loop().create_task(work)
            if at_once:
                await task
            else:
                self.work.add(task)
                await asyncio.sleep(0)

        self.runner.run(started())

    @rule(who=WHO, turns=st.integers(1, 9))
    def slow_down(self, who: int, turns: int) -> None:
        """What is below takes so long from now on."""
        self.lowers[who].turns = turns

    @rule(times=st.integers(1, 5))
    def go_on(self, times: int) -> None:
        """What is under way gets on a little."""

        async def turns() -> None:
            for _ in range(times):
                await asyncio.sleep(0)

        self.runner.run(turns())
        self.look_for_faults()

    def look_for_faults(self) -> None:
        for task in [task for task in self.work if task.done()]:
            self.work.discard(task)
            task.result()

    @rule(who=WHO, key=st.sampled_from(KEYS), labels=st.sampled_from(LABELS), replaced=st.booleans())
    def store(self, who: int, key: bytes, labels: tuple[bytes, ...], replaced: bool) -> None:
        number = self.tick()
        known = self.known[number] = Known(key, labels, number)
        replaces = self.stores[who].at_hand(key) if replaced else ()
        writer = self.stores[who].begin(key, labels, replaces or (), None)
        assert writer is not None
        self.writers.append((who, known, writer))

    @rule(data=st.data(), at_once=st.booleans())
    def commit(self, data: st.DataObject, at_once: bool) -> None:
        if not self.writers:
            return
        _, known, writer = self.writers.pop(data.draw(st.integers(0, len(self.writers) - 1)))
        content = known.content

        async def commit() -> None:
            if writer.write(content[:7]) and writer.write(content[7:]):
                entry = await writer.commit(response(len(content), at=NOW + known.begun), DIGEST)
                assert entry is None or entry.key == known.key

        self.begin(commit(), at_once)

    @rule(who=WHO, key=st.sampled_from(KEYS), at_once=st.booleans())
    def freshen(self, who: int, key: bytes, at_once: bool) -> None:
        store = self.stores[who]

        async def freshen() -> None:
            for entry in await store.look_up(key):
                await store.freshen(entry, entry.stored)

        self.begin(freshen(), at_once)

    @rule(who=WHO, key=st.sampled_from(KEYS), at_once=st.booleans())
    def remove(self, who: int, key: bytes, at_once: bool) -> None:
        store = self.stores[who]

        async def remove() -> None:
            for entry in (await store.look_up(key))[:1]:
                await store.remove(entry)

        self.begin(remove(), at_once)

    @rule(who=WHO, wanted=st.sampled_from(WANTED), at_once=st.booleans())
    def purge(self, who: int, wanted: Selection, at_once: bool) -> None:
        began = self.tick()

        async def purge() -> None:
            await self.purge_by(who, wanted)
            self.purged.append((began, self.tick(), wanted))

        self.begin(purge(), at_once)

    async def purge_by(self, who: int, wanted: Selection) -> None:
        if wanted.direct:
            await self.stores[who].invalidate(wanted.keys, wanted.labels)
        else:
            await self.stores[who].purge(wanted)

    @rule(who=WHO, key=st.sampled_from(KEYS), times=st.integers(1, 3), at_once=st.booleans())
    def look_up(self, who: int, key: bytes, times: int, at_once: bool) -> None:
        store = self.stores[who]

        async def look() -> None:
            for _ in range(times):
                began = self.tick()
                await self.check(began, key, await store.look_up(key))

        self.begin(look(), at_once)

    @rule(who=WHO, key=st.sampled_from(KEYS))
    def look_at_hand(self, who: int, key: bytes) -> None:
        found = self.stores[who].at_hand(key) or ()
        self.runner.run(self.check(self.tick(), key, found))

    @rule(who=WHO, at_once=st.booleans())
    def look_for_label(self, who: int, at_once: bool) -> None:
        store = self.stores[who]

        async def look() -> None:
            began = self.tick()
            for entry in await store.labelled(b"x", 9):
                assert b"x" in entry.labels
                await self.check(began, entry.key, [entry])

        self.begin(look(), at_once)

    async def check(self, began: int, key: bytes, found: Sequence[Entry]) -> None:
        for entry in found:
            known = self.known[int(entry.stored.request_time - NOW)]
            assert (entry.key, known.key) == (key, key)
            for since, until, wanted in self.purged:
                purged = known.begun < since and until < began and wanted.meant(key, known.labels)
                assert not purged, (known, wanted)
            assert await read(entry) == known.content

    @rule(who=WHO)
    def expire(self, who: int) -> None:
        self.runner.run(self.stores[who].expire(NOW))

    @rule(who=WHO)
    def restart(self, who: int) -> None:
        """It dies with all that it has under way, and is replaced."""
        for _, _, writer in [one for one in self.writers if one[0] == who]:
            writer.abort()
        self.writers = [one for one in self.writers if one[0] != who]
        self.gone.append(self.stores[who])
        self.lowers[who] = self.lower()
        self.stores[who] = self.start(who)

    def teardown(self) -> None:
        async def quiet() -> None:
            await asyncio.gather(*self.work)
            for store in self.stores:
                for key in KEYS:
                    for _ in range(3):
                        await self.check(self.tick(), key, await store.look_up(key))
            for _, _, writer in self.writers:
                writer.abort()
            for store in (*self.stores, *self.gone):
                await store.close()

        self.runner.run(quiet())
        self.runner.close()
        self.news.close()


class SlowHistories(Histories):
    SLOW = True


class BareHistories(Histories):
    SLOW = BARE = True
    MEMORY = 100_000


class Hearing(LowerStore):
    """A proxy's way to a store that tells the others' at once, unless they are out of touch."""

    others: list[Hearing]
    missed = False

    def told(self, key: bytes) -> None:
        if self.in_touch:
            self.changed(key)
        self.missed |= not self.in_touch

    def told_of(self, wanted: Selection) -> None:
        if self.in_touch:
            self.purged(wanted)
        self.missed |= not self.in_touch

    def cut(self) -> None:
        self.in_touch = False

    def mend(self) -> None:
        self.in_touch = True
        self.epoch += self.missed
        self.missed = False


class FleetHistories(Histories):
    """The same with proxies that have no news in common, but a store that tells them, and are cut off."""

    SLOW = True

    def lower(self) -> LowerStore:
        return Hearing(self.held, slow=True)

    def start(self, who: int) -> Tiers:
        lower = self.lowers[who]

        def changed(key: bytes) -> None:
            for other in self.lowers:
                if other is not lower and isinstance(other, Hearing):
                    other.told(key)

        lower.tells = changed
        return over(lower, memory=self.MEMORY)

    async def purge_by(self, who: int, wanted: Selection) -> None:
        await super().purge_by(who, wanted)
        for other in self.lowers:
            if other is not self.lowers[who] and isinstance(other, Hearing):
                other.told_of(wanted)

    @rule(who=WHO)
    def cut(self, who: int) -> None:
        lower = self.lowers[who]
        assert isinstance(lower, Hearing)
        lower.cut()

    @rule(who=WHO)
    def mend(self, who: int) -> None:
        lower = self.lowers[who]
        assert isinstance(lower, Hearing)
        lower.mend()

    async def check(self, began: int, key: bytes, found: Sequence[Entry]) -> None:
        if all(lower.in_touch for lower in self.lowers):
            await super().check(began, key, found)


class NearHistories(FleetHistories):
    """Proxies that have a disk each as well, which outlives them."""

    def start(self, who: int) -> Tiers:
        if not hasattr(self, "disks"):
            self.disks = [MemoryStore(8 << 20, 1 << 20) for _ in range(2)]
        store = super().start(who)
        fleet = self.lowers[who]
        both = Nearby(LowerStore(self.disks[who]), fleet)
        return Tiers(store.memory, both, None, fleet=both)


for machine in (Histories, SlowHistories, BareHistories, FleetHistories, NearHistories):
    machine.TestCase.settings = settings(max_examples=25, stateful_step_count=50, deadline=None)
TestHistories = Histories.TestCase
TestSlowHistories = SlowHistories.TestCase
TestBareHistories = BareHistories.TestCase
TestFleetHistories = FleetHistories.TestCase
TestNearHistories = NearHistories.TestCase
