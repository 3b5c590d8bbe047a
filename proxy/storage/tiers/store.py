"""Several tiers and several processes as one store: copies in memory of what a tier below holds.

What holds of the copies:

- A copy is only ever used after all that others have told was taken in (`catch_up`), and whatever is told of
  takes the copy with it. So a copy that is found is as good as what it was made from.
- Memory hides nothing that is only below: it answers alone for those keys only of which it is known that each
  entry below has a copy. The loss of one copy ends that for its key.
- What was read below while something was told about it is read again (`Reading`). Where a response was begun
  to be stored before it was purged, each tier sees to it by itself that it is not kept.
- Changes are made below first and told afterwards; purges are told before as well, so that nobody who begins
  to store in between misses them. One that has begun is brought to its end even where whoever asked for it is
  gone: what was read and copied meanwhile would stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from proxy.caching.stored import StoredResponse
from proxy.message.errors import PellucidError
from proxy.storage.contract import Entry, Figures, Recall, Store, recall_of
from proxy.storage.finishing import Finishing
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.memory.store import TIER, MemoryStore
from proxy.storage.news import News, Purged
from proxy.storage.selection import Selection
from proxy.storage.tiers.copies import Copies, Ordered, Reading, Seen, is_same
from proxy.storage.tiers.recalling import TierAnswers
from proxy.storage.tiers.told import Fleet, Told
from proxy.storage.tiers.writer import TiersWriter

LARGEST = 1 << 20
"""Bytes of a content that is copied into memory when it is found below, at most."""

_TRIES = 3
_AGAIN = 2
_OFTEN = 5
_BESIDE = 2048
"""Bytes that a copy takes beside its content, about."""

_NOTED = 4096


class Tiers:
    """Memory in front of what is `below`, if anything, shared by all processes that the `news` come from.

    `fleet` is the tier below where that is shared with other proxies: it takes waiting, and tells of changes
    itself. `alone` is for how many seconds copies are used while it is out of touch; None: for any time.
    `name` is what the tier below is called in the figures, `folder` where others look for the `news`.
    `ordered` is the tier that has to know what the copies are used for.
    """

    def __init__(
        self,
        memory: MemoryStore,
        below: Store | None,
        news: News | None,
        *,
        fleet: Fleet | None = None,
        alone: float | None = None,
        name: str = "disk",
        folder: Path | None = None,
        ordered: Ordered | None = None,
    ) -> None:
        self.memory = memory
        self.below = below
        self.news = news
        self._fleet = fleet
        self._copies = Copies(memory, ordered)
        self._seen = Seen()
        self._purging = Finishing()
        self._name = name
        self._told = Told(memory, self._copies, news, fleet, alone, folder)
        self.catch_up = self._told.catch_up
        memory.let_go = self._copies.lost
        self.answers: Recall | None = None
        if below is not None:
            if (answers := recall_of(below)) is not None:
                self.answers = TierAnswers(below, answers, self._copies, self._told)
            below.watch(self._changed_below)
            below.hear(lambda wanted: self._told.take_in(Purged(wanted)))

    # What is read.

    async def look_up(self, key: bytes) -> Sequence[Entry]:
        """The entries under `key`: copies where there are, else what is below, copied when used again."""
        found = self.at_hand(key)
        if found is not None and not self._to_copy(found, seldom=self._is_seldom):
            return found
        for _ in range(_TRIES):
            reading = Reading(key)
            self._told.readings.add(reading)
            try:
                lower = await self._ask(key)
                for entry in self._to_copy(self._joined(key, lower, known=False)):
                    await self._copy(entry, reading)
                self.catch_up()
            finally:
                self._told.readings.discard(reading)
            if not reading.disturbed_for(lower):
                return self._joined(key, lower)
        return ()

    async def labelled(self, label: bytes, limit: int) -> Sequence[Entry]:
        """At most `limit` entries that carry `label`, the newest first."""
        found = self.labelled_at_hand(label, limit)
        for _ in range(_TRIES):
            if found is not None:
                return found
            reading = Reading(b"")
            self._told.readings.add(reading)
            try:
                assert self.below is not None
                lower = await self.below.labelled(label, limit)
                self.catch_up()
            finally:
                self._told.readings.discard(reading)
            if not reading.disturbed_for(lower):
                return self._copies.among(lower, label, limit)
        return ()

    def at_hand(self, key: bytes) -> Sequence[Entry] | None:
        """What `look_up` gives, where that takes no waiting; else None."""
        self.catch_up()
        if self._told.mute:
            return ()
        if self.below is None or self._copies.whole(key):
            return self._copies.under(key)
        if self._fleet is not None and not self._fleet.in_touch and (held := self._copies.under(key)):
            return held
        lower = self.below.at_hand(key)
        return None if lower is None else self._joined(key, lower)

    def labelled_at_hand(self, label: bytes, limit: int) -> Sequence[Entry] | None:
        """What `labelled` gives, where that takes no waiting; else None."""
        self.catch_up()
        if self._told.mute:
            return ()
        lower = self.below.labelled_at_hand(label, limit) if self.below is not None else ()
        return None if lower is None else self._copies.among(lower, label, limit)

    @property
    def epoch(self) -> int:
        """Another number as soon as there may be changes that `watch` does not tell of.

        What others have told is taken in first: it costs next to nothing where there is nothing new.
        """
        told = self._told
        if told.view[0] != told.number or told.teller.epoch != told.fleet_epoch:
            told.catch_up()
        return self.memory.epoch

    def current(self, epoch: int) -> bool:
        """Whether `epoch` is still that of the store, once all that others have told is taken in."""
        told = self._told
        if told.view[0] != told.number or told.teller.epoch != told.fleet_epoch:
            told.catch_up()
        return epoch == self.memory.epoch

    def watch(self, changed: Callable[[bytes], None]) -> None:
        """Have `changed` called with each key under which something changes, here or elsewhere."""
        self._told.watcher = changed
        self.memory.watch(changed)

    def hear(self, purged: Callable[[Selection], object]) -> None:
        """Have `purged` called with what others invalidate or purge, before it is taken out here."""
        self._told.listeners.append(purged)

    def touch(self, entry: Entry) -> None:
        """Note that `entry` was used; what is below hears of it now and then."""
        if isinstance(entry, MemoryEntry):
            entry.touch()
        elif self.below is not None:
            self.below.touch(entry)

    # What is changed.

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> TiersWriter | None:
        """Start to store in all tiers at once; None where none of them has room."""
        self.catch_up()
        replaced = self._copies.split(replaces, self.below)
        copy = self.memory.begin(key, labels, replaced.copies, length)
        lower = None
        if self.below is not None:
            lower = self.below.begin(key, labels, replaced.originals, length)
        if copy is None and lower is None:
            return None
        writer = TiersWriter(self, key, labels, copy, lower, replaced.unknown)
        self._told.writers.add(writer)
        return writer

    def ended(self, writer: TiersWriter) -> None:
        """A writer is over; called by the writer itself."""
        self._told.writers.discard(writer)

    def stored(self, key: bytes, copy: MemoryEntry | None, entry: Entry | None) -> None:
        """Something was stored under `key`: the entry below and its copy; called by the writer."""
        if entry is None:
            return
        self._told.changed_here(key)
        if copy is not None and self.below is not None and (lower := self.below.at_hand(key)) is not None:
            self._joined(key, lower)

    async def replaced(self, copies: Sequence[MemoryEntry]) -> None:
        """Remove what is below of `copies`, in whose place something was stored; called by the writer."""
        for copy in copies:
            original = await self._original(copy)
            if self.below is not None and original is not None:
                await self.below.remove(original)

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry` in each tier that holds it."""
        original = await self._original(entry)
        if isinstance(entry, MemoryEntry):
            await self.memory.freshen(entry, stored, expires)
        else:
            self._copies.forget(entry.key)
        if self.below is not None and original is not None:
            await self.below.freshen(original, stored, expires)
            self._told.changed_here(entry.key)

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels, here and for all others; how many."""
        counts = await self.purge(Selection(tuple(keys), tuple(labels)))
        return max(counts.values())

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove what is `wanted`, or have it count as stale from `soft` on, here and for all others."""
        self.catch_up()
        if dry:
            below = await self.below.purge(wanted, dry=True) if self.below is not None else {}
            return {**await self.memory.purge(wanted, dry=True), **below}
        self._told.purging(Purged(wanted, soft))
        counts = await self.memory.purge(wanted, soft=soft)
        if self.below is None:
            return counts
        return {**counts, **await self._purging.see_through(self._purge(self.below, wanted, soft))}

    async def _purge(self, below: Store, wanted: Selection, soft: float | None) -> Mapping[str, int]:
        """Do it `below`, and to all copies that were made meanwhile."""
        counts = await below.purge(wanted, soft=soft)
        await self.memory.purge(wanted, soft=soft)
        self._told.purging(Purged(wanted, soft, self._owes(wanted)))
        return counts

    async def remove(self, entry: Entry) -> None:
        """Let go of one entry in each tier that holds it."""
        original = await self._original(entry)
        if isinstance(entry, MemoryEntry):
            await self.memory.remove(entry)
        else:
            self._copies.forget(entry.key)
        if self.below is not None and original is not None:
            await self.below.remove(original)
            self._told.changed_here(entry.key)

    async def expire(self, now: float) -> int:
        """Let go of some entries that were of no use before `now`; how many, 0 when there are no more."""
        self.catch_up()
        self._told.look_at_cut(now)
        self._told.look_at_folder()
        count = self._copies.settle_some() + await self.memory.expire(now)
        if self.below is not None:
            self._copies.note_some(_NOTED)
            count += await self.below.expire(now)
        return count

    def figures(self) -> Figures:
        """Those of the tier that holds the most, and of each tier by its name."""
        copies = self.memory.figures()
        if self.below is None:
            return copies
        below = self.below.figures()
        tiers = dict(below.tiers) or {self._name: below}
        return Figures(
            below.entries,
            below.bytes,
            below.budget,
            below.evicted,
            below.expired,
            {TIER: copies, **tiers},
        )

    async def close(self) -> None:
        """Let go of all copies; what is below closes too."""
        for writer in list(self._told.writers):
            writer.abort()
        await self._purging.close()
        self._copies.note_all()
        await self.memory.close()
        if self.below is not None:
            await self.below.close()
        self._told.close()

    def _owes(self, wanted: Selection) -> bool:
        """Whether other processes, which may reach what this one doesn't, find there what was `wanted`."""
        return self._fleet is not None and self._fleet.owes(wanted)

    # What is below, and its copies.

    def _changed_below(self, key: bytes) -> None:
        if self._fleet is not None:
            self._told.changed_elsewhere(key)
        else:
            self._told.watcher(key)

    async def _ask(self, key: bytes) -> Sequence[Entry]:
        if self.below is None:
            return ()
        lower = self.below.at_hand(key)
        return await self.below.look_up(key) if lower is None else lower

    def _joined(self, key: bytes, lower: Sequence[Entry], *, known: bool = True) -> Sequence[Entry]:
        return self._copies.joined(key, lower, known=known)

    def _to_copy(
        self, found: Sequence[Entry], *, seldom: Callable[[Entry], bool] | None = None
    ) -> list[Entry]:
        """Those among `found` that are to be copied; with `seldom`, not what that says is asked for so."""
        lacking = [one for one in found if not isinstance(one, MemoryEntry)]
        if not lacking or (seldom is not None and seldom(lacking[0])):
            return []
        largest = min(LARGEST, self.memory.object_limit)
        return [one for one in lacking if one.stored.length <= largest]

    def _is_seldom(self, entry: Entry) -> bool:
        """Whether it's asked for too seldom to be copied.

        Where others would have to go for it, that takes more, as its answers may be kept below.
        """
        times = self._seen.times(entry.key)
        if times < _AGAIN or self.answers is None:
            return times < _AGAIN
        return times < _OFTEN and not self._copies.has_room(entry.stored.length + _BESIDE)

    async def _copy(self, entry: Entry, reading: Reading) -> None:
        """Copy `entry` into memory, unless something is told about it meanwhile."""
        stored, content = entry.stored, entry.content
        writer = self.memory.begin(entry.key, entry.labels, (), stored.length)
        if writer is None:
            return
        try:
            if content is not None:
                writer.write(bytes(content))
            else:
                async for piece in entry.read(0, stored.length - 1):
                    writer.write(bytes(piece))
            if not reading.disturbed_for((entry,)) and writer.pieces.length == stored.length:
                await writer.commit(stored, entry.digest, getattr(entry, "expires", None))
        except PellucidError:  # what is below has lost its content: whoever reads it finds that out too
            pass
        finally:
            writer.abort()

    async def _original(self, entry: Entry) -> Entry | None:
        """The entry below that `entry` is or is a copy of; None where it has left."""
        if not isinstance(entry, MemoryEntry):
            return entry
        return next((one for one in await self._ask(entry.key) if is_same(one, entry)), None)
