"""Invalidations and purges that Valkey has not confirmed yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from enum import Enum

from proxy.storage.selection import Selection

MOST = 10_000
"""Of keys and labels; beyond that everything is meant."""

Soft = float | None
"""The time of a soft purge, in seconds since the epoch; None of one that removes."""


class Kind(Enum):
    """What a name is that of."""

    KEY = 0
    LABEL = 1


class Pending:
    """What is to be repeated until it's done, and not to be seen until then.

    What is there twice is meant once: what removes counts for more than what softens. What is just being done
    is not in `keys` and `labels` any more; it is not to be seen until it has been, as the answer to a
    look-up that was asked before may still be on its way.
    """

    __slots__ = ("_leaving", "keys", "labels", "wide")

    def __init__(self) -> None:
        self.keys: dict[bytes, Soft] = {}
        self.labels: dict[bytes, Soft] = {}
        self.wide: list[tuple[Selection, Soft]] = []
        self._leaving: dict[Kind, Counter[bytes]] = {kind: Counter() for kind in Kind}

    def __bool__(self) -> bool:
        return bool(self.keys or self.labels or self.wide or any(self._leaving.values()))

    def add(self, wanted: Selection, soft: Soft) -> None:
        """Remember what could not be done."""
        for names, these in ((wanted.keys, self.keys), (wanted.labels, self.labels)):
            for name in names:
                these[name] = soft if these.get(name, soft) is not None else None
        if not wanted.direct:
            one = (wide_part(wanted), soft)
            if one not in self.wide:
                self.wide.append(one)
        if len(self.keys) + len(self.labels) > MOST or len(self.wide) > MOST // 100:
            self.keys, self.labels = {}, {}
            self.wide = [(Selection(everything=True), None)]

    def hides(self, key: bytes, labels: Sequence[bytes]) -> bool:
        """Whether an entry is not to be seen, as it may have been invalidated."""
        if not self:
            return False
        if self._has(Kind.KEY, key) or any(self._has(Kind.LABEL, label) for label in labels):
            return True
        return any(wanted.meant(key, labels) for wanted, _ in self.wide)

    def has(self, wanted: Selection) -> bool:
        """Whether any of what is `wanted` is among it."""
        if not self:
            return False
        if any(self._has(Kind.KEY, key) for key in wanted.keys):
            return True
        return bool(self.wide) or any(self._has(Kind.LABEL, label) for label in wanted.labels)

    def _has(self, kind: Kind, name: bytes) -> bool:
        return name in (self.keys if kind is Kind.KEY else self.labels) or name in self._leaving[kind]

    def leave(self, kind: Kind, name: bytes) -> bool:
        """This is being done now, if it is there at all; `left` is to be called afterwards."""
        names = self.keys if kind is Kind.KEY else self.labels
        if name not in names:
            return False
        del names[name]
        self._leaving[kind][name] += 1
        return True

    def left(self, kind: Kind, names: Iterable[bytes]) -> None:
        """These are not being done any more, whether they have been or not."""
        leaving = self._leaving[kind]
        for name in names:
            leaving[name] -= 1
            if not leaving[name]:
                del leaving[name]

    def take(self) -> tuple[dict[bytes, Soft], dict[bytes, Soft], list[tuple[Selection, Soft]]]:
        """What there is to do, which stays hidden until it's done."""
        return dict(self.keys), dict(self.labels), list(self.wide)

    def done(self, wanted: Selection, soft: Soft) -> None:
        """What had to be gone through has been."""
        with suppress(ValueError):
            self.wide.remove((wanted, soft))


def wide_part(wanted: Selection) -> Selection:
    """What of it can't be found by key or label."""
    return Selection(prefixes=wanted.prefixes, patterns=wanted.patterns, everything=wanted.everything)
