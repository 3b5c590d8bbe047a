"""Invalidations and purges that Valkey has not confirmed yet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from proxy.storage.selection import Selection

MOST = 10_000
"""Of keys and labels; beyond that everything is meant."""

Soft = float | None
"""The time of a soft purge, in seconds since the epoch; None of one that removes."""


class Pending:
    """What is to be repeated until it's done, and not to be seen until then.

    What is there twice is meant once: what removes counts for more than what softens.
    """

    __slots__ = ("keys", "labels", "wide")

    def __init__(self) -> None:
        self.keys: dict[bytes, Soft] = {}
        self.labels: dict[bytes, Soft] = {}
        self.wide: list[tuple[Selection, Soft]] = []

    def __bool__(self) -> bool:
        return bool(self.keys or self.labels or self.wide)

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
        if key in self.keys or any(label in self.labels for label in labels):
            return True
        return any(wanted.meant(key, labels) for wanted, _ in self.wide)

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
