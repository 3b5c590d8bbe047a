"""The thread that writes: everything that changes the map or the files, one after another, some together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

_TOGETHER = 64
_EACH = 0.25


class Job:
    """Something to be written. `act` is given the change of the map; without one where `alone` is set.

    Those that follow one another go into one change. `act` may be called once more, when that fails. What
    `must` be done and can't be is worse than an empty cache.
    """

    __slots__ = ("act", "alone", "future", "must")

    def __init__(self, act: Callable[..., Any], alone: bool, must: bool) -> None:
        self.act = act
        self.alone = alone
        self.must = must
        self.future: Future[Any] = Future()


class Scribe:
    """Does jobs in their order. `perform` does some together; `tend` is called four times a second, about.

    The work of a transaction takes microseconds, but to wait for another process's, or for a disk that is
    behind, may take long: that is why it is done here and not where clients are served.
    """

    def __init__(self, perform: Callable[[list[Job]], None], tend: Callable[[], None]) -> None:
        self._perform = perform
        self._tend = tend
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="pellucid-disk", daemon=True)
        self._thread.start()

    def submit(self, act: Callable[..., T], *, alone: bool = False, must: bool = False) -> Future[T | None]:
        """Have it done; its result when it is in the map, None where it couldn't be done."""
        job = Job(act, alone, must)
        with self._wake:
            if self._ending:
                job.future.set_result(None)
                return job.future
            self._jobs.append(job)
            self._wake.notify()
        return job.future

    def close(self) -> None:
        """Do what there is still to do, and end."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        tended = monotonic()
        while True:
            jobs = self._next(tended + _EACH - monotonic())
            if jobs is None:
                return
            if jobs:
                self._guarded(jobs)
            if monotonic() - tended >= _EACH:
                tended = monotonic()
                self._tend()

    def _guarded(self, jobs: list[Job]) -> None:
        """Do them; whatever goes wrong is told those who wait for them, and the thread goes on."""
        try:
            self._perform(jobs)
        except Exception as error:
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(error)

    def _next(self, patience: float) -> list[Job] | None:
        """Jobs that can be done together; none where nothing has come in time; None at the end."""
        with self._wake:
            if not self._jobs and not self._ending:
                self._wake.wait(max(0.0, patience))
            if not self._jobs:
                return None if self._ending else []
            jobs = [self._jobs.popleft()]
            while self._jobs and len(jobs) < _TOGETHER and not (jobs[0].alone or self._jobs[0].alone):
                jobs.append(self._jobs.popleft())
            return jobs
