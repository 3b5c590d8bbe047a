"""Answers that a disk below keeps, as far as what is above it has nothing to say against them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy.storage.contract import Entry, Kept, Recall, Store
from proxy.storage.memory.entry import MemoryEntry
from proxy.storage.tiers.copies import Copies
from proxy.storage.tiers.told import Told


class Confirmed:
    """The answers of a disk before a store that is shared: those for which it is `confirmed`.

    `confirmed` says of a key whether the shared store is known to hold the same.
    """

    def __init__(self, disk: Recall, confirmed: Callable[[bytes], bool]) -> None:
        self._confirmed = confirmed
        self._disk = disk
        self.remember = disk.remember
        self.note = disk.note

    def recall(self, name: bytes) -> Kept | None:
        """The answer called `name`."""
        kept = self._disk.recall(name)
        return kept if kept is not None and self._confirmed(kept.key) else None


class TierAnswers:
    """The answers of what is `below`, where memory holds no more than copies of the entries they are from."""

    def __init__(self, below: Store, answers: Recall, copies: Copies, told: Told) -> None:
        self._below = below
        self._answers = answers
        self._copies = copies
        self._told = told
        self.note = answers.note

    def recall(self, name: bytes) -> Kept | None:
        """The answer called `name`."""
        self._told.catch_up()
        if self._told.mute:
            return None
        kept = self._answers.recall(name)
        if kept is None:
            return None
        copies = self._copies.under(kept.key)
        if copies:
            if any(copy.state not in kept.heads for copy in copies):
                return None  # memory holds something that the disk does not have, or has otherwise
            for copy in copies:
                copy.touch()
        return kept

    def remember(
        self, name: bytes, key: bytes, found: Sequence[tuple[Entry, object]], source: Entry, answer: bytes
    ) -> None:
        """Have it kept beside what is below: where one `found` is a copy, beside that of which it is one."""
        if any(isinstance(entry, MemoryEntry) for entry, _ in found):
            lower = self._below.at_hand(key) or ()
            originals = {original.state: original for original in lower}
            own = source.state
            if own not in originals or any(state not in originals for _, state in found):
                return
            source = originals[own]
            found = [(originals[state], originals[state].state) for _, state in found]
        self._answers.remember(name, key, found, source, answer)
