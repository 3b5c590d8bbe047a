"""Hands what is to be written to a thread of its own, so that no exchange waits for a file or a terminal."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from math import inf
from time import sleep
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
S = TypeVar("S")

GATHER = 0.02
"""Seconds for which what is put is gathered before it is written together, unless said otherwise."""

RETRY = 1.0
"""Seconds between two attempts to write what could not be written."""

_AT_ONCE = 4096
_TURN = 0.0002


class Sink(Protocol[S]):
    """Where a spool ends; called from its thread only."""

    def write(self, items: list[S], /) -> int:
        """Deal with items in order, none where the spool was only woken; how many are done with.

        Those that are not are given again, `RETRY` seconds later. The first of them may be replaced in
        `items` by what is left of it.
        """
        ...


class Spool(Generic[T]):
    """A bounded queue, and one thread that empties it every `gather` seconds: it writes much at once.

    At most `capacity` of what `size` counts is held; what does not fit is lost, and counted by `count`. To be
    filled from one thread only. The thread starts with the first item.
    """

    def __init__(
        self,
        sink: Sink[T],
        capacity: int,
        size: Callable[[T], int],
        *,
        name: str,
        count: Callable[[T], int] = lambda _: 1,
        crowded: float = inf,
        gather: float = GATHER,
        retry: float = RETRY,
    ) -> None:
        self._sink = sink
        self._capacity = capacity
        self._size = size
        self._count = count
        self._crowded = crowded
        self._gather = gather
        self._retry = retry
        self._waiting: deque[T] = deque()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = False
        self._idle = False
        self._woken = threading.Event()
        self._closing = threading.Event()
        # Each counter is written by one thread only.
        self._taken = 0
        self._done = 0
        self._refused = 0
        self._given_up = 0

    @property
    def lost(self) -> int:
        """How many items were lost so far."""
        return self._refused + self._given_up

    def put(self, item: T) -> bool:
        """Add an item; False where it was lost because there is no room, or after `close`.

        Never waits for what is written. Only where more than `crowded` waits, the thread gets its turn: one
        that is busy without a pause on one processor would not let it have the interpreter by itself.
        """
        size = self._size(item)
        if self._taken - self._done + size > self._capacity or self._closing.is_set():
            self._refused += self._count(item)
            return False
        self._taken += size
        self._waiting.append(item)
        if self._taken - self._done > self._crowded:
            sleep(_TURN)
        if self._idle:
            self.wake()
        elif not self._started:
            self._started = True
            self._thread.start()
        return True

    def wake(self) -> None:
        """Let the sink look around even where there is nothing to write."""
        self._idle = False
        self._woken.set()

    def close(self, timeout: float) -> bool:
        """Write what is there, waiting for at most `timeout` seconds; False where that was not enough."""
        self._closing.set()
        self.wake()
        if self._started:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pending: list[T] = []
        while True:
            while self._waiting and len(pending) < _AT_ONCE:
                pending.append(self._waiting.popleft())
            last = self._closing.is_set()
            before = sum(map(self._size, pending))
            done = self._sink.write(pending)
            del pending[:done]
            self._done += before - sum(map(self._size, pending))
            if last and (pending or not self._waiting):
                self._given_up += sum(map(self._count, (*pending, *self._waiting)))
                return
            if pending:
                self._closing.wait(self._retry)
            else:
                self._sleep()

    def _sleep(self) -> None:
        """Until something is put, and then a little longer so that more comes together."""
        self._idle = True
        if self._waiting:
            self._idle = False
        else:
            self._woken.wait()
        self._woken.clear()
        self._closing.wait(self._gather)
