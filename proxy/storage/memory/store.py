"""The memory tier: stored responses in this process, within a budget of bytes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Figures
from proxy.storage.head import pack
from proxy.storage.memory.deadlines import Deadlines
from proxy.storage.memory.entry import MemoryEntry, cost
from proxy.storage.memory.eviction import S3Fifo
from proxy.storage.memory.labels import Labels
from proxy.storage.memory.writer import MemoryWriter
from proxy.storage.selection import Selection
from proxy.storage.turns import Turns

TIER = "memory"
"""What this tier is called where several are told of."""

VARIANTS = 32
"""Entries under one key, unless said otherwise."""

_AT_ONCE = 256
"""How many invalid or expired entries are let go in one call: about a millisecond's work."""

_EACH_TIME = 4
"""How many invalid entries are let go for each one that is stored."""


class MemoryStore:
    """Stored responses in memory. For one thread: no method gives way to others while it changes something.

    `budget` bounds, in bytes, all that is held: entries with their bookkeeping, and what writers have taken
    so far. `object_limit` bounds the content of one entry. `variants` bounds the entries under one key: where
    a response varies with a field, clients must not be able to fill the store through it; the oldest makes
    room. `let_go` is told of every entry that has left, for whatever reason but `close`.
    """

    def __init__(
        self,
        budget: int,
        object_limit: int,
        *,
        variants: int = VARIANTS,
        let_go: Callable[[MemoryEntry], None] | None = None,
    ) -> None:
        self.object_limit = object_limit
        self.epoch = 0
        self._budget = budget
        self._most_variants = variants
        self.let_go = let_go
        self._entries: S3Fifo[MemoryEntry, MemoryEntry] = S3Fifo(budget, _size, name=_key)
        self._newest: dict[bytes, MemoryEntry] = {}
        self._changed: Callable[[bytes], None] | None = None
        self._labels: Labels[MemoryEntry] = Labels()
        self._deadlines: Deadlines[MemoryEntry] = Deadlines()
        self._writers: set[MemoryWriter] = set()
        self._promised = 0
        self._arrived = 0
        self._evicted = 0
        self._expired = 0

    async def look_up(self, key: bytes) -> Sequence[MemoryEntry]:
        """The entries under `key`, newest first. To be found is no use yet: to be read is."""
        return self.at_hand(key)

    async def labelled(self, label: bytes, limit: int) -> Sequence[MemoryEntry]:
        """At most `limit` entries that carry `label`, the newest first."""
        return self.labelled_at_hand(label, limit)

    def at_hand(self, key: bytes) -> Sequence[MemoryEntry]:
        """What `look_up` gives."""
        newest = self._newest.get(key)
        if newest is None:
            return ()
        if newest.older is None and newest.usable:
            return (newest,)
        found = list(self._under(key))
        for entry in found:
            if not entry.usable:
                self._drop(entry)
        return [entry for entry in found if entry.usable]

    def labelled_at_hand(self, label: bytes, limit: int) -> Sequence[MemoryEntry]:
        """What `labelled` gives."""
        return [entry for entry in self._labels.newest(label, limit) if entry.usable]

    def current(self, epoch: int) -> bool:
        """Whether `epoch` is still that of the store."""
        return epoch == self.epoch

    def watch(self, changed: Callable[[bytes], None]) -> None:
        """Have `changed` called with each key under which something is stored, freshened or let go."""
        self._changed = changed

    def hear(self, purged: Callable[[Selection], object]) -> None:
        """Nothing is ever heard: nobody shares it."""

    def touch(self, entry: Entry) -> None:
        """Note that `entry` was used."""
        if isinstance(entry, MemoryEntry):
            entry.touch()

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> MemoryWriter | None:
        """Start to store; None where the content is too large, or all the room is promised to others."""
        if length is not None and length > self.object_limit:
            return None
        ours = tuple(entry for entry in replaces if isinstance(entry, MemoryEntry))
        writer = MemoryWriter(self, key, labels, ours)
        if not self.promise(writer, cost(key, b"", b"", len(labels)) + (length or 0)):
            return None
        self._writers.add(writer)
        self.arrive(writer, cost(key, b"", b"", len(labels)))
        return writer

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry`; its content and labels stay."""
        if not isinstance(entry, MemoryEntry) or not entry.usable:
            return
        if (stale_from := entry.stored.stale_from) is not None:
            stored = stored.softened(stale_from)
        head = pack(stored, entry.digest)
        size = cost(entry.key, head, entry.held, len(entry.groups))
        if size > self._budget - self._arrived:
            self._drop(entry)
            return
        self._make_room(max(0, size - entry.size))
        if entry.place is None:
            return
        entry.head, entry.size = head, size
        self._entries[entry] = entry
        if self._changed is not None:
            self._changed(entry.key)
        if entry.due is not None:
            entry.due.discard(entry)
        entry.due = self._deadlines.add(entry, expires, stored.response_time)

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels; the number of them.

        Takes the same time however many entries carry a label: they are not to be found any more from now
        on, and their memory is given back a few at a time, before any other entry is evicted. Until then one
        that carries several labels may be counted with each.
        """
        self._warn(Selection(tuple(keys), tuple(labels)), None)
        count = 0
        for key in dict.fromkeys(keys):
            for entry in list(self._under(key)):
                count += entry.usable
                self._drop(entry)
        for label in labels:
            count += self._labels.doom(label)
            self.epoch += 1
            self._reap(_AT_ONCE)
        return count

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove what is `wanted`, or have it count as stale from `soft` on, or only count it if `dry`.

        By keys and labels in constant time, as `invalidate` does it. Otherwise all entries are gone through.
        Of a great many with several labels, one may be counted with each.
        """
        if not dry:
            self._warn(wanted, soft)
        if not wanted.direct:
            count = await self._go_through(wanted, soft, dry)
        elif soft is None and not dry:
            count = await self.invalidate(wanted.keys, wanted.labels)
        else:
            count = self._labels.count(wanted.labels)
            for entry in self._directly(wanted):
                count += entry.usable and not any(label in wanted.labels for label in entry.labels)
                if not dry:
                    self._apply(entry, soft)
            if soft is not None and not dry:
                for label in wanted.labels:
                    self._labels.soften(label, soft)
                self.epoch += bool(wanted.labels)
        return {TIER: count}

    async def remove(self, entry: Entry) -> None:
        """Let go of one entry; nothing where it has left already."""
        if isinstance(entry, MemoryEntry) and entry in self._entries:
            self._drop(entry)

    async def expire(self, now: float) -> int:
        """Let go of a few hundred at most of those that are of no use any more; 0 when there are no more."""
        count = 0
        while count < _AT_ONCE and (entry := self._deadlines.pop_due(now)) is not None:
            self._drop(entry)
            count += 1
        self._expired += count
        return count + self._reap(_AT_ONCE - count)

    def figures(self) -> Figures:
        """How full it is. Entries that were invalidated count until their memory is given back."""
        held = int(self._entries.currsize) + self._arrived
        return Figures(len(self._entries), held, self._budget, self._evicted, self._expired)

    async def close(self) -> None:
        """Let go of everything; what is on its way is not kept."""
        for writer in list(self._writers):
            writer.abort()
        self._entries.clear()
        self._newest.clear()
        self._labels.clear()
        self._deadlines.clear()

    # What is asked of copies, where there are tiers below.

    def keys(self) -> Collection[bytes]:
        """The keys under which anything is held; it follows what changes."""
        return self._newest.keys()

    def under(self, key: bytes) -> Iterator[MemoryEntry]:
        """All entries under `key`, usable or not; may be asked by any thread."""
        return self._under(key)

    def drop(self, entry: MemoryEntry) -> None:
        """Let go of one entry at once; nothing where it has left already."""
        if entry in self._entries:
            self._drop(entry)

    def soften(self, entry: MemoryEntry, at: float) -> None:
        """Have one entry count as stale from `at` on, in seconds since the epoch."""
        self._apply(entry, at)

    # What writers call.

    def promise(self, writer: MemoryWriter, more: int) -> bool:
        """Set `more` bytes of the budget aside for a writer; False where too much is promised to others."""
        if self._promised + more > self._budget:
            return False
        self._promised += more
        writer.promised += more
        return True

    def arrive(self, writer: MemoryWriter, size: int) -> None:
        """Make room for `size` more bytes that a writer holds, of those that were promised to it."""
        self._arrived += size
        writer.arrived += size
        self._make_room(0)

    def release(self, writer: MemoryWriter) -> None:
        """A writer has ended."""
        self._writers.discard(writer)
        self._promised -= writer.promised
        self._arrived -= writer.arrived
        writer.promised = writer.arrived = 0

    def keep(
        self, writer: MemoryWriter, stored: StoredResponse, digest: str, content: bytes, expires: float | None
    ) -> MemoryEntry | None:
        """Make what a writer took findable; None where it doesn't fit, or was invalidated on its way."""
        self.release(writer)
        if writer.spoiled:
            return None
        self._reap(_EACH_TIME)
        if writer.softened is not None:
            stored = stored.softened(writer.softened)
        head = pack(stored, digest)
        entry = MemoryEntry(writer.key, head, content, cost(writer.key, head, content, len(writer.labels)))
        if entry.size > self._budget - self._arrived:
            return None
        entry.groups = self._labels.enter(entry, writer.labels)
        for old in writer.replaces:
            if old in self._entries:
                self._drop(old)
        self._trim(entry.key)
        self._make_room(entry.size)
        entry.older = self._newest.get(entry.key)
        self._newest[entry.key] = self._entries[entry] = entry
        entry.place = self._entries.place(entry)
        entry.due = self._deadlines.add(entry, expires, stored.response_time)
        if self._changed is not None:
            self._changed(entry.key)
        return entry

    # Purging.

    def _warn(self, wanted: Selection, soft: float | None) -> None:
        """What is on its way when something is purged may be older than that."""
        for writer in self._writers:
            if wanted.meant(writer.key, writer.labels):
                if soft is None:
                    writer.spoiled = True
                else:
                    writer.softened = soft

    def _directly(self, wanted: Selection) -> list[MemoryEntry]:
        return [entry for key in dict.fromkeys(wanted.keys) for entry in self._under(key)]

    async def _go_through(self, wanted: Selection, soft: float | None, dry: bool) -> int:
        count, turns = 0, Turns()
        for key in list(self._newest):
            for entry in list(self._under(key)):
                if entry.usable and wanted.meant(entry.key, entry.labels):
                    count += 1
                    if not dry:
                        self._apply(entry, soft)
            await turns.pause()
        return count

    def _apply(self, entry: MemoryEntry, soft: float | None) -> None:
        if soft is None:
            self._drop(entry)
        elif entry.soften(soft) and self._changed is not None:
            self._changed(entry.key)

    # Letting go.

    def _under(self, key: bytes) -> Iterator[MemoryEntry]:
        entry = self._newest.get(key)
        while entry is not None:
            yield entry
            entry = entry.older

    def _trim(self, key: bytes) -> None:
        """Let the oldest under `key` go, so that there is a place for one more."""
        for old in list(self._under(key))[self._most_variants - 1 :]:
            self._drop(old)
            self._evicted += 1

    def _make_room(self, size: int) -> None:
        """Evict until `size` more bytes fit; what is invalid goes first."""
        limit = self._budget - self._arrived - size
        while self._entries.currsize > limit:
            if not self._reap(1):
                self._unlink(self._entries.popitem()[0])
                self._evicted += 1

    def _reap(self, limit: int) -> int:
        """Let at most `limit` of the invalid entries go; how many."""
        count = 0
        while count < limit and (entry := self._labels.pop_doomed()) is not None:
            self._drop(entry)
            count += 1
        return count

    def _drop(self, entry: MemoryEntry) -> None:
        del self._entries[entry]
        self._unlink(entry)

    def _unlink(self, entry: MemoryEntry) -> None:
        """Take an entry that has left the cache out of the other tables."""
        entry.place = None
        newer = None
        for other in self._under(entry.key):
            if other is entry:
                break
            newer = other
        if newer is not None:
            newer.older = entry.older
        elif entry.older is not None:
            self._newest[entry.key] = entry.older
        else:
            del self._newest[entry.key]
        entry.older = None
        self._labels.leave(entry, entry.groups)
        if entry.due is not None:
            entry.due.discard(entry)
            entry.due = None
        if self._changed is not None:
            self._changed(entry.key)
        if self.let_go is not None:
            self.let_go(entry)


def _size(entry: MemoryEntry) -> int:
    return entry.size


def _key(entry: MemoryEntry) -> bytes:
    return entry.key
