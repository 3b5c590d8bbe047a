"""What is done to its end once it has begun, whether or not anybody still waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 3.0
"""Seconds that what is still being done gets when all ends."""


class Finishing:
    """Work that must not be left half done when whoever asked for it is gone."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which goes on where the caller is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def close(self, patience: float = PATIENCE) -> None:
        """Wait for what is being done, for so many seconds at most; what takes longer is given up."""
        if tasks := list(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
