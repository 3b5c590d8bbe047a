"""Answers on disk, as the rest of the proxy has them: found at once, kept by the thread that writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import lmdb

from proxy.storage.contract import Entry, Kept
from proxy.storage.disk.answers import find, keep
from proxy.storage.disk.change import BROKEN
from proxy.storage.disk.entry import DiskEntry
from proxy.storage.disk.mapped import Mapped
from proxy.storage.disk.scribe import Scribe

_WAITING = 256
"""Answers that wait to be kept, at most: more at once are left for the next time."""


class DiskAnswers:
    """Keeps answers in the map. `used` is told the number of each entry that one was given from."""

    def __init__(self, mapped: Mapped, scribe: Scribe, used: Callable[[int], None]) -> None:
        self._mapped = mapped
        self._scribe = scribe
        self._used = used
        self._waiting: set[Future[bool | None]] = set()

    def recall(self, name: bytes) -> Kept | None:
        """The answer called `name`; None where there is none, or anything has changed under its key."""
        tables = self._mapped.tables
        if tables is None:
            return None
        try:
            with tables.env.begin(buffers=True) as txn:
                return find(tables, txn, name)
        except lmdb.Error as error:
            self._mapped.fail(tables, error)
        except BROKEN:  # whoever looks its entry up finds that out too, and sees to it
            pass
        return None

    def remember(
        self, name: bytes, key: bytes, found: Sequence[tuple[Entry, object]], source: Entry, answer: bytes
    ) -> None:
        """Have it kept, where nothing has changed by then of what was `found` under `key`."""
        tables = self._mapped.tables
        seen = [
            (entry.record.number, entry.record.revision)
            for entry, state in found
            if isinstance(entry, DiskEntry) and entry.state is state and entry.head == entry.record.head
        ]
        if tables is None or len(seen) != len(found) or not isinstance(source, DiskEntry):
            return
        if len(self._waiting) >= _WAITING or source.folder != tables.folder:
            return
        number = source.record.number
        future = self._scribe.submit(
            lambda change: change.tables is tables and keep(change, name, key, seen, number, answer)
        )
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)

    def note(self, kept: Kept) -> None:
        """Note a use of its entry."""
        self._used(kept.number)
