"""How full the servers are, as they say themselves now and then."""

from __future__ import annotations

import asyncio
from time import monotonic

from proxy.storage.contract import Figures
from proxy.storage.valkey.channel import answers
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.servers import Servers

_EVERY = 2.0
_PATIENCE = 0.5


class Gauge:
    """Asks in the background, when somebody wants to know and the last answer is some seconds old."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._last = Figures(0, 0, 0, 0, 0)
        self._asked = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def figures(self, held: int) -> Figures:
        """What was said last, and `held` bytes more."""
        now = monotonic()
        if now - self._asked > _EVERY and (self._task is None or self._task.done()):
            self._asked = now
            self._task = asyncio.get_running_loop().create_task(self.ask())
        last = self._last
        return Figures(last.entries, last.bytes + held, last.budget, last.evicted, last.expired)

    async def ask(self) -> None:
        """Learn how it is now."""
        nodes = [node for node in self._servers.nodes if node.well]
        questions = [
            question
            for node in nodes
            for question in (node.ask("INFO", "memory", "stats"), node.ask("DBSIZE"))
        ]
        if not questions:
            return
        replies = await answers(questions, _PATIENCE)
        if any(isinstance(reply, Exception) for reply in replies):
            return
        said = [_numbers(reply) for reply in replies[::2]]

        def total(name: str) -> int:
            return sum(numbers.get(name, 0) for numbers in said)

        entries = sum(reply for reply in replies[1::2] if isinstance(reply, int))
        self._last = Figures(
            entries, total("used_memory"), total("maxmemory"), total("evicted_keys"), total("expired_keys")
        )

    async def close(self) -> None:
        """Leave off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _numbers(reply: Reply) -> dict[str, int]:
    if not isinstance(reply, bytes):
        return {}
    pairs = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: int(value) for name, _, value in pairs if value.isascii() and value.isdigit()}
