"""Which entry to let go when there is no room: S3-FIFO, where nothing moves on a hit."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from cachetools import Cache
from msgspec import Struct

from proxy.storage.memory.ghosts import Ghosts

K = TypeVar("K")
V = TypeVar("V")

USE = 2
"""The credit that a use gives."""

MOST = 3 * USE
"""The most credit that can be had: uses beyond the third are not counted."""

_SHARE = 10
_WINDOW = 0.9
_STEPS = 64


class Place(Struct, gc=False, eq=False):
    """A place in one of the two queues, with the `size` of what stands there and its `credit` for being used.

    `proven` says that it is the main queue. Hidden from the garbage collector, and with it the tables that
    hold places: going through a million of them would stop the process for a good part of a second. The
    queues are undone by hand instead.
    """

    key: Any
    older: Place
    newer: Place
    size: float = 0
    credit: int = 0
    proven: bool = False

    def __repr__(self) -> str:
        return f"Place(credit={self.credit}, proven={self.proven})"

    def touch(self) -> None:
        """Note a use: this is all that a hit does."""
        if self.credit < MOST:
            self.credit += USE


class S3Fifo(Cache[K, V]):
    """A `cachetools.Cache` with S3-FIFO eviction (Yang et al., SOSP 2023).

    What comes in stands in a small queue first, a tenth of all. Who gets to its end and was used twice by
    then goes on into the main queue; all others leave, but their keys are remembered for a while: what comes
    back within that time goes into the main queue at once. There, who gets to the end and was used since the
    last time goes back to the beginning, at most three times without another use. A hit moves nothing, it
    only counts. So what comes once and is never asked for again passes through the small queue, however much
    of that there is, and pushes nothing out of the main one. Only before anything had to go, the main queue
    takes what the small one has no room for.

    A use counts for the more, the smaller the entry is: one of four times the average size needs two to be
    spared once, one of a quarter is spared twice for each. That is halfway between answering the most
    requests and the most bytes from the cache.

    What is deleted is remembered as well: a response that takes the place of an older one, or comes back
    after it has expired, need not prove itself again. `name` says by what a key is remembered: by itself
    where it isn't given.

    To make room for one takes constant time: after 64 steps among those that are worth more, who came last
    goes. `maxsize` and `getsizeof` are those of `cachetools.Cache`; storing what is larger than `maxsize`
    raises ValueError. Not to be copied or pickled: TypeError.
    """

    def __init__(
        self,
        maxsize: float,
        getsizeof: Callable[[V], float] | None = None,
        *,
        name: Callable[[K], Hashable] | None = None,
    ) -> None:
        self._places: dict[K, Place] = {}
        self._ghosts = Ghosts()
        self._name = name or _itself
        self._new, self._main = _queue(), _queue()
        self._new_size: float = 0
        self._filling = True
        super().__init__(maxsize, getsizeof)

    def __del__(self) -> None:
        for root in (self._new, self._main):
            _undo(root)
            del root.older, root.newer

    def __getitem__(self, key: K) -> V:
        place = self._places.get(key)
        if place is not None:
            place.touch()
        return super().__getitem__(key)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        place = self._places.get(key)
        if place is not None:
            self._resize(place, self.getsizeof(value))
            return
        back = self._ghosts.take(self._name(key), int(_WINDOW * len(self)) + 1)
        place = self._places[key] = Place(key, self._new, self._new, self.getsizeof(value))
        place.proven = back or (self._filling and self._new_size * _SHARE >= self.maxsize)
        self._enqueue(place)

    def __delitem__(self, key: K) -> None:
        among = len(self)
        super().__delitem__(key)
        self._ghosts.add(self._name(key), among)
        self._leave(self._places.pop(key))
        if self.currsize * 2 < self.maxsize:
            self._filling = True

    def place(self, key: K) -> Place:
        """Where `key` stands: to `touch` it is what a hit does. Raises KeyError.

        A place that has been left has no key and no neighbours; to touch it does nothing.
        """
        return self._places[key]

    def popitem(self) -> tuple[K, V]:
        """Remove and return the entry that is worth least. Raises KeyError when empty."""
        if not self._places:
            raise KeyError(f"{type(self).__name__} is empty")
        self._filling = False
        place = self._least()
        key: K = place.key
        value = super().__getitem__(key)
        if not place.proven:
            self._ghosts.add(self._name(key), len(self))
        super().__delitem__(key)
        self._leave(self._places.pop(key))
        return key, value

    def clear(self) -> None:
        """Remove everything, and forget what was removed before."""
        super().clear()
        _undo(self._new)
        _undo(self._main)
        self._new_size = 0
        self._filling = True
        self._places.clear()
        self._ghosts.clear()

    def _least(self) -> Place:
        """Let those who are worth more pass until the least is at the end of its queue."""
        average = self.currsize / len(self) or 1
        for _ in range(_STEPS):
            place = self._next()
            cost = price(place.size, average, place.proven)
            if place.credit < cost:
                return place
            place.credit = place.credit - cost if place.proven else 0
            self._dequeue(place)
            place.proven = True
            self._enqueue(place)
        last = self._new.older
        return last if last is not self._new and last.credit < MOST else self._next()

    def _next(self) -> Place:
        """The oldest of the small queue while that has its share, of the main queue otherwise."""
        new, main = self._new.newer, self._main.newer
        if main is self._main:
            return new
        if new is self._new:
            return main
        return new if self._new_size * _SHARE >= self.currsize else main

    def _enqueue(self, place: Place) -> None:
        root = self._main if place.proven else self._new
        place.older, place.newer = root.older, root
        root.older.newer = root.older = place
        if not place.proven:
            self._new_size += place.size

    def _dequeue(self, place: Place) -> None:
        place.older.newer, place.newer.older = place.newer, place.older
        if not place.proven:
            self._new_size -= place.size

    def _leave(self, place: Place) -> None:
        self._dequeue(place)
        del place.key, place.older, place.newer

    def _resize(self, place: Place, size: float) -> None:
        if not place.proven:
            self._new_size += size - place.size
        place.size = size

    def __copy__(self) -> S3Fifo[K, V]:
        raise TypeError(f"{type(self).__name__} can't be copied")

    def __reduce__(self) -> str:
        raise TypeError(f"{type(self).__name__} can't be pickled")


def price(size: float, average: float, proven: bool) -> int:
    """The credit that it takes to be spared, for one of `size` where entries have `average` size.

    In the main queue it is paid; in the small one, to have it is enough. It is never more than can be had.
    """
    weight = math.sqrt(size / average)
    return min(max(1, round(USE * weight)) if proven else max(USE, USE * round(2 * weight)), MOST)


def _itself(key: Hashable) -> Hashable:
    return key


def _queue() -> Place:
    """The root of an empty queue: its newer neighbour is the oldest, its older one the newest."""
    root = Place(None, None, None)  # type: ignore[arg-type]
    root.older = root.newer = root
    return root


def _undo(root: Place) -> None:
    """Take a queue apart, so that nothing in it refers to itself."""
    place = root.newer
    while place is not root:
        newer = place.newer
        del place.key, place.older, place.newer
        place = newer
    root.older = root.newer = root
