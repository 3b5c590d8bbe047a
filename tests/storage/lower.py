"""A store for tests that is no memory tier to whoever stands in front of it, and can be in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Figures, Store, Writer
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.pieces import Pieces
from proxy.storage.selection import Selection
from proxy.storage.tiers.store import Tiers


class Stop:
    """A place where what is being done stops until it is told to `go`; `reached` says that it's there."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._go = asyncio.Event()

    async def here(self) -> None:
        self.reached.set()
        await self._go.wait()

    def go(self) -> None:
        self._go.set()


class LowerEntry:
    """A handle: made anew by each look-up."""

    def __init__(self, held: MemoryEntry, store: LowerStore) -> None:
        self.held = held
        self._store = store

    @property
    def key(self) -> bytes:
        return self.held.key

    @property
    def stored(self) -> StoredResponse:
        return self.held.stored

    @property
    def labels(self) -> tuple[bytes, ...]:
        return self.held.labels

    @property
    def digest(self) -> str:
        return self.held.digest

    @property
    def content(self) -> bytes | None:
        return None if self._store.bare else self.held.content

    @property
    def state(self) -> object | None:
        return self.held.state

    def touch(self) -> None:
        self.held.touch()

    def read(self, first: int, last: int) -> AsyncIterator[bytes | memoryview]:
        return self._store.reading(self.held.read(first, last))


class LowerWriter:
    def __init__(self, store: LowerStore, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        self.pieces: Pieces = writer.pieces

    def write(self, data: bytes) -> bool:
        if self._store.full:
            self._writer.abort()
        return self._writer.write(data)

    async def commit(
        self, stored: StoredResponse, digest: str, expires: float | None = None
    ) -> LowerEntry | None:
        await self._store.wait()
        if self._store.full:
            self._writer.abort()
        held = await self._writer.commit(stored, digest, expires)
        if held is not None:
            self._store.tells(held.key)
        await self._store.at("committed")
        return None if held is None else self._store.handle(held)

    def abort(self) -> None:
        self._writer.abort()


class LowerStore:
    """What several processes share, or proxies: several of these on one `held`.

    With `slow` look-ups take waiting, and all of it so many `turns`. A `bare` one gives no content without
    its being read. `full`: nothing is kept. `found` is called when a look-up has been made and before its
    result is given. Whoever comes to one of the `stops` stops there: "look", "read", "purge", "committed".
    """

    name = "disk"

    def __init__(self, held: MemoryStore, *, slow: bool = False, bare: bool = False) -> None:
        self.held = held
        self.slow = slow
        self.bare = bare
        self.full = False
        self.turns = 1
        self.stops: dict[str, Stop] = {}
        self.in_touch = True
        self.owed: list[Selection] = []
        self.epoch = 0
        self.looked_up = 0
        self.found: Callable[[], None] = lambda: None
        self.changed: Callable[[bytes], None] = lambda key: None
        self.hearing: list[Callable[[Selection], object]] = []
        self.tells: Callable[[bytes], None] = lambda key: None  # that this one has changed something

    @property
    def teller(self) -> LowerStore:
        return self

    def handle(self, entry: Entry) -> LowerEntry:
        assert isinstance(entry, MemoryEntry)
        return LowerEntry(entry, self)

    async def wait(self) -> None:
        for _ in range(self.turns if self.slow else 0):
            await asyncio.sleep(0)

    def stop(self, where: str) -> Stop:
        """Have the next one who comes there stop."""
        stop = self.stops[where] = Stop()
        return stop

    async def at(self, where: str) -> None:
        """Somebody has come there."""
        if (stop := self.stops.pop(where, None)) is not None:
            await stop.here()

    async def reading(self, pieces: AsyncIterator[bytes | memoryview]) -> AsyncIterator[bytes | memoryview]:
        """The pieces of a content, to those who wait for them."""
        await self.at("read")
        async for piece in pieces:
            yield piece

    def at_hand(self, key: bytes) -> Sequence[LowerEntry] | None:
        return None if self.slow else self._found(self.held.at_hand(key))

    def labelled_at_hand(self, label: bytes, limit: int) -> Sequence[LowerEntry] | None:
        return None if self.slow else self._found(self.held.labelled_at_hand(label, limit))

    async def look_up(self, key: bytes) -> Sequence[LowerEntry]:
        await self.wait()
        found = self._found(self.held.at_hand(key))
        await self.at("look")
        return found

    async def labelled(self, label: bytes, limit: int) -> Sequence[LowerEntry]:
        await self.wait()
        found = self._found(self.held.labelled_at_hand(label, limit))
        await self.at("look")
        return found

    def _found(self, entries: Sequence[MemoryEntry]) -> Sequence[LowerEntry]:
        self.looked_up += 1
        handles = [self.handle(entry) for entry in entries]
        found, self.found = self.found, lambda: None
        found()
        return handles

    def watch(self, changed: Callable[[bytes], None]) -> None:
        self.changed = changed

    def hear(self, purged: Callable[[Selection], object]) -> None:
        self.hearing.append(purged)

    def purged(self, wanted: Selection) -> None:
        """Another proxy has purged this: all who listen are told."""
        for listener in self.hearing:
            listener(wanted)

    def owes(self, wanted: Selection) -> bool:
        """Whether any of it is among what others could not have invalidated."""
        return wanted in self.owed

    def heard(self, wanted: Selection, soft: float | None, *, owed: bool) -> None:
        if owed:
            self.owed.append(wanted)

    def touch(self, entry: Entry) -> None:
        entry.touch()

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> LowerWriter | None:
        ours = [entry.held for entry in replaces if isinstance(entry, LowerEntry)]
        writer = self.held.begin(key, labels, ours, length)
        return None if writer is None else LowerWriter(self, writer)

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        await self.wait()
        if isinstance(entry, LowerEntry):
            await self.held.freshen(entry.held, stored, expires)
            self.tells(entry.key)

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        await self.wait()
        return await self.held.invalidate(keys, labels)

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        await self.wait()
        await self.at("purge")
        return {self.name: sum((await self.held.purge(wanted, soft=soft, dry=dry)).values())}

    async def remove(self, entry: Entry) -> None:
        await self.wait()
        if isinstance(entry, LowerEntry):
            await self.held.remove(entry.held)
            self.tells(entry.key)

    async def expire(self, now: float) -> int:
        return await self.held.expire(now)

    def figures(self) -> Figures:
        return self.held.figures()

    async def close(self) -> None:
        """What is shared stays."""


def over(
    below: LowerStore | None, *, memory: int = 256 << 10, news: News | None = None, alone: float | None = None
) -> Tiers:
    """Memory in front of `below`, as one process has it."""
    fleet = below if below is not None and below.slow else None
    return Tiers(MemoryStore(memory, 1 << 20), below, news, fleet=fleet, alone=alone)


def checked(store: LowerStore) -> Store:
    """It keeps to the contract."""
    return store
