"""Work that goes on after its client was answered: bounded, never twice for one thing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)

Work = Callable[[], Coroutine[Any, Any, None]]

LONGEST = 300.0
"""Seconds after which work is given up: an origin that drips must not take up all there may be."""


class Background:
    """Tasks under a name each; one that is already there, or would be one too many, is not started.

    `longest` is how many seconds each may take, None for any time; `limit` None for any number.
    """

    def __init__(self, limit: int | None, longest: float | None = LONGEST) -> None:
        self._limit = limit
        self._longest = longest
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, name: Hashable, work: Work) -> asyncio.Task[None] | None:
        """Start `work` unless `name` is at work already or the limit is reached: None then."""
        if name in self._tasks or (self._limit is not None and len(self._tasks) >= self._limit):
            return None
        longest = self._longest
        task = asyncio.get_running_loop().create_task(work() if longest is None else _bounded(work, longest))
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))
        return task

    def _ended(self, name: Hashable, task: asyncio.Task[None]) -> None:
        self._tasks.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", exc_info=error)

    async def close(self) -> None:
        """Cancel what is still going on and wait until it has ended."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _bounded(work: Work, longest: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(longest):
            await work()
