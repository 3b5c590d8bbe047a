"""A disk of this machine in front of a store that proxies of many machines share.

The shared store knows best. What is on disk is used for those keys only of which it has said, since anything
may have been missed, that it holds just the same, or under which something was stored here that it did not
take (`_confirmed`). While it is out of touch these are used on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from proxy.caching.stored import StoredResponse
from proxy.message.errors import PellucidError
from proxy.storage.contract import Entry, Figures, Store, recall_of
from proxy.storage.selection import Selection
from proxy.storage.tiers.copies import Reading, Seen, is_same
from proxy.storage.tiers.nearby_writer import NearbyWriter
from proxy.storage.tiers.recalling import Confirmed
from proxy.storage.tiers.told import Fleet, Teller

LARGEST = 1 << 20
"""Bytes of a content that is copied to disk when it is found in the shared store again, at most."""

_MOST = 1 << 20


class Nearby:
    """`disk` in front of `fleet`, to be used as the latter is."""

    def __init__(self, disk: Store, fleet: Fleet) -> None:
        self.disk = disk
        self.fleet = fleet
        self._confirmed: set[int] = set()
        self._epoch = fleet.epoch
        self._seen = Seen()
        self._readings: set[Reading] = set()
        self._watcher: Callable[[bytes], None] | None = None
        answers = recall_of(disk)
        self.answers = None if answers is None else Confirmed(answers, self._is_confirmed)
        fleet.watch(self._changed)
        fleet.hear(self._purged)

    # What is read.

    async def look_up(self, key: bytes) -> Sequence[Entry]:
        """The entries under `key`: from disk where that is confirmed, else as the shared store has them."""
        near = self.at_hand(key)
        if near is not None:
            return near
        reading = Reading(key)
        self._readings.add(reading)
        try:
            found = await self.fleet.look_up(key)
            if found and self._seen.again(key):
                await self._copy(key, found, reading)
        finally:
            self._readings.discard(reading)
        if not found or not self.fleet.in_touch or reading.disturbed_for(found):
            return found
        return await self._confirm(key, found)

    async def labelled(self, label: bytes, limit: int) -> Sequence[Entry]:
        """At most `limit` entries that carry `label`, the newest first."""
        near = self.labelled_at_hand(label, limit)
        return await self.fleet.labelled(label, limit) if near is None else near

    def at_hand(self, key: bytes) -> Sequence[Entry] | None:
        """What `look_up` gives, where that takes no waiting; else None."""
        if self._is_confirmed(key) and (near := self.disk.at_hand(key)):
            return near
        return None if self.fleet.in_touch else ()

    def labelled_at_hand(self, label: bytes, limit: int) -> Sequence[Entry] | None:
        """What `labelled` gives, where that takes no waiting; else None."""
        if self.fleet.in_touch:
            return None
        near = self.disk.labelled_at_hand(label, limit) or ()
        return [entry for entry in near if self._is_confirmed(entry.key)]

    @property
    def epoch(self) -> int:
        """The shared store's."""
        return self.fleet.epoch

    @property
    def teller(self) -> Teller:
        """Whose epoch it is."""
        return self.fleet.teller

    @property
    def in_touch(self) -> bool:
        """Whether the shared store tells of what others change."""
        return self.fleet.in_touch

    def watch(self, changed: Callable[[bytes], None]) -> None:
        """Have `changed` called with each key under which another proxy changes something."""
        self._watcher = changed

    def hear(self, purged: Callable[[Selection], object]) -> None:
        """Have `purged` called with what other proxies purge."""
        self.fleet.hear(purged)

    def owes(self, wanted: Selection) -> bool:
        """Whether any of it is not invalidated in the shared store yet."""
        return self.fleet.owes(wanted)

    def heard(self, wanted: Selection, soft: float | None, *, owed: bool) -> None:
        """Another process of this machine has purged this: on disk too, but not what was read meanwhile."""
        self._purged(wanted)
        self.fleet.heard(wanted, soft, owed=owed)

    def touch(self, entry: Entry) -> None:
        """Note that `entry` was used, by the tier that it is from."""
        self.disk.touch(entry)
        self.fleet.touch(entry)

    # What is changed.

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> NearbyWriter | None:
        """Start to store in both; None where neither has room."""
        near = [*replaces, *(one for one in self.disk.at_hand(key) or () if _among(one, replaces))]
        disk = self.disk.begin(key, labels, near, length)
        fleet = self.fleet.begin(key, labels, replaces, length)
        if disk is None and fleet is None:
            return None
        reading = Reading(key, labels)
        self._readings.add(reading)
        return NearbyWriter(self, key, reading, disk, fleet, list(replaces))

    def ended(self, reading: Reading) -> None:
        """A writer is over; called by the writer."""
        self._readings.discard(reading)

    async def replaced(self, key: bytes, replaced: Sequence[Entry]) -> None:
        """Remove from the shared store what was replaced and known from disk; called by the writer."""
        for entry in await self.fleet.look_up(key) if replaced else ():
            if _among(entry, replaced):
                await self.fleet.remove(entry)

    def stored(self, key: bytes, *, shared: bool) -> None:
        """Something was stored under `key`, on disk alone or in both; called by the writer."""
        if shared:
            self._confirmed.discard(hash(key))
        else:
            self._remember(key)

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry` in both."""
        for tier, one in await self._both(entry):
            await tier.freshen(one, stored, expires)

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels from both; the number of them."""
        told = await self.purge(Selection(tuple(keys), tuple(labels)))
        return max(told.values(), default=0)

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove what is `wanted` from both, or have it count as stale from `soft` on."""
        if dry:
            near = await self.disk.purge(wanted, dry=True)
            return {**near, **await self.fleet.purge(wanted, dry=True)}
        near = await self.disk.purge(wanted, soft=soft)
        far = await self.fleet.purge(wanted, soft=soft)
        self._purged(wanted)  # what was read and copied meanwhile
        return {**near, **far}

    async def remove(self, entry: Entry) -> None:
        """Let go of one entry in both."""
        for tier, one in await self._both(entry):
            await tier.remove(one)

    async def expire(self, now: float) -> int:
        """Let go of some entries that were of no use before `now`; how many, 0 when there are no more."""
        return await self.disk.expire(now) + await self.fleet.expire(now)

    def figures(self) -> Figures:
        """Those of the disk, and of both by their names."""
        near, far = self.disk.figures(), self.fleet.figures()
        return Figures(
            near.entries, near.bytes, near.budget, near.evicted, near.expired, {"disk": near, "valkey": far}
        )

    async def close(self) -> None:
        """Close both."""
        await self.fleet.close()
        await self.disk.close()

    # What is known of both.

    def _is_confirmed(self, key: bytes) -> bool:
        if self.fleet.epoch != self._epoch:
            self._epoch = self.fleet.epoch
            self._confirmed.clear()
        return hash(key) in self._confirmed

    def _remember(self, key: bytes) -> None:
        if len(self._confirmed) >= _MOST:
            self._confirmed.clear()
        self._confirmed.add(hash(key))

    def _changed(self, key: bytes) -> None:
        for reading in self._readings:
            reading.disturb(key)
        self._confirmed.discard(hash(key))
        if self._watcher is not None:
            self._watcher(key)

    def _purged(self, wanted: Selection) -> None:
        for reading in self._readings:
            reading.purged(wanted)
        if wanted.direct and not wanted.labels:
            self._confirmed.difference_update(map(hash, wanted.keys))
        else:
            self._confirmed.clear()

    async def _confirm(self, key: bytes, found: Sequence[Entry]) -> Sequence[Entry]:
        """Take what is on disk for what was `found`, where it is the same; what is not is let go."""
        near = list(self.disk.at_hand(key) or ())
        result: list[Entry] = []
        for entry in found:
            alike = next((one for one in near if is_same(one, entry)), None)
            if alike is not None:
                near.remove(alike)
                if alike.stored.stale_from != entry.stored.stale_from:  # it was purged softly meanwhile
                    await self.disk.freshen(alike, entry.stored, getattr(entry, "expires", None))
                    alike = None
            result.append(alike or entry)
        whole = all(one is not entry for one, entry in zip(result, found, strict=True))
        if whole and not near:
            self._remember(key)
        for stray in near if whole else ():
            await self.disk.remove(stray)
        return result

    async def _copy(self, key: bytes, found: Sequence[Entry], reading: Reading) -> None:
        """Copy to disk what was found in the shared store."""
        near = self.disk.at_hand(key) or ()
        for entry in found:
            stored = entry.stored
            if _among(entry, near) or stored.length > LARGEST:
                continue
            writer = self.disk.begin(key, entry.labels, (), stored.length)
            if writer is None:
                return
            try:
                async for piece in entry.read(0, stored.length - 1):
                    writer.write(bytes(piece))
                if not reading.disturbed_for((entry,)) and writer.pieces.length == stored.length:
                    await writer.commit(stored, entry.digest, getattr(entry, "expires", None))
            except PellucidError:  # what is shared has lost its content: whoever reads it finds that out too
                pass
            finally:
                writer.abort()

    async def _both(self, entry: Entry) -> list[tuple[Store, Entry]]:
        """The entry in each tier that holds it."""
        near = [one for one in self.disk.at_hand(entry.key) or () if is_same(one, entry)]
        far = [one for one in await self.fleet.look_up(entry.key) if is_same(one, entry)]
        return [*((self.disk, one) for one in near), *((self.fleet, one) for one in far)]


def _among(entry: Entry, others: Sequence[Entry]) -> bool:
    return any(is_same(entry, other) for other in others)
