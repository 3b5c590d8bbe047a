"""Reads logs with as many processes as there are to do it, and puts together what they counted."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from proxy.caching.policy import Policy
from proxy.commands.inspecting.choosing import Choice
from proxy.commands.inspecting.working import MOST_FAULTS, Counted, Progress, count_span, seldom_collecting
from proxy.message.errors import PellucidError
from proxy.visibility.inspecting.aggregate import BUDGET, Aggregate
from proxy.visibility.inspecting.predictions import Case, predict_case
from proxy.visibility.inspecting.report import Fault, Prediction, Source
from proxy.visibility.observation import Part
from proxy.visibility.reading import Reading, Span, open_source

WORTH_SPLITTING = 16 << 20
"""Bytes from which on several processes read a file."""

WORTH_SHARING = 20_000
"""Requests to replay from which on several processes do it."""


class WorkerLost(PellucidError):  # noqa: N818 - as the other errors here
    """A process that read a part of a log ended before its time."""


@dataclass(frozen=True, slots=True)
class Job:
    """How logs are to be read and counted. `workers` is how many processes may do it at once."""

    reading: Reading
    choice: Choice
    policy: Policy
    workers: int = 1
    budget: int = BUDGET


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Run:
    """One run over some logs. To be used with `with`, which ends the processes."""

    def __init__(self, job: Job, progress: Progress) -> None:
        self._job = job
        self._progress = progress
        self._stack = ExitStack()
        self._pool: ProcessPoolExecutor | None = None
        self._read: Any = None

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._stack.close()

    def count(self, paths: Sequence[str]) -> tuple[Aggregate, list[Source]]:
        """What is in some logs, counted. Raises UnreadableSource, ConfigurationError and WorkerLost."""
        total = Aggregate(self._job.policy, self._job.budget)
        sources = []
        for path in paths:
            with open_source(path, self._job.reading) as source:
                spans = source.spans(self._job.workers) if (source.size or 0) >= WORTH_SPLITTING else []
                if len(spans) > 1 and self._job.workers > 1:
                    parts = self._count_spans(spans)
                else:
                    counted = Counted(Aggregate(self._job.policy, self._job.budget))
                    with seldom_collecting():
                        counted.take(source.batches(), self._job.choice, self._progress)
                    parts = iter((counted,))
                sources.append(_put_together(source.name, source.format, parts, total))
        return total, sources

    def predict(self, cases: Sequence[Case]) -> Iterable[list[Prediction]]:
        """Replay what is worth it, in several processes where there is much of it."""
        if self._job.workers < 2 or sum(len(case.asked) for case in cases) < WORTH_SHARING / 10:
            return map(predict_case, cases)
        try:
            return list(self._processes().map(predict_case, cases))
        except BrokenProcessPool as error:
            raise _lost() from error

    def _count_spans(self, spans: Sequence[Span]) -> Iterator[Counted]:
        pool, job = self._processes(), self._job
        futures: list[Future[Counted]] = [
            pool.submit(_work, span, job.reading, job.choice, job.policy, job.budget) for span in spans
        ]
        waiting: set[Future[Counted]] = set(futures)
        try:
            while waiting:
                _, waiting = wait(waiting, timeout=0.1)
                self._tell()
            while futures:  # each is let go of as soon as it is counted in
                yield futures.pop(0).result()
        except BrokenProcessPool as error:
            raise _lost() from error

    def _tell(self) -> None:
        try:
            while True:
                self._progress(self._read.get_nowait())
        except queue.Empty:
            return

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context: Any = multiprocessing.get_context(_start_method())
            self._read = context.Queue()
            self._pool = self._stack.enter_context(
                ProcessPoolExecutor(self._job.workers, context, _begin, (self._read,))
            )
        return self._pool


def _put_together(name: str, form: str, parts: Iterator[Counted], total: Aggregate) -> Source:
    """Add the parts of one source, in its order, to the total."""
    exchanges = left_out = lines = 0
    faults: list[Fault] = []
    known, wanted = Part(0), False
    for part in parts:
        faults += [Fault(lines + one.line, one.why) for one in part.faults]
        exchanges += part.exchanges
        left_out += part.left_out
        lines += part.lines
        for held in part.helds:
            form = form or held.format
            known = held.parts if not wanted else known & held.parts
            wanted = True
        total.merge(part.aggregate)
    names = tuple(part.name.lower().replace("_", " ") for part in Part if part in known and part.name)
    return Source(name, form, exchanges, left_out, names, tuple(faults[:MOST_FAULTS]))


def _start_method() -> str:
    """How processes begin: where that is safe as copies of this one, which need not import anything."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


def _lost() -> WorkerLost:
    return WorkerLost("a process that read a part of the log has ended; perhaps there was too little memory")


_queue: Any = None


def _begin(read: Any) -> None:
    """What a new process does first."""
    global _queue
    _queue = read
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is interrupted too, and ends the others


def _work(span: Span, reading: Reading, choice: Choice, policy: Policy, budget: int) -> Counted:
    told = [0]

    def progress(size: int) -> None:
        told[0] += size
        if told[0] >= 1 << 20:
            _queue.put(told[0])
            told[0] = 0

    counted = count_span(span, reading, choice, policy, progress, budget)
    _queue.put(told[0])
    return counted
