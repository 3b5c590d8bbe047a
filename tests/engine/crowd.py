"""Clients of one stage that come and leave, each served in a task of its own."""

from __future__ import annotations

import asyncio

from proxy.message.fields import FieldLine
from tests.engine.stage import Client, Stage, asking

PUBLIC = (b"Cache-Control", b"max-age=60")
NO_STORE = (b"Cache-Control", b"no-store")
TAG = (b"ETag", b'"1"')


class Crowd:
    """Clients of one stage, each served in a task of its own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tasks: list[asyncio.Task[Client]] = []
        self.clients: list[Client] = []

    async def come(
        self, *lines: FieldLine, target: bytes = b"/", method: bytes = b"GET", slow: bool = False
    ) -> Client:
        client = Client(asking(target, *lines, method=method))
        if slow:
            client.room.clear()
        self.clients.append(client)
        self.tasks.append(asyncio.ensure_future(self.stage.serve(client)))
        await turns()
        return client

    async def leave(self, index: int) -> None:
        self.tasks[index].cancel()
        await turns()

    async def end(self) -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await self.end()


async def turns(count: int = 12) -> None:
    """Let the loop take so many turns."""
    for _ in range(count):
        await asyncio.sleep(0)


def asked(crowd: Crowd) -> int:
    return len(crowd.stage.origin.asked)
