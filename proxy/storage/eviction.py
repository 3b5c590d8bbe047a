"""Which entry to let go when there is no room: SIEVE, where nothing moves on a hit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cachetools import Cache
from msgspec import Struct

K = TypeVar("K")
V = TypeVar("V")


class Place(Struct, gc=False, eq=False):
    """A place in the order of insertion; `visited` says whether its key was asked for since the hand passed.

    Hidden from the garbage collector, and with it the tables that hold places: going through a million of
    them would stop the process for a good part of a second. The ring is undone by hand instead.
    """

    key: Any
    older: Place
    newer: Place
    visited: bool = False

    def __repr__(self) -> str:
        return f"Place(visited={self.visited})"


class Sieve(Cache[K, V]):
    """A `cachetools.Cache` with SIEVE eviction (Zhang et al., NSDI 2024).

    The entries stand in the order in which they came. A hit only sets a bit. To make room, a hand walks from
    the oldest towards the newest, taking the bit from those that have it, and lets the first go that has
    none. The hand stays where it was: so what is asked for again stays, and what came and was never asked
    for again goes soon, however many of those there are. A step of the hand undoes the bit of one hit, so
    every operation takes constant time on average.

    `maxsize` and `getsizeof` are those of `cachetools.Cache`; storing what is larger than `maxsize` raises
    ValueError. Not to be copied or pickled: TypeError.
    """

    def __init__(self, maxsize: float, getsizeof: Callable[[V], float] | None = None) -> None:
        self._places: dict[K, Place] = {}
        # The root closes the order to a ring: its newer neighbour is the oldest, its older one the newest.
        self._root = self._hand = Place(None, None, None)  # type: ignore[arg-type]
        self._root.newer = self._root.older = self._root
        super().__init__(maxsize, getsizeof)

    def __del__(self) -> None:
        self._undo()
        del self._root.older, self._root.newer

    def __getitem__(self, key: K) -> V:
        place = self._places.get(key)
        if place is not None:
            place.visited = True
        return super().__getitem__(key)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        place = self._places.get(key)
        if place is not None:
            place.visited = True
            return
        newest = self._root.older
        place = self._places[key] = Place(key, newest, self._root)
        newest.newer = self._root.older = place

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        place = self._places.pop(key)
        if self._hand is place:
            self._hand = place.newer
        place.older.newer, place.newer.older = place.newer, place.older
        del place.key, place.older, place.newer

    def place(self, key: K) -> Place:
        """Where `key` stands: to set `visited` there is what a hit does. Raises KeyError.

        A place that has been left has no key and no neighbours; to set its bit does nothing.
        """
        return self._places[key]

    def popitem(self) -> tuple[K, V]:
        """Remove and return the entry on which the hand comes to rest. Raises KeyError when empty."""
        if not self._places:
            raise KeyError(f"{type(self).__name__} is empty")
        place = self._hand
        while place is self._root or place.visited:
            place.visited = False
            place = place.newer
        self._hand = place
        key: K = place.key
        value = super().__getitem__(key)
        del self[key]
        return key, value

    def clear(self) -> None:
        """Remove everything."""
        super().clear()
        self._undo()
        self._places.clear()

    def _undo(self) -> None:
        """Take the ring apart, so that nothing in it refers to itself."""
        self._hand = self._root
        place = self._root.newer
        while place is not self._root:
            newer = place.newer
            del place.key, place.older, place.newer
            place = newer
        self._root.newer = self._root.older = self._root

    def __copy__(self) -> Sieve[K, V]:
        raise TypeError(f"{type(self).__name__} can't be copied")

    def __reduce__(self) -> str:
        raise TypeError(f"{type(self).__name__} can't be pickled")
