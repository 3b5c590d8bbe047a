"""Which copies in memory stand for what below, and for which keys they are all that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from proxy.storage.contract import Entry, Store
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import Purged
from proxy.storage.selection import Selection
from proxy.storage.tiers.doubts import Doubts

_SETTLED = 256
_REMEMBERED = 16_384


def is_same(one: Entry, other: Entry) -> bool:
    """Whether two entries of one key are the same response, in whatever tiers they are."""
    first, second = one.stored, other.stored
    return (
        first.response_time == second.response_time
        and first.request_time == second.request_time
        and (first.first, first.length) == (second.first, second.length)
        and one.digest == other.digest
        and first.request == second.request
    )


class Reading:
    """Something below that takes waiting, and what was heard of its key and labels meanwhile."""

    __slots__ = ("_changed", "_key", "_labels", "_purged")

    def __init__(self, key: bytes, labels: tuple[bytes, ...] = ()) -> None:
        self._key = key
        self._labels = labels
        self._changed = False
        self._purged: list[Selection] = []

    def disturb(self, key: bytes) -> None:
        """Something has changed under `key`."""
        self._changed |= key == self._key

    def purged(self, wanted: Selection) -> None:
        """What is `wanted` was purged."""
        self._purged.append(wanted)

    def disturbed_for(self, found: Iterable[Entry]) -> bool:
        """Whether what was found may be older than what was heard."""
        if self._changed or any(wanted.meant(self._key, self._labels) for wanted in self._purged):
            return True
        return bool(self._purged) and any(
            wanted.meant(entry.key, entry.labels) for entry in found for wanted in self._purged
        )


class Replaced(NamedTuple):
    """What is to be replaced: copies, what is below, and copies of which the latter is not known."""

    copies: list[MemoryEntry]
    originals: list[Entry]
    unknown: list[MemoryEntry]


class Seen:
    """How often keys were asked for of late: some tens of thousands at most."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def again(self, key: bytes) -> bool:
        """Whether it was asked for before; it is remembered."""
        return self.times(key) > 1

    def times(self, key: bytes) -> int:
        """How often it was asked for, this time included."""
        known = hash(key)
        if len(self._young) >= _REMEMBERED and known not in self._young:
            self._old, self._young = self._young, {}
        times = self._young[known] = 1 + (self._young.get(known) or self._old.get(known, 0))
        return times


class Ordered(Protocol):
    """A tier below that lets go of what is used least, so has to know what its copies are used for.

    `asks` is called by any thread: how often the copy of an entry, by its key and number, was used.
    """

    asks: Callable[[bytes, int], int]

    def note(self, number: int, times: int) -> None: ...


