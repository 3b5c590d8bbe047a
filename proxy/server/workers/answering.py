"""What a worker answers when whoever serves the admin address asks it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import Any

import msgspec

from proxy.engine.purging import Report, Wish
from proxy.message.errors import PellucidError
from proxy.server.admin.live import PAUSE, lines
from proxy.server.admin.recent import Watcher
from proxy.server.admin.site import Sources
from proxy.server.lane.records import Late
from proxy.server.process import process_figures
from proxy.server.workers.link import Link
from proxy.upstream.address import Server, parse_server
from proxy.visibility.account import Account

Change = Callable[[Sequence[tuple[Server, float]]], None]
Count = Callable[[Wish], Awaitable[Report]]


class Answering:
    """Answers on one link after the other.

    `change` has other servers behind, `count` says what a purge would remove, without a word in the log.
    """

    def __init__(self, sources: Sources, change: Change, count: Count) -> None:
        self._from = sources
        self._change = change
        self._count = count
        self._links: set[asyncio.Task[None]] = set()

    def take(self, file: int) -> None:
        """Answer what is asked on a connected socket, until its other end is gone."""
        task = asyncio.get_running_loop().create_task(self._run(file))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def close(self) -> None:
        """Answer nothing more."""
        for task in self._links:
            task.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _run(self, file: int) -> None:
        with ExitStack() as watching:
            await (await Link.over(file)).run(
                _Questions(self._from, self._change, self._count, watching).answer
            )


class _Questions:
    """Those of one link; `watching` ends with it."""

    def __init__(self, sources: Sources, change: Change, count: Count, watching: ExitStack) -> None:
        self._from = sources
        self._change = change
        self._count = count
        self._watching = watching
        self._watcher: Watcher | None = None

    async def answer(self, what: str, value: Any) -> Any:
        """The answer to a question. Raises PellucidError."""
        match what:
            case "totals":
                return self._totals()
            case "latest":
                return await self._several(self._from.recent.last(value))
            case "minutes":
                return await self._several(self._from.window.exchanges(self._from.now()))
            case "one":
                return await self._from.one(value)
            case "watch":
                return await self._watch()
            case "watch no more":
                self._watch_no_more()
            case "servers":
                servers = self._from.servers
                return await servers.figures() if servers is not None else None
            case "change servers":
                self._change([(parse_server(url), weight) for url, weight in value])
            case "purge":
                wish, client = msgspec.convert(value, tuple[Wish, str])
                if self._from.purge is None:
                    raise PellucidError("nothing is stored here")
                return msgspec.to_builtins(await self._from.purge(wish, client))
            case "count":
                return msgspec.to_builtins(await self._count(msgspec.convert(value, Wish)))
            case _:
                raise PellucidError("a question that is not known", evidence=what)
        return None

    def _totals(self) -> dict[str, Any]:
        sources = self._from
        sources.flush()
        in_flight, connections = sources.figures.now()
        return {
            "figures": msgspec.to_builtins(sources.figures.told(sources.now())),
            "in_flight": in_flight,
            "connections": connections,
            "storage": dataclasses.asdict(sources.storage()),
            "lost": sources.lost(),
            "process": process_figures(),
        }

    async def _several(self, exchanges: Sequence[Account | Late]) -> list[tuple[float, bytes]]:
        """Lines, each with the time at which its exchange ended."""
        self._from.flush()
        made = [line async for line in lines(exchanges, self._from.line)]
        return [(_ended(one), line) for one, line in zip(exchanges, made, strict=True)]

    async def _watch(self) -> tuple[int, list[bytes]]:
        """What has ended since it was asked last, as soon as something has; and how many are left out."""
        watcher = self._watcher
        if watcher is None:
            watcher = self._watcher = self._watching.enter_context(self._from.recent.watch())
        else:
            await asyncio.sleep(PAUSE)
        seen = await watcher.look()
        return seen.lost, [line async for line in lines(seen.accounts, self._from.line)]

    def _watch_no_more(self) -> None:
        """Nobody watches any more: a look that is still waiting ends."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()
        self._watching.close()


def _ended(exchange: Account | Late) -> float:
    return exchange.started + (exchange.duration or 0.0) if isinstance(exchange, Account) else exchange.ended
