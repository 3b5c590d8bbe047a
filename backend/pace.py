"""Holds a replica to a fixed capacity, as if each request needed the same time of one server."""

from __future__ import annotations

import threading

from backend.problems import Problem

LONGEST_QUEUE = 10.0
"""For how many seconds a request may queue before it is turned away."""


class Pace:
    """`rate` in requests per second, 0 for no limit; threads may share one.

    Requests are served one after the other in the order in which they came, each for 1/rate seconds. A
    request that finds nobody before it takes that long, and nothing is saved up while nobody comes, so
    the rate is never exceeded.
    """

    def __init__(self, rate: float) -> None:
        self._each = 1 / rate if rate else 0.0
        self._free = 0.0
        self._lock = threading.Lock()

    def wait(self, now: float) -> float:
        """How many seconds a request that comes now has to wait for its answer; `now` never goes back.

        Raises Problem("overloaded") where it would queue for longer than LONGEST_QUEUE.
        """
        if not self._each:
            return 0.0
        with self._lock:
            begun = max(self._free, now)
            if begun - now > LONGEST_QUEUE:
                raise Problem("overloaded", headers=[("Retry-After", "10")])
            self._free = begun + self._each
            return self._free - now
