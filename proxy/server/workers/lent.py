"""Sockets of workers that don't serve at the moment, on which another one accepts meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

Accept = Callable[[Sequence[socket.socket]], Awaitable[Callable[[], None]]]


class Lent:
    """Has connections accepted on sockets that are lent. `accept` begins it, and gives what ends it."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self._wanted_back: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def take(self, worker: int, files: Sequence[int]) -> None:
        """Accept on the sockets of `worker`, which are this object's from now on."""
        sockets = [socket.socket(fileno=file) for file in files]
        if self._closed:
            _close(sockets)
            return
        self.give_back(worker)
        wanted_back = self._wanted_back[worker] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._keep(sockets, wanted_back))
        task.add_done_callback(partial(self._over, sockets))
        self._tasks.add(task)

    def give_back(self, worker: int) -> None:
        """Accept no more on the sockets of `worker`; what was accepted goes on."""
        wanted_back = self._wanted_back.pop(worker, None)
        if wanted_back is not None:
            wanted_back.set()

    async def close(self) -> None:
        """Accept nothing more for others."""
        self._closed = True
        for worker in list(self._wanted_back):
            self.give_back(worker)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, sockets: Sequence[socket.socket], wanted_back: asyncio.Event) -> None:
        end = await self._accept(sockets)  # never cancelled: whatever was begun is ended
        try:
            await wanted_back.wait()
        finally:
            end()

    def _over(self, sockets: Sequence[socket.socket], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        _close(sockets)


def _close(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        one.close()
