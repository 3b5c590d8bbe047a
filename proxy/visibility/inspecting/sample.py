"""Exchanges that are kept to be looked at one by one: all those of some paths, chosen by hash.

Verdicts on dependence and predictions need whole histories of a path. Which paths are kept depends on
nothing but their hash, so that the parts of a log that different processes read agree on it (as SHARDS does
for cache simulations). As long as everything has room, everything is kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from proxy.visibility.observation import Observation

EVERYTHING = 1 << 64
"""The number of hashes: where a threshold stands so high, no path is left out."""

HOTTEST = 8
"""How many paths of an endpoint are kept because most is asked of them."""

MOST_OF_A_PATH = 256
"""How many exchanges of one path are kept, the first ones, where not all have room."""


class Slot:
    """One path: `seen` of its exchanges, of which the first are `kept`. A `hot` one stays in any case."""

    __slots__ = ("hot", "kept", "live", "seen")

    def __init__(self) -> None:
        self.kept: list[Observation] = []
        self.seen = 0
        self.live = True
        self.hot = False

    def trim(self, most: int) -> int:
        """Keep the first `most`; how many went."""
        gone = max(0, len(self.kept) - most)
        del self.kept[most:]
        return gone


class Bucket:
    """The kept paths of one endpoint: those whose hash is below `threshold`, and the hottest."""

    __slots__ = ("slots", "threshold")

    def __init__(self) -> None:
        self.slots: dict[int, Slot] = {}
        self.threshold = EVERYTHING

    @property
    def share(self) -> float:
        """The share of the paths that are kept."""
        return self.threshold / EVERYTHING

    def slot(self, hashed: int) -> Slot | None:
        """Where the exchanges of a path are kept; None where they are not."""
        slot = self.slots.get(hashed)
        if slot is None and hashed >= self.threshold:
            return None
        if slot is None:
            slot = self.slots[hashed] = Slot()
        return slot

    def kept(self) -> int:
        """How many exchanges are kept."""
        return sum(len(slot.kept) for slot in self.slots.values())

    def exchanges(self) -> list[Observation]:
        """What is kept, in the order of time."""
        found = [one for slot in self.slots.values() for one in slot.kept]
        found.sort(key=_time)
        return found

    def merge(self, other: Bucket) -> None:
        """Take in what was kept of a later part of the same log."""
        for hashed, slot in other.slots.items():
            mine = self.slots.get(hashed)
            if mine is None:
                self.slots[hashed] = slot
            else:
                complete = len(mine.kept) == mine.seen
                mine.seen += slot.seen
                mine.hot |= slot.hot
                if complete:
                    mine.kept += slot.kept
        self.lower(min(self.threshold, other.threshold))

    def lower(self, threshold: int) -> None:
        """Leave out the paths from `threshold` on."""
        self.threshold = min(self.threshold, threshold)
        gone = [one for one, slot in self.slots.items() if one >= self.threshold and not slot.hot]
        for hashed in gone:
            slot = self.slots.pop(hashed)
            slot.live = False
            slot.kept = []

    def shrink(self, most: int, of_a_path: int = MOST_OF_A_PATH) -> None:
        """Keep at most `most` exchanges, and of one path at most `of_a_path`, but one path at least.

        The hottest paths stay, as much hangs on each of them, but take no more than half of the room.
        """
        of_a_path = max(1, min(of_a_path, most // (2 * HOTTEST)))
        for slot in self.slots.values():
            slot.trim(of_a_path)
        kept = self.kept()
        if kept <= most:
            return
        hottest = sorted(self.slots, key=lambda one: (-self.slots[one].seen, one))[:HOTTEST]
        for hashed in self.slots:
            self.slots[hashed].hot = hashed in hottest
        self.lower(self.threshold)
        kept = self.kept()
        for hashed in sorted(one for one in self.slots if not self.slots[one].hot)[::-1]:
            if kept <= most:
                return
            kept -= len(self.slots[hashed].kept)
            self.lower(hashed)


def share_out(sizes: Iterable[int], budget: int) -> int:
    """How many each may keep at most, so that all together keep no more than `budget`."""
    left, ordered = budget, sorted(sizes)
    for at, size in enumerate(ordered):
        fair = left // (len(ordered) - at)
        if size > fair:
            return fair
        left -= size
    return budget


def fit(buckets: Iterable[Bucket], budget: int) -> int:
    """Make the buckets keep no more than `budget` exchanges; how many they keep then."""
    found = [bucket for bucket in buckets if bucket.slots]
    if sum(bucket.kept() for bucket in found) <= budget:
        return sum(bucket.kept() for bucket in found)
    for bucket in found:
        for slot in bucket.slots.values():
            slot.trim(MOST_OF_A_PATH)
    if sum(bucket.kept() for bucket in found) <= budget:
        return sum(bucket.kept() for bucket in found)
    fair = share_out((bucket.kept() for bucket in found), budget)
    for bucket in found:
        bucket.shrink(fair)
    return sum(bucket.kept() for bucket in found)


def _time(exchange: Observation) -> float:
    return exchange.time if exchange.time == exchange.time else 0.0
