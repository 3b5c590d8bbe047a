"""The disk tier: stored responses in a folder, shared by all processes of one machine, within a budget."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Figures, NotInvalidated
from proxy.storage.disk import arriving, invalidating, purging
from proxy.storage.disk.body import Body
from proxy.storage.disk.change import Change
from proxy.storage.disk.entry import DiskEntry
from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.folder import Folder
from proxy.storage.disk.keeping import freshen
from proxy.storage.disk.mapped import Mapped
from proxy.storage.disk.reading import Found, Reading
from proxy.storage.disk.recalling import DiskAnswers
from proxy.storage.disk.record import Record, cost
from proxy.storage.disk.scribe import Scribe
from proxy.storage.disk.tables import Counters, Tables
from proxy.storage.disk.upkeep import Upkeep
from proxy.storage.disk.uses import Uses
from proxy.storage.disk.writer import DiskWriter
from proxy.storage.selection import Selection

T = TypeVar("T")

TIER = "disk"
"""What this tier is called where several are told of."""

VARIANTS = 32
"""Entries under one key, unless said otherwise."""

_READERS = 2
_HEAD = 600


class DiskStore:
    """Stored responses in the folder at `path`. One object for each process, made after any fork.

    `budget` bounds the bytes on disk: the map with its bookkeeping, and the files of large contents, also of
    those that have not come entirely. `object_limit` bounds the content of one entry, `variants` the entries
    under one key. `say` is told in one line, by any thread, when something is wrong: an entry is damaged, the
    disk is full, the cache is begun anew.

    What was changed by any process is seen by the next look-up in all others. Look-ups read the map in place:
    what is asked for often is in memory, as the system has it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        budget: int,
        object_limit: int,
        *,
        variants: int = VARIANTS,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Raises ConfigurationError where the folder can't be used, or the budget is too small."""
        self.object_limit = min(object_limit, budget // 4)
        self._budget = budget
        self._variants = variants
        self._changed: Callable[[bytes], None] | None = None
        self._mapped = Mapped(Folder(Path(path), budget, say or _silently), say or _silently)
        self.uses = Uses()
        self._mapped.asks = self.uses.of
        self._promised = 0
        self._arrived = 0
        self._writers: set[DiskWriter] = set()
        self._closed = False
        self.pool = ThreadPoolExecutor(_READERS, thread_name_prefix="pellucid-disk")
        self._upkeep = Upkeep(self._mapped, self.pool, self.uses)
        self._scribe = Scribe(self._mapped.perform, self._upkeep.tend)
        self.answers = DiskAnswers(self._mapped, self._scribe, self.uses.note)

    async def look_up(self, key: bytes) -> Sequence[DiskEntry]:
        """The entries under `key`, newest first."""
        return self.at_hand(key)

    async def labelled(self, label: bytes, limit: int) -> Sequence[DiskEntry]:
        """At most `limit` entries that carry `label`, the newest first."""
        return self.labelled_at_hand(label, limit)

    def at_hand(self, key: bytes) -> Sequence[DiskEntry]:
        """What `look_up` gives. Of a single large content, the beginning was read and checked."""
        return self._found(lambda reading: reading.look_up(key))

    def labelled_at_hand(self, label: bytes, limit: int) -> Sequence[DiskEntry]:
        """What `labelled` gives."""
        return self._found(lambda reading: reading.labelled(label, limit))

    def watch(self, changed: Callable[[bytes], None]) -> None:
        """Have `changed` called with each key under which this process changes something."""
        self._changed = changed

    def hear(self, purged: Callable[[Selection], object]) -> None:
        """Nothing is told: what others do is seen, by `epoch` and when it's looked for."""

    @property
    def epoch(self) -> int:
        """The number of the last transaction of any process."""
        tables = self._mapped.tables
        return 0 if tables is None else tables.epoch

    def touch(self, entry: Entry) -> None:
        """Note that `entry` was used."""
        if isinstance(entry, DiskEntry):
            self.used(entry)

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> DiskWriter | None:
        """Start to store; None where the content is too large, or all the room is promised to others."""
        tables = self._mapped.tables
        if self._closed or tables is None or (length is not None and length > self.object_limit):
            return None
        counters = self._mapped.read(lambda reading: reading.counters(), None)
        if counters is None:
            return None
        ours = tuple(
            one.record.number
            for one in replaces
            if isinstance(one, DiskEntry) and one.folder == tables.folder
        )
        writer = DiskWriter(self, key, labels, ours, length, tables, counters.tick)
        base = cost(len(key) + _HEAD, 0, len(labels))
        if not self.promise(writer, base + (length or 0), writer.large):
            return None
        self._writers.add(writer)
        self.arrive(writer, base)
        return writer

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry`; its content and labels stay."""
        if isinstance(entry, DiskEntry) and self._ours(entry):
            number, digest = entry.record.number, entry.digest
            stale_from = entry.stored.stale_from
            if stale_from is not None:
                stored = stored.softened(stale_from)
            await self.do(lambda change: freshen(change, number, stored, digest, expires))

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels; the number of them.

        It holds in all processes when it returns, and for what is on its way in any of them. A label takes
        the same time however many carry it; one that carries several may be counted with each for a while.
        """
        wanted = tuple(keys), tuple(labels)
        self._spoil(Selection(*wanted))
        return await self.do(lambda change: invalidating.invalidate(change, *wanted), must=True) or 0

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove what is `wanted`, or have it count as stale from `soft` on, or only count it if `dry`."""
        if soft is None and not dry:
            self._spoil(wanted)
        return {TIER: await purging.purge(self, self._mapped, wanted, soft, dry)}

    async def remove(self, entry: Entry) -> None:
        """Let go of one entry; nothing where it has left already."""
        if isinstance(entry, DiskEntry) and self._ours(entry) and not self._closed:
            number = entry.record.number
            await self.do(lambda change: _drop(change, [number]), must=True)

    async def expire(self, now: float) -> int:
        """Let go of a few hundred at most of those that are of no use any more; 0 when there are no more."""
        return await self.do(lambda change: self._expire(change, now)) or 0

    def figures(self) -> Figures:
        """How full it is. Entries that were invalidated count until their room is given back."""
        counters = self._mapped.read(lambda reading: reading.counters(), Counters())
        held = counters.size + self._arrived
        return Figures(counters.entries, held, self._budget, counters.evicted, counters.expired)

    async def close(self) -> None:
        """End: what is on its way is not kept, and what is stored stays for the next."""
        if self._closed:
            return
        for writer in list(self._writers):
            writer.abort()
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._scribe.close()
        self.pool.shutdown()
        self._upkeep.end()
        self._mapped.close()

    async def do(self, act: Callable[[Change], T], *, must: bool = False) -> T | None:
        """Have the map changed; the result when all others see it, None where it could not be done.

        It is done even when the caller is gone by then. Raises NotInvalidated where it `must` be done and
        this process has nothing to do with the map any more.
        """
        done = None if self._closed else await self._outcome(self._scribe.submit(act, must=must))
        if must and done is None and (self._closed or not self._mapped.nothing_is_left):
            raise NotInvalidated("the cache on disk is not open: others may use what was to be invalidated")
        return done

    async def _outcome(self, future: Future[T]) -> T:
        result = await asyncio.shield(asyncio.wrap_future(future))
        self._tell()
        return result

    # What entries call.

    def current(self, entry: DiskEntry) -> bytes | None:
        """The head of `entry` now: the same object while nothing has changed; None where it has left."""
        tables = self._mapped.tables
        if tables is None or tables.folder != entry.folder:
            entry.gone = True
            return None
        number = tables.number
        if number != entry.seen:
            found = self._mapped.read(lambda reading: reading.entry(entry.record.number), None)
            if found is None:
                entry.gone = True
                return None
            if found.head != entry.head:
                entry.head = found.head
            elif found.record.revision != entry.record.revision:
                entry.head = bytes(bytearray(found.head))
            entry.record.revision = found.record.revision
            entry.seen = number
        return entry.head

    def content_of(self, entry: DiskEntry) -> bytes | None:
        """The content of `entry`, which is in the map; None where it has left or has changed."""
        tables = self._mapped.tables
        if tables is None or tables.folder != entry.folder:
            return None
        found = self._mapped.read(lambda reading: reading.entry(entry.record.number), None)
        if found is None or found.head != entry.head or found.record.revision != entry.record.revision:
            return None
        return found.record.content

    def used(self, entry: DiskEntry) -> None:
        """Note a use; it is put down with others, a moment later."""
        self.uses.note(entry.record.number)

    def damaged(self, entry: DiskEntry) -> None:
        """What was read of it isn't what was written: it is let go."""
        if self._ours(entry):
            self._let_go([entry.record.number])

    # What writers call.

    def promise(self, writer: DiskWriter, more: int, large: bool) -> bool:
        """Set `more` bytes of the budget aside for a writer; False where too much is promised to others."""
        room = self._budget - writer.tables.height() if large else self._budget
        if self._promised + more > room:
            return False
        self._promised += more
        writer.promised += more
        return True

    def arrive(self, writer: DiskWriter, size: int) -> None:
        """So many bytes more have come."""
        self._arrived += size
        writer.arrived += size

    def release(self, writer: DiskWriter) -> None:
        """A writer has ended; what it has written is not kept."""
        self._forget(writer)
        if writer.large:
            self._scribe.submit(lambda: arriving.discard(self._mapped, writer), alone=True)

    def spool(self, writer: DiskWriter, data: bytes, more: int) -> Future[bool | None]:
        """Have the next bytes of a large content written, where `more` bytes are set aside for them first."""
        return self._scribe.submit(lambda: arriving.spool(self._mapped, writer, data, more), alone=True)

    async def keep(
        self, writer: DiskWriter, stored: StoredResponse, digest: str, expires: float | None
    ) -> DiskEntry | None:
        """Make what a writer took findable; None where it doesn't fit, or was invalidated on its way."""
        future = self._scribe.submit(
            lambda change: arriving.place(change, writer, stored, digest, expires, self._variants)
        )
        future.add_done_callback(lambda done: self._settle(writer, done))
        try:
            record = await self._outcome(future)
        finally:
            self._forget(writer)
        if record is None:
            return None
        return self._entry(writer.tables, Found(record, record.head), 0, checked=False)

    def _settle(self, writer: DiskWriter, done: Future[Record | None]) -> None:
        """Take away what was written for nothing, even where nobody waits for it any more."""
        if writer.large and (done.exception() is not None or done.result() is None):
            self._scribe.submit(lambda: arriving.discard(self._mapped, writer), alone=True)

    # What the thread does that writes.

    def _expire(self, change: Change, now: float) -> int:
        self.uses.put_down(change)
        return invalidating.expire(change, now, invalidating.AT_ONCE)

    # The rest.

    def _found(self, what: Callable[[Reading], list[Found]]) -> list[DiskEntry]:
        tables = self._mapped.tables
        if tables is None:
            return []
        number = tables.number
        damaged: list[int] = []

        def looked(reading: Reading) -> list[Found]:
            found = what(reading)
            damaged.extend(reading.damaged)
            return found

        nothing: list[Found] = []
        found = self._mapped.read(looked, nothing)
        entries = []
        for one in found:
            entry = self._entry(tables, one, number, checked=len(found) == 1)
            if entry is not None:
                entries.append(entry)
        if damaged:
            self._let_go(damaged)
        return entries

    def _entry(self, tables: Tables, found: Found, number: int, *, checked: bool) -> DiskEntry | None:
        """What is given for what was found; None where its content can't be read."""
        record, body = found.record, None
        if record.file:
            try:
                body = Body(tables.path_of(record.file), record.length, record.sums)
                if checked:
                    body.check()
            except (Damaged, FileNotFoundError):
                self._let_go([record.number])
                return None
            except OSError as error:
                self._mapped.say_now_and_then(f"the cache on disk can't be read: {error.strerror}")
                return None
        return DiskEntry(self, tables.folder, record, found.head, number, body)

    def _let_go(self, numbers: list[int]) -> None:
        """Take damaged entries out of the map, and say so."""
        future = self._scribe.submit(lambda change: _drop(change, numbers), must=True)

        def say(done: Future[int | None]) -> None:
            if done.result():
                self._mapped.say_now_and_then("what was stored on disk is damaged; it is fetched anew")

        future.add_done_callback(say)

    def _ours(self, entry: DiskEntry) -> bool:
        tables = self._mapped.tables
        return tables is not None and tables.folder == entry.folder

    def _spoil(self, wanted: Selection) -> None:
        """What is on its way here may be older than the change: it need not come any further."""
        for writer in self._writers:
            writer.spoiled = writer.spoiled or wanted.meant(writer.key, writer.labels)

    def _forget(self, writer: DiskWriter) -> None:
        self._writers.discard(writer)
        self._promised -= writer.promised
        self._arrived -= writer.arrived
        writer.promised = writer.arrived = 0

    def _tell(self) -> None:
        changed = self._mapped.changed
        while changed:
            key = changed.popleft()
            if self._changed is not None:
                self._changed(key)


def _drop(change: Change, numbers: list[int]) -> int:
    """Take entries out, damaged or not; how many there were."""
    before = change.counters.entries
    for number in numbers:
        record = change.record(number)
        if record is not None:
            change.drop(record)
    return before - change.counters.entries


def _silently(line: str) -> None:
    """Nobody wants to know."""
