"""The map as it is now: changed by one thread, read by any, begun anew when it turns out to be damaged."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import lmdb

from proxy.storage.disk.change import BROKEN, Asks, Change, no_room, unused
from proxy.storage.disk.folder import Folder
from proxy.storage.disk.order import Lack, evict_some
from proxy.storage.disk.reading import Reading
from proxy.storage.disk.scribe import Job
from proxy.storage.disk.tables import Tables

T = TypeVar("T")

_TRIES = 4
_EVICTED = (32, 8, 1)
_SAID = 60.0
_AGAIN = 5.0


class Mapped:
    """Where the tables are taken from. `say` is told in one line what is wrong, by any thread.

    Nothing that goes wrong below is anybody else's matter: what can't be read is not there, and what can't be
    written is not kept. `asks` is told to who makes room: see `Change`.
    """

    def __init__(self, folder: Folder, say: Callable[[str], None]) -> None:
        """Raises ConfigurationError."""
        self.folder = folder
        self.say = say
        self.changed: deque[bytes] = deque()
        self.asks: Asks = unused
        self._tables: Tables | None = folder.open()
        self._mutex = threading.Lock()
        self._said: dict[str, float] = {}
        self._again = 0.0

    @property
    def tables(self) -> Tables | None:
        """What is open now; None while nothing can be. Another process may have begun it anew."""
        tables = self._tables
        if tables is None or tables.retired:
            return self._renewed(tables, None)
        return tables

    def look_at_folder(self) -> None:
        """Have all who use the folder begin anew where it, or what is in it, was taken away."""
        tables = self._tables
        if tables is None:
            return
        try:
            why = self.folder.objection(tables)
        except FileNotFoundError:
            why = "its files were taken away"
        except OSError:  # nothing is known
            return
        if why is not None:
            self._renewed(tables, why)

    def close(self) -> None:
        """Let go of it; to be called when nobody uses it any more."""
        tables, self._tables, self._again = self._tables, None, float("inf")
        if tables is not None:
            tables.close()
        self.folder.close()

    @property
    def nothing_is_left(self) -> bool:
        """Whether what could not be changed is not used by anybody any more."""
        return self.tables is not None or self.folder.is_given_up

    def read(self, what: Callable[[Reading], T], otherwise: T) -> T:
        """What `what` finds; `otherwise` where nothing can be read."""
        tables = self.tables
        if tables is None:
            return otherwise
        try:
            with tables.env.begin(buffers=True) as txn:
                return what(Reading(tables, txn))
        except BROKEN as error:
            self.fail(tables, error)
            return otherwise

    def perform(self, jobs: list[Job]) -> None:
        """Do jobs together, or one by one where that fails."""
        if jobs[0].alone:
            self._alone(jobs[0])
            return
        results = self._together(jobs)
        if results is None and len(jobs) > 1:
            for job in jobs:
                self.perform([job])
            return
        for job, result in zip(jobs, results or [None], strict=True):
            job.future.set_result(result)

    def change(self, act: Callable[[Change], T], *, must: bool = False) -> T | None:
        """Do one thing, by the thread that writes; None where it can't be done."""
        job = Job(act, alone=False, must=must)
        results: list[Any] | None = self._together([job])
        return results[0] if results else None

    def fail(self, tables: Tables, error: Exception) -> None:
        """Something is wrong with the map: nothing in it is used any more."""
        if isinstance(error, lmdb.ReadersFullError):
            self.say_now_and_then("too many look-ups at one moment for the cache on disk")
            return
        self._renewed(tables, str(error))

    def say_now_and_then(self, line: str) -> None:
        """Say it, unless it was said a moment ago."""
        now = monotonic()
        if now - self._said.get(line, -_SAID) >= _SAID:
            self._said[line] = now
            self.say(line)

    def _alone(self, job: Job) -> None:
        result = None
        try:
            result = job.act()
        except BROKEN as error:
            self._troubled(error)
        finally:
            job.future.set_result(result)

    def _together(self, jobs: list[Job]) -> list[Any] | None:
        """Their results; None where there is no room for several of them, or nothing can be written."""
        for _ in range(_TRIES):
            tables = self.tables
            if tables is None:
                return [None] * len(jobs)
            try:
                return self._transaction(tables, jobs)
            except BROKEN as error:
                if not no_room(error):
                    self.fail(tables, error)
                    return [None] * len(jobs)
                if len(jobs) > 1:
                    return None
                self._make_way(tables, Lack.MAP if isinstance(error, lmdb.MapFullError) else Lack.BUDGET)
        if jobs[0].must and tables is not None:
            self._renewed(tables, "there was no room to note that something was let go")
        else:
            self.say_now_and_then(f"there is no room in {self.folder.path}: what comes is not kept on disk")
        return [None]

    def _transaction(self, tables: Tables, jobs: list[Job]) -> list[Any]:
        with tables.env.begin(write=True, buffers=True) as txn:
            change = Change(tables, txn, self.folder.budget, self.asks)
            results = [job.act(change) for job in jobs]
            change.save()
        self.changed.extend(change.changed)
        for file in change.gone:
            tables.unlink(file)
        return results

    def _make_way(self, tables: Tables, lack: Lack) -> None:
        for count in _EVICTED:  # to let go takes room as well
            with contextlib.suppress(*BROKEN):
                self._transaction(
                    tables, [Job(partial(evict_some, count=count, lack=lack), alone=False, must=False)]
                )
                return

    def _troubled(self, error: Exception) -> None:
        if no_room(error):
            self.say_now_and_then(f"there is no room in {self.folder.path}: what comes is not kept on disk")
        else:
            why = getattr(error, "strerror", None) or error  # not which file: each time another one
            self.say_now_and_then(f"the cache in {self.folder.path} can't be written: {why}")

    def _renewed(self, old: Tables | None, why: str | None) -> Tables | None:
        """What takes the place of `old`, or has already."""
        with self._mutex:
            if self._tables is not old:
                return self._tables
            if old is None and monotonic() < self._again:
                return None
            if old is not None and why is not None:
                old.shared.retire()  # whatever comes of the rest, nobody uses it any more
            try:
                self._tables = self.folder.reopen(old, why)
            except BROKEN as error:
                self._tables = None
                self._again = monotonic() + _AGAIN
                self._troubled(error)
            return self._tables
