"""A bounded memory that forgets what was not asked for of late, and costs nothing to keep in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """What knows how many bytes it takes."""

    @property
    def size(self) -> int: ...


K = TypeVar("K")
V = TypeVar("V", bound=Sized)


class Generations(Generic[K, V]):
    """Two tables: when what is `young` takes half of `budget` bytes, it becomes what is old, and what was old
    is forgotten, and `forgotten` is told of each. Who is found among the old is young again.

    A look-up in the quick path asks `young` itself, which stays the same table, and `get` only where that has
    nothing.
    """

    __slots__ = ("_forgotten", "_half", "_old", "_used", "young")

    def __init__(self, budget: int, forgotten: Callable[[V], None] | None = None) -> None:
        self._half = budget // 2
        self._forgotten = forgotten
        self._used = 0
        self._old: dict[K, V] = {}
        self.young: dict[K, V] = {}

    @property
    def roomy(self) -> bool:
        """Whether nothing had to be forgotten so far, nor is about to be."""
        return not self._old

    def __len__(self) -> int:
        return len(self.young) + sum(key not in self.young for key in self._old)

    def get(self, key: K) -> V | None:
        """What is kept under `key`; None where there is nothing."""
        found = self.young.get(key)
        if found is None:
            found = self.revived(key)
        return found

    def revived(self, key: K) -> V | None:
        """What is kept under `key` among the old, which is young from now on; None where there is nothing."""
        found = self._old.pop(key, None) if self._old else None
        if found is not None:
            self.put(key, found, found.size)
        return found

    def put(self, key: K, value: V, size: int) -> None:
        """Keep `value`, which takes `size` bytes, under `key`, where nothing is kept yet."""
        if self._used + size > self._half:
            self._turn()
        self._used += size
        self.young[key] = value

    def grown(self, size: int) -> None:
        """One of the young takes `size` bytes more, or less."""
        self._used += size
        if size > 0 and self._used > self._half:
            self._turn()

    def _turn(self) -> None:
        gone, self._old = self._old, self.young.copy()
        self.young.clear()
        self._used = 0
        if self._forgotten is not None:
            for one in gone.values():
                self._forgotten(one)

    def pop(self, key: K) -> V | None:
        """Forget what is kept under `key`."""
        found = self.young.pop(key, None)
        if found is not None:
            self._used -= found.size
            return found
        return self._old.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self.young.clear()
        self._old.clear()
        self._used = 0
