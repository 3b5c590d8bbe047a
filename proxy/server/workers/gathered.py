"""What all workers together show at the admin address, asked of each of them when somebody looks."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec

from proxy.engine.purging import Report, Wish, merged
from proxy.message.errors import PellucidError
from proxy.server.admin.figures import Figures, Told
from proxy.server.admin.recent import Exchange
from proxy.server.admin.window import MOST, Window
from proxy.server.process import process_figures
from proxy.server.workers.gathered_servers import GatheredServers
from proxy.server.workers.link import Link, LinkBroken, Refused
from proxy.server.workers.past import Past
from proxy.server.workers.relay import Relay
from proxy.visibility.account import Account

PATIENCE = 1.0
"""Seconds that a worker gets to answer; one that did not is not waited for again until it has."""

TO_PURGE = 60.0
"""Seconds that a worker gets to count, and to purge."""

LOOK = 1.0
"""Seconds between two looks at the totals, so that little is lost with a worker that dies."""

_OWN_TIERS = ("memory",)
"""Tiers that each worker has for itself; what others hold is the same for all."""


@dataclass(slots=True, eq=False)
class Worker:
    """One worker as it is seen from here, and what it told last."""

    number: int
    process: int
    link: Link
    running: asyncio.Task[None] | None = None
    pending: asyncio.Task[Any] | None = None  # an answer that has been due for long
    totals: dict[str, Any] | None = None
    silent: bool = False

    async def ask(self, what: str, value: object = None, patience: float = PATIENCE) -> Any:
        """Its answer; raises LinkBroken where there is none in time, and Refused."""
        if self.pending is not None and not self.pending.done():
            raise LinkBroken("the worker does not answer", evidence=f"process {self.process}")
        asking = asyncio.get_running_loop().create_task(self.link.ask(what, value))
        done, _ = await asyncio.wait((asking,), timeout=patience)
        self.silent = not done
        if not done:
            self.pending = asking
            asking.add_done_callback(self._late)
            raise LinkBroken("the worker does not answer", evidence=f"process {self.process}")
        return asking.result()

    def _late(self, asking: asyncio.Task[Any]) -> None:
        self.silent = False
        if not asking.cancelled():
            asking.exception()


class Gathered:
    """`Shown`, for the admin address, by all workers. `started` is when the first of them was.

    `changed` is told of the servers behind when they were changed here; `past` has what was counted before.
    """

    def __init__(
        self,
        started: float,
        changed: Callable[[Sequence[tuple[str, float]]], None],
        servers: Sequence[tuple[str, float]],
        past: Past,
        *,
        changeable: bool,
        purging: bool = True,
    ) -> None:
        self.workers: list[Worker] = []
        self.recent = self._relay = Relay()
        self.window = Window()
        self.servers = GatheredServers(self.ask_all, changed, servers) if changeable else None
        self.purge: Callable[[Wish, str], Awaitable[Report]] | None = self._purge if purging else None
        self.is_stopping = False
        self._started = started
        self._past = past
        self._looking: asyncio.Task[None] | None = None

    def stopping(self) -> bool:
        """Whether no more requests are taken."""
        return self.is_stopping

    async def add(self, number: int, process: int, file: int) -> None:
        """One worker more, at the other end of a connected socket."""
        worker = Worker(number, process, await Link.over(file))
        self.workers.append(worker)
        worker.running = asyncio.get_running_loop().create_task(self._run(worker))
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())
        self._relay.join(worker.link)
        if self.servers is not None:
            with suppress(LinkBroken, Refused):
                await worker.ask("change servers", self.servers.current)

    def set_servers(self, servers: Sequence[tuple[str, float]]) -> None:
        """These are behind from now on; the workers know already."""
        if self.servers is not None:
            self.servers.current = list(servers)

    async def deserted(self, hurried: asyncio.Event) -> None:
        """Wait until all workers are gone, or `hurried` is set."""
        gone = [one.running for one in self.workers if one.running is not None]
        hurry = asyncio.get_running_loop().create_task(hurried.wait())
        everyone = asyncio.gather(*gone, return_exceptions=True)
        await asyncio.wait((everyone, hurry), return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        everyone.cancel()
        await asyncio.gather(hurry, everyone, return_exceptions=True)

    async def close(self) -> None:
        """Ask nothing more."""
        tasks = [task for one in self.workers for task in (one.running, one.pending) if task is not None]
        tasks += [self._looking] if self._looking is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._relay.stop()

    # What is shown.

    async def totals(self) -> dict[str, Any]:
        """All figures, for JSON; those of a worker that doesn't answer are the last that it told."""
        await self._renew()
        told = [worker.totals for worker in self.workers if worker.totals is not None]
        figures = Figures(
            self._started,
            in_flight=lambda: sum(one["in_flight"] for one in told),
            connections=lambda: sum(one["connections"] for one in told),
        )
        now = time.time()
        figures.add_told(self._past.figures.told(now))
        for one in told:
            figures.add_told(msgspec.convert(one["figures"], Told))
        return {
            **figures.snapshot(now),
            "storage": _stored([one["storage"] for one in told], self._past.counts),
            "log": {"lost": self._past.lost + sum(one["lost"] for one in told)},
            "process": self._processes(told),
            "workers": [_shown(worker) for worker in sorted(self.workers, key=lambda one: one.number)],
        }

    async def latest(self, limit: int) -> Sequence[bytes]:
        """The last `limit` exchanges of all."""
        return _in_order(await self.ask_all("latest", limit))[-limit:]

    async def minutes(self) -> Sequence[bytes]:
        """The exchanges of the last minutes, of all."""
        return _in_order(await self.ask_all("minutes"))[-MOST:]

    async def one(self, identifier: str) -> bytes | None:
        """The exchange with that id, whoever has served it."""
        return next((line for line in await self.ask_all("one", identifier) if line is not None), None)

    def line(self, exchange: Exchange) -> bytes:
        """An exchange as it stands in the log."""
        if isinstance(exchange, Account):
            raise TypeError("an exchange of another process has a line")
        return exchange.line()

    async def _purge(self, wish: Wish, client: str) -> Report:
        """Count in all but one of them, and have that one do it: it's done for all before it has answered."""
        counting = msgspec.to_builtins(msgspec.structs.replace(wish, dry=True))
        doing = msgspec.to_builtins(wish)
        error: PellucidError = LinkBroken("no worker answers")
        await self._renew()  # shows who is silent: a purge can't wait for one that hangs
        for worker in sorted(self.workers, key=lambda one: one.silent):
            counted = await self._ask_all("count", counting, TO_PURGE, but=worker)
            try:
                done = msgspec.convert(await worker.ask("purge", (doing, client), TO_PURGE), Report)
            except (LinkBroken, Refused) as refused:
                if refused.status != LinkBroken.status:  # any other would say the same
                    raise
                error = refused
                continue
            report = merged([done, *(msgspec.convert(one, Report) for one in counted)])
            return msgspec.structs.replace(report, soft=done.soft, dry=done.dry)
        raise error

    async def ask_all(self, what: str, value: object = None) -> list[Any]:
        """The answers of all that answer, by number. Raises Refused where one of them refuses."""
        return await self._ask_all(what, value, PATIENCE)

    async def _ask_all(
        self, what: str, value: object, patience: float, but: Worker | None = None
    ) -> list[Any]:
        workers = sorted((one for one in self.workers if one is not but), key=lambda one: one.number)
        asked = (one.ask(what, value, patience) for one in workers)
        found = []
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if not isinstance(answer, BaseException):
                found.append(answer)
            elif not isinstance(answer, LinkBroken):
                raise answer
        return found

    # The workers.

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self._renew()

    async def _renew(self) -> None:
        await asyncio.gather(*(self._renew_one(worker) for worker in list(self.workers)))

    async def _renew_one(self, worker: Worker) -> None:
        with suppress(LinkBroken, Refused):
            worker.totals = await worker.ask("totals")

    async def _run(self, worker: Worker) -> None:
        """Until it is gone; what it has counted stays."""
        await worker.link.run()
        self.workers.remove(worker)
        self._relay.part(worker.link)
        if worker.totals is not None:
            self._past.add(worker.totals, time.time())

    def _processes(self, told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What all of them take together; the process is the parent, which takes nothing to speak of."""
        own = process_figures()
        all_of_them = [own, *(one["process"] for one in told)]
        return {
            "pid": os.getppid(),
            "cpu": self._past.cpu + sum(one["cpu"] for one in all_of_them),
            "rss": sum(one["rss"] or 0 for one in all_of_them),
        }


def _shown(worker: Worker) -> dict[str, Any]:
    figures = (worker.totals or {}).get("process", {})
    return {
        "worker": worker.number + 1,
        "pid": worker.process,
        "state": "silent" if worker.silent else "well",
        "cpu": figures.get("cpu"),
        "rss": figures.get("rss"),
        "connections": (worker.totals or {}).get("connections"),
    }


def _stored(stores: Sequence[Mapping[str, Any]], past: Mapping[str, int]) -> dict[str, Any]:
    """What is stored: added up where each worker has its own, and as one of them says where they share it."""
    tiers: dict[str, Any] = {}
    for name in dict.fromkeys(name for one in stores for name in one.get("tiers", {})):
        those = [one["tiers"][name] for one in stores if name in one["tiers"]]
        tiers[name] = _added(those) if name in _OWN_TIERS else _greatest(those)
    if tiers:
        whole = _greatest([{k: v for k, v in one.items() if k != "tiers"} for one in stores])
    else:
        whole = _added(stores)
        for name, count in past.items():
            whole[name] += count
    return {**whole, "tiers": tiers}


def _added(those: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("entries", "bytes", "budget", "evicted", "expired")
    return {name: sum(one[name] for one in those) for name in names}


def _greatest(those: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("entries", "bytes", "budget", "evicted", "expired")
    return {name: max((one[name] for one in those), default=0) for name in names}


def _in_order(answers: Sequence[Sequence[tuple[float, bytes]]]) -> list[bytes]:
    return [line for _, line in sorted(chain.from_iterable(answers), key=itemgetter(0))]
