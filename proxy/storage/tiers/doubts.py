"""Copies that something was heard about which takes too long to look at one by one on the spot."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.storage.contract import Entry
from proxy.storage.news import Purged
from proxy.storage.selection import Selection

_MOST = 32
"""Purges that are kept apart at most: beyond that everything is supposed to have changed."""

EVERYTHING = Purged(Selection(everything=True))


class Doubts:
    """The keys whose copies have to be looked at before they are used again, and what was purged.

    To enter all keys takes a few milliseconds for a hundred thousand; each is looked at when it is asked for,
    or when there is time for it.
    """

    __slots__ = ("_purged", "keys")

    def __init__(self) -> None:
        self.keys: set[bytes] = set()
        self._purged: list[Purged] = []

    def raise_over(self, keys: Iterable[bytes], purged: Purged) -> None:
        """What is under any of `keys` may be among those `purged`."""
        self.keys.update(keys)
        if purged == EVERYTHING or len(self._purged) >= _MOST:
            self._purged = [EVERYTHING]
        elif self._purged != [EVERYTHING] and purged not in self._purged:
            self._purged.append(purged)

    def about(self, entry: Entry) -> list[Purged]:
        """What has to be done to `entry`, in the order in which it came."""
        return [purged for purged in self._purged if purged.wanted.meant(entry.key, entry.labels)]

    def settled(self, key: bytes) -> None:
        """What is under `key` was looked at."""
        self.keys.discard(key)
        if not self.keys:
            self._purged.clear()
