"""The parent's eye on its processes: who gives no sign is ended, and others serve in its place until then.

A process gives a sign each `BEAT` seconds from its loop: one that hangs doesn't, whatever holds it. The
kernel goes on giving it its part of the new connections, as it does where nobody has the place for a while.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from proxy.server.workers.job import TO_START, Job
from proxy.server.workers.post import MOST_FILES, Lend, Return

BEAT = 0.5
"""Seconds between two signs that a process gives."""

AWAY = 2.0
"""Seconds without a sign after which another process accepts the connections as well."""


class Watch:
    """Looks after `jobs`. One that is silent for `patience` seconds is ended by force (0: never).

    `now` is the time by the monotonic clock.
    """

    def __init__(self, jobs: Sequence[Job], patience: float, now: float) -> None:
        self._jobs = jobs
        self._patience = patience and max(patience, 2 * BEAT)
        self._looked = now
        self._lent: dict[Job, tuple[Job, int]] = {}  # to whom, and the serial number of its process

    def look(self, now: float) -> None:
        """Do what is due. To be called often."""
        held_up, self._looked = now - self._looked, now
        for job in self._jobs:
            if held_up > AWAY:  # nobody could be heard meanwhile
                job.heard = min(job.heard + held_up, now)
                job.started = min(job.started + held_up, now)
            self._end_silent(job, now)
        for job in self._jobs:
            self._have_served(job, now)

    def _end_silent(self, job: Job, now: float) -> None:
        silence = now - max(job.heard, job.started)
        patience = self._patience if job.ready else max(self._patience, TO_START)
        if self._patience and job.process and not job.silence and silence > patience:
            job.silence = silence
            os.kill(job.process, signal.SIGKILL)

    def _have_served(self, job: Job, now: float) -> None:
        """See to it that somebody accepts on the sockets of `job`."""
        keeper, serial = self._lent.get(job, (None, 0))
        away = not _serves(job, now)
        if keeper is not None and (not away or not _serves(keeper, now) or keeper.serial != serial):
            del self._lent[job]
            if keeper.post is not None and keeper.serial == serial:
                keeper.post.send(Return(job.number))
            keeper = None
        if away and keeper is None and 0 < len(job.sockets) <= MOST_FILES:
            files = [one.fileno() for one in job.sockets]
            others = (one for one in self._jobs if one is not job and one.sockets and _serves(one, now))
            for other in others:
                if other.post is not None and other.post.send(Lend(job.number), files):
                    self._lent[job] = other, other.serial
                    return


def _serves(job: Job, now: float) -> bool:
    return job.ready and bool(job.process) and not job.leaving and now - job.heard <= AWAY
