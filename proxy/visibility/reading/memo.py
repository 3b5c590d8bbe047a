"""What was worked out once is looked up the next time: logs repeat themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

LIMIT = 16384
"""How many are remembered, unless said otherwise; then all are forgotten."""

_LONGEST = 2048
"""Characters of a text that is worth being remembered."""


class Memo(dict[K, V]):
    """`memo[key]` is `make(key)`, made once. It remembers at most `limit`."""

    __slots__ = ("_limit", "_make")

    def __init__(self, make: Callable[[K], V], limit: int = LIMIT) -> None:
        super().__init__()
        self._make = make
        self._limit = limit

    def __missing__(self, key: K) -> V:
        value = self._make(key)
        if isinstance(key, str) and len(key) > _LONGEST:
            return value
        if len(self) >= self._limit:
            self.clear()
        self[key] = value
        return value