class Copies:
    """The copies that `memory` holds, each of them looked at again before it is used where that has to be.

    Their uses are told to the tier below that is `ordered`: it asks for them when it makes room, and hears of
    them now and then, as other processes make room there too, and this one may be killed.
    """

    __slots__ = ("_doubts", "_memory", "_ordered", "_walk", "_whole")

    def __init__(self, memory: MemoryStore, ordered: Ordered | None = None) -> None:
        self._memory = memory
        self._ordered = ordered
        if ordered is not None:
            ordered.asks = self.uses_of
        self._whole: set[bytes] = set()
        self._doubts = Doubts()
        self._walk: Iterator[bytes] = iter(())

    def whole(self, key: bytes) -> bool:
        """Whether the copies under `key` are all that there is, here and below."""
        if key in self._doubts.keys:
            self._settle(key)
        return key in self._whole

    def under(self, key: bytes) -> Sequence[MemoryEntry]:
        """The copies under `key`."""
        if key in self._doubts.keys:
            self._settle(key)
        return self._memory.at_hand(key)

    def joined(self, key: bytes, lower: Sequence[Entry], *, known: bool = True) -> Sequence[Entry]:
        """What is under `key`, where `lower` is below: the copies where there are any.

        Where there is a copy of each, it is `known` from now on that they are all.
        """
        copies = list(self.under(key))
        if not copies:
            return lower
        found: list[Entry] = []
        for entry in lower:
            copy = next((one for one in copies if is_same(one, entry)), None)
            if copy is None:
                found.append(entry)
                known = False
            else:
                copies.remove(copy)
                found.append(copy)
                copy.below = getattr(entry, "number", 0)
        if known and lower:
            self._whole.add(key)
        return [*copies, *found]

    def among(self, lower: Sequence[Entry], label: bytes, limit: int) -> Sequence[Entry]:
        """What carries `label`, where `lower` is below: the copies where there are any."""
        held = self._memory.labelled_at_hand(label, limit)
        for entry in held:
            if entry.key in self._doubts.keys:
                self._settle(entry.key)
        copies = [entry for entry in held if entry.usable]
        if not copies:
            return lower
        found: list[Entry] = []
        for original in lower:
            alike = (one for one in copies if one.key == original.key and is_same(one, original))
            copy = next(alike, None)
            if copy is not None:
                copies.remove(copy)
            found.append(copy or original)
        return [*copies, *found][:limit]

    def split(self, replaced: Sequence[Entry], below: Store | None) -> Replaced:
        """What is to be replaced, in memory and below."""
        copies: list[MemoryEntry] = []
        originals: list[Entry] = []
        unknown: list[MemoryEntry] = []
        for entry in replaced:
            if not isinstance(entry, MemoryEntry):
                originals.append(entry)
                copies += [one for one in self.under(entry.key) if is_same(one, entry)]
                continue
            copies.append(entry)
            lower = below.at_hand(entry.key) if below is not None else ()
            if lower is None:
                unknown.append(entry)
            else:
                originals += [one for one in lower if is_same(one, entry)]
        return Replaced(copies, originals, unknown)

    def forget(self, key: bytes) -> None:
        """Something has changed under `key`, so that its copies are of no use."""
        for copy in list(self._memory.at_hand(key)):
            self._memory.drop(copy)

    def has_room(self, size: int) -> bool:
        """Whether a copy of so many bytes fits without another having to go."""
        figures = self._memory.figures()
        return figures.bytes + size <= figures.budget

    def lost(self, copy: MemoryEntry) -> None:
        """`copy` has left memory."""
        self._whole.discard(copy.key)
        self._note(copy)

    # What the order of a tier below has to know.

    def note_some(self, limit: int) -> bool:
        """Tell of the uses of some copies, `limit` keys at most; False once all have had their turn."""
        walked = list(islice(self._walk, limit))
        for key in walked:
            for copy in self._memory.under(key):
                self._note(copy)
        if len(walked) == limit:
            return True
        self._walk = iter(list(self._memory.keys()))
        return False

    def note_all(self) -> None:
        """Tell of the uses of all copies."""
        for key in list(self._memory.keys()):
            for copy in self._memory.under(key):
                self._note(copy)

    def uses_of(self, key: bytes, number: int) -> int:
        """How often the copy of the entry `number` was used that was not told yet; asked by any thread."""
        return sum(copy.tell() for copy in self._memory.under(key) if copy.below == number)

    def _note(self, copy: MemoryEntry) -> None:
        if copy.below and self._ordered is not None and (times := copy.tell()):
            self._ordered.note(copy.below, times)

    # What was heard, but takes long to look for.

    def doubt(self, purged: Purged) -> None:
        """Any copy may be among those `purged`: each is looked at before it is used."""
        self._doubts.raise_over(self._memory.keys(), purged)

    def settle_some(self) -> int:
        """Look at some that were not asked for; how many."""
        some = list(islice(self._doubts.keys, _SETTLED))
        for key in some:
            self._settle(key)
        return len(some)

    def _settle(self, key: bytes) -> None:
        for copy in list(self._memory.at_hand(key)):
            for purged in self._doubts.about(copy):
                if purged.soft is None:
                    self._memory.drop(copy)
                    break
                self._memory.soften(copy, purged.soft)
        self._doubts.settled(key)
