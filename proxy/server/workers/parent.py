"""The parent of the processes that serve: starts them, replaces those that die, and ends them together.

It serves nothing itself. It has no loop, no thread and no lock when it forks, and opens nothing that can't be
shared: all modules are there already, so that a process is ready within milliseconds, and nothing of the
parent's can be torn in it. That stays so for as long as it runs, and so for those who take another's place.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from proxy.message.errors import ConfigurationError, PellucidError
from proxy.server.log.records import say
from proxy.server.workers.child import SIGNALS, become
from proxy.server.workers.job import TO_START, Job, Place
from proxy.server.workers.post import (
    Alive,
    Failed,
    Leaving,
    Link,
    Message,
    Post,
    Ready,
    Reopen,
    Servers,
    Stop,
)
from proxy.server.workers.watch import Watch

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before a process is replaced that died at once: twice as many each time, up to the longest."""

LIVED = 10.0
"""A process that served for so many seconds is replaced without waiting."""

HURRIED = 5.0
"""Seconds that a process gets to end when it is hurried."""


CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT)
"""The signals by which a process ends for what it found in its memory, or in a file that it has mapped."""


class NoWorkers(PellucidError):  # noqa: N818 - it says what is missing
    """The processes could not be started, for no fault of what their user asked for."""


@dataclass(slots=True)
class Parent:
    """Has each of `jobs` done by a process of its own until a signal says to stop.

    `servers` are those behind at the start. `sockets` are closed as soon as nobody is to be served any more.
    `reload` gives the servers behind from now on, when SIGHUP has come; None: they stay. `grace` is how many
    seconds exchanges under way have left at the end. `crashed` is called when one has crashed, before another
    takes its place. One that gives no sign for `patience` seconds is ended by force (0: never).
    """

    jobs: Sequence[Job]
    servers: Servers
    sockets: Sequence[socket.socket] = ()
    grace: float = 30.0
    reload: Callable[[Servers], Servers | None] = lambda _: None
    crashed: Callable[[], None] = lambda: None
    patience: float = 0.0
    _serial: int = 0
    _stops: int = 0
    _deadline: float = float("inf")
    _up: bool = False
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _woken: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)

    def run(self, started: Callable[[], None]) -> None:
        """Start all, call `started` once all are ready, and return when all have ended.

        Raises ConfigurationError or NoWorkers where they can't start; none of them is left then.
        """
        for end in self._woken:
            end.setblocking(False)
        signal.set_wakeup_fd(self._woken[1].fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)
        self._selector.register(self._woken[0], selectors.EVENT_READ)
        gc.collect()
        gc.freeze()  # so that no process writes on what all of them share
        try:
            self._start_all()
            self._wait_for_all()
            if not self._stops:
                self._up = True
                started()
            watch = Watch(self.jobs, self.patience, time.monotonic())
            while any(job.process or self._waits(job) for job in self.jobs):
                self._turn()
                if not self._stops:
                    watch.look(time.monotonic())
        finally:
            self._kill()
            signal.set_wakeup_fd(-1)
            self._selector.close()
            for end in self._woken:
                end.close()

    def _start_all(self) -> None:
        for job in self.jobs:
            try:
                self._start(job)
            except OSError as error:
                raise NoWorkers(f"{job.name} can't be started", evidence=error.strerror or "") from error

    def _wait_for_all(self) -> None:
        ends = time.monotonic() + TO_START
        while not all(job.ready for job in self.jobs) and not self._stops:
            self._turn()
            for job in self.jobs:
                if job.failed is not None and job.failed.configured:
                    raise ConfigurationError(job.failed.why)
                if not job.process:
                    why = f" ({job.failed.why})" if job.failed is not None else ""
                    raise NoWorkers(f"{job.name} ended before it served anybody{why}")
            if time.monotonic() > ends:
                raise NoWorkers(f"not all processes have started after {TO_START:g} s")

    # One turn.

    def _turn(self) -> None:
        """Wait for whatever comes first, and do what is to be done."""
        for key, _ in self._selector.select(self._patience()):
            if isinstance(key.data, Job):
                self._hear(key.data)
            else:
                self._heed_signals()
        self._bury()
        now = time.monotonic()
        for job in self.jobs:
            if self._waits(job) and (job.due or 0.0) <= now:
                self._start_again(job)
        if now >= self._deadline:
            self._kill()

    def _waits(self, job: Job) -> bool:
        """Whether its process has ended, and another is to take the place in a moment."""
        return job.due is not None and not self._stops

    def _patience(self) -> float:
        """Seconds until there is something to do that nobody tells of."""
        times = [job.due for job in self.jobs if job.due is not None and not self._stops]
        return max(0.0, min([*times, self._deadline, time.monotonic() + 1.0]) - time.monotonic())

    def _heed_signals(self) -> None:
        with suppress(BlockingIOError):
            for number in self._woken[0].recv(4096):
                if number in (signal.SIGTERM, signal.SIGINT):
                    self._stop()
                elif number == signal.SIGHUP and not self._stops:
                    self._tell(Reopen())
                    self._set_servers(self.reload(self.servers))

    def _hear(self, job: Job) -> bool:
        """Whether there was a message."""
        if job.post is None:
            return False
        try:
            received = job.post.receive()
        except BlockingIOError:
            return False
        if received is None:
            self._let_go(job)
            return False
        message, files = received
        for file in files:
            os.close(file)
        self._heed(job, message)
        return True

    def _let_go(self, job: Job) -> None:
        if job.post is not None:
            self._selector.unregister(job.post)
            job.post.close()
            job.post = None

    def _heed(self, job: Job, message: Message) -> None:
        match message:
            case Ready(address):
                job.ready, job.failed, job.heard = True, None, time.monotonic()
                job.address = address or job.address
            case Alive():
                job.heard = time.monotonic()
            case Leaving():
                job.leaving = True
            case Failed():
                job.failed = message
                if self._up:
                    say(f"{job.name} can't be started: {message.why}")
            case Servers():  # the admin address has told all of them already
                self.servers = message
            case _:
                pass

    def _set_servers(self, servers: Servers | None) -> None:
        if servers is not None:
            self.servers = servers
            self._tell(servers)

    def _tell(self, message: Message) -> None:
        for job in self.jobs:
            if job.post is not None:
                job.post.send(message)

    # Their lives.

    def _start_again(self, job: Job) -> None:
        """Have another process take a place, later where the system has nothing left for one now."""
        try:
            self._start(job)
        except OSError as error:
            job.wait = min(2 * job.wait, LONGEST_WAIT)
            job.due = time.monotonic() + job.wait
            say(f"{job.name} can't be started ({error.strerror}); tried again in {job.wait:.1f} s")

    def _start(self, job: Job) -> None:
        """Raises OSError where no process can be had."""
        ours, theirs = Post.pair()
        place = Place(self._serial + 1, theirs, self.servers)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # none of them is for both
        try:
            process = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            ours.close()
            theirs.close()
            raise
        self._serial += 1
        if not process:
            self._leave_the_parent(ours)
            os._exit(become(lambda: job.work(place), theirs, before))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        job.process, job.serial, job.post = process, self._serial, ours
        job.started, job.ready, job.due, job.failed = time.monotonic(), False, None, None
        job.leaving, job.silence = False, 0.0
        self._selector.register(ours, selectors.EVENT_READ, job)
        self._introduce(job)

    def _leave_the_parent(self, ours: Post) -> None:
        """In the new process: let go of what only the parent is to have."""
        self._selector.close()
        for end in self._woken:
            end.close()
        ours.close()
        for job in self.jobs:
            if job.post is not None:
                job.post.close()

    def _introduce(self, new: Job) -> None:
        """Give whoever gathers a way to each of the others."""
        pairs = [
            (one, other)
            for one in self.jobs
            for other in self.jobs
            if one.gathers and not other.gathers and new in (one, other)
        ]
        for gatherer, worker in pairs:
            if gatherer.post is None or worker.post is None:
                continue
            try:
                one, other = socket.socketpair()
            except OSError as error:
                say(f"the admin address can't ask {worker.name} ({error.strerror})")
                continue
            with one, other:
                link = Link(worker.serial, worker.number, worker.process)
                gatherer.post.send(link, [one.fileno()])
                worker.post.send(link, [other.fileno()])

    def _bury(self) -> None:
        """Take leave of those that have ended, and see to their replacement."""
        for job in self.jobs:
            if not job.process:
                continue
            process, status = os.waitpid(job.process, os.WNOHANG)
            if process:
                while self._hear(job):  # its last words may say why
                    pass
                self._let_go(job)
                job.process = 0
                if self._up and not self._stops:
                    self._replace(job, process, os.waitstatus_to_exitcode(status))

    def _replace(self, job: Job, process: int, status: int) -> None:
        if -status in CRASHES:
            self.crashed()
        now = time.monotonic()
        if now - job.started >= LIVED or not job.wait:
            wait, job.wait = 0.0, FIRST_WAIT
        else:
            wait, job.wait = job.wait, min(job.wait * 2, LONGEST_WAIT)
        job.due = now + wait
        how = f"was killed by {_signal(-status)}" if status < 0 else f"ended with status {status}"
        if job.silence:
            how = f"hung for {job.silence:.0f} s"
        when = f" in {wait:.1f} s" if wait else ""
        say(f"{job.name} (process {process}) {how}; another takes its place{when}")

    # The end.

    def _stop(self) -> None:
        """Have all end: the second time at once, from the third on by force."""
        self._stops += 1
        now = time.monotonic()
        if self._stops == 1:
            self._tell(Stop())
            self._deadline = now + 2 * self.grace + HURRIED
            for one in self.sockets:
                one.close()
        elif self._stops == 2:
            self._tell(Stop(hurried=True))
            self._deadline = min(self._deadline, now + HURRIED)
        else:
            self._deadline = now

    def _kill(self) -> None:
        """End those that are still there by force."""
        self._deadline = float("inf")
        left = [job for job in self.jobs if job.process]
        for job in left:
            os.kill(job.process, signal.SIGKILL)
        for job in left:
            os.waitpid(job.process, 0)
            job.process = 0


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
