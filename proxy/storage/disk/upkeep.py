"""What is done on disk now and then: to find files that nobody refers to, and readers that have died."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from time import monotonic

import lmdb

from proxy.storage.disk.body import abandoned
from proxy.storage.disk.change import BROKEN, Change
from proxy.storage.disk.invalidating import reap
from proxy.storage.disk.keeping import release
from proxy.storage.disk.mapped import Mapped
from proxy.storage.disk.record import packed
from proxy.storage.disk.tables import Tables
from proxy.storage.disk.uses import Uses

_AT_ONCE = 256
_SLICES = 64
_WHOLE = 16
_EACH = 10.0


def strays(tables: Tables) -> Iterator[list[int]]:
    """The files in the folder, a few at a time."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for shelf in os.scandir(os.path.join(tables.folder, "contents")):
            with contextlib.suppress(OSError, ValueError):
                for name in os.listdir(shelf.path):
                    if len(name) == _WHOLE:
                        found.append(int(name, 16))
                    if len(found) >= _AT_ONCE:
                        yield found
                        found = []
    yield found


def lost(tables: Tables, files: list[int]) -> list[int]:
    """Those of `files` that are of no entry and that nobody is writing. Raises lmdb.Error."""
    with tables.env.begin() as txn:
        unknown = [file for file in files if txn.get(packed((file,)), db=tables.files) is None]
    found = []
    for file in unknown:
        with contextlib.suppress(OSError):
            if abandoned(tables.path_of(file)):
                found.append(file)
    return found


def give_up(change: Change, files: list[int]) -> None:
    """Let go of files that were lost, unless they are of an entry by now. Raises lmdb.Error."""
    for file in files:
        if change.txn.get(packed((file,)), db=change.tables.files) is None:
            release(change, file)
            change.gone.append(file)


class Upkeep:
    """What is to be done now and then, by the thread that writes. `uses` are to be put down."""

    def __init__(self, mapped: Mapped, pool: Executor, uses: Uses) -> None:
        self._mapped = mapped
        self._pool = pool
        self._uses = uses
        self._seen = 0
        self._synced = 0
        self._syncing: Future[None] | None = None
        self._readers_at = 0.0
        self._strays: Iterator[list[int]] | None = None
        self._of: Tables | None = None

    def tend(self) -> None:
        """Do a little of it."""
        with contextlib.suppress(*BROKEN):
            self._do_a_little()

    def _do_a_little(self) -> None:
        self._mapped.look_at_folder()
        tables = self._mapped.tables
        if tables is None:
            return
        if tables is not self._of:
            self._of, self._strays, self._seen, self._synced = tables, strays(tables), 0, 0
        if self._mapped.read(lambda reading: reading.invalid, False) or self._uses:
            self._mapped.change(self._tend)
        self._sweep(tables)
        now = monotonic()
        if now >= self._readers_at:
            self._readers_at = now + _EACH
            with contextlib.suppress(lmdb.Error):
                tables.env.reader_check()
        number = tables.number
        if number == self._seen != self._synced and (self._syncing is None or self._syncing.done()):
            self._syncing = self._pool.submit(self.sync)
        self._seen = number

    def end(self) -> None:
        """Do what is left to do at the end."""
        for _ in range(_SLICES):
            if self._uses:
                self._mapped.change(self._uses.put_down)
        self.sync()

    def sync(self) -> None:
        """Have all be on the disk."""
        tables = self._mapped.tables
        if tables is not None:
            number = tables.number
            with contextlib.suppress(lmdb.Error, OSError):
                self._mapped.folder.sync(tables)
                self._synced = number

    def _tend(self, change: Change) -> None:
        self._uses.put_down(change)
        reap(change, _AT_ONCE)

    def _sweep(self, tables: Tables) -> None:
        """Look for files that nobody refers to: those of processes that were killed."""
        files = next(self._strays, None) if self._strays is not None else None
        if files is None:
            self._strays = None
            return
        with contextlib.suppress(lmdb.Error):
            found = lost(tables, files)
            if found:
                self._mapped.change(lambda change: give_up(change, found))
