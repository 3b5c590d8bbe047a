"""Entries that have something in common, where the room that they took is given back as they leave."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

_FEW = 4


class Members(Struct, gc=False, eq=False):
    """A set of entries in the order in which they came; `most` is how many it has room for, about.

    A table of Python's shrinks only when something is put into it, so one into which nothing comes any more
    would keep the room of a million entries for the last one of them. Hidden from the garbage collector as
    `eviction.Place` is: whoever holds it has to `clear` it.
    """

    entries: dict[Any, None]
    most: int = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.entries)} members)"

    def add(self, entry: Any) -> None:
        self.entries[entry] = None
        if len(self.entries) > self.most:
            self.most = len(self.entries)

    def discard(self, entry: Any) -> None:
        """Take `entry` out, if it is there."""
        self.entries.pop(entry, None)
        self._fit()

    def pop(self) -> Any:
        """Take out the newest. Raises KeyError where there is none."""
        entry = self.entries.popitem()[0]
        self._fit()
        return entry

    def clear(self) -> None:
        self.entries.clear()
        self.most = 0

    def _fit(self) -> None:
        if len(self.entries) * 4 < self.most > _FEW or not self.entries:
            self.entries = dict.fromkeys(self.entries)
            self.most = len(self.entries)
