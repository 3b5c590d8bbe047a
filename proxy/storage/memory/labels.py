"""Entries by label (RFC 9875 §2), where all that carry a label can be invalidated at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import islice
from typing import Generic, TypeVar

from proxy.storage.memory.members import Members

E = TypeVar("E", bound=Hashable)

_COUNTED = 10_000


class Group(Members, gc=False, eq=False, kw_only=True):
    """The entries that carry one label, oldest first; `doomed` once they are all invalid.

    An entry refers to its groups, so that dooming the group is seen by a million entries without touching
    one of them. What is stored later under the same label joins a new group. `softened` is when they were
    last purged softly, in seconds since the epoch: what was requested later has nothing to do with it.
    """

    label: bytes
    doomed: bool = False
    softened: float | None = None


class Labels(Generic[E]):
    """The groups by label, and the doomed ones until their entries have been let go."""

    __slots__ = ("_doomed", "_groups")

    def __init__(self) -> None:
        self._groups: dict[bytes, Group] = {}
        self._doomed: list[Group] = []

    def __len__(self) -> int:
        return len(self._groups)

    def enter(self, entry: E, labels: Iterable[bytes]) -> tuple[Group, ...]:
        """Make `entry` the newest to carry `labels`; the groups that it is now in, each once."""
        entered = []
        for label in dict.fromkeys(labels):
            group = self._groups.get(label)
            if group is None:
                group = self._groups[label] = Group({}, label=label)
            group.add(entry)
            entered.append(group)
        return tuple(entered)

    def leave(self, entry: E, groups: Iterable[Group]) -> None:
        """Take `entry` out of `groups`; one that is then empty is forgotten."""
        for group in groups:
            group.discard(entry)
            if not group.entries and self._groups.get(group.label) is group:
                del self._groups[group.label]

    def newest(self, label: bytes, limit: int) -> list[E]:
        """At most `limit` entries that carry `label`, the newest first."""
        group = self._groups.get(label)
        return list(islice(reversed(group.entries), limit)) if group else []

    def doom(self, label: bytes) -> int:
        """Make all entries that carry `label` invalid, in constant time; how many there are."""
        group = self._groups.pop(label, None)
        if group is None:
            return 0
        group.doomed = True
        self._doomed.append(group)
        return len(group.entries)

    def soften(self, label: bytes, at: float) -> None:
        """Have all that carry `label` and were requested by `at` count as stale, in constant time."""
        group = self._groups.get(label)
        if group is not None:
            group.softened = at if group.softened is None else max(at, group.softened)

    def count(self, labels: Iterable[bytes]) -> int:
        """How many entries carry one of `labels`; of very many, one may be counted with each of its own."""
        groups = [group.entries for label in dict.fromkeys(labels) if (group := self._groups.get(label))]
        most = sum(map(len, groups))
        return most if len(groups) < 2 or most > _COUNTED else len(set().union(*groups))

    def pop_doomed(self) -> E | None:
        """Take an entry that is invalid and still held out of its doomed group; None when none is left."""
        while self._doomed:
            group = self._doomed[-1]
            if group.entries:
                entry: E = group.pop()
                return entry
            self._doomed.pop()
        return None

    def clear(self) -> None:
        """Forget everything."""
        for group in (*self._groups.values(), *self._doomed):
            group.clear()
        self._groups.clear()
        self._doomed.clear()

    def __del__(self) -> None:
        self.clear()
