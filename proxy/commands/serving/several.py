"""`pellucid serve --workers N`: what each of the processes does, and what they have in common."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from proxy.commands.serve import Wanted, loop_factory, open_outlets, started_line
from proxy.commands.serving.reloading import Reloading
from proxy.message.errors import ConfigurationError
from proxy.server import ids
from proxy.server.admin.site import admin_runner
from proxy.server.app import Address, Proxy, taken
from proxy.server.configuration import Settings
from proxy.server.log.records import say
from proxy.server.log.turn import Turn
from proxy.server.process import collect_seldom, print_line
from proxy.server.workers.answering import Answering
from proxy.server.workers.child import Orders
from proxy.server.workers.gathered import Gathered
from proxy.server.workers.job import Job, Place
from proxy.server.workers.lent import Lent
from proxy.server.workers.parent import Parent
from proxy.server.workers.past import Keepsake, Past
from proxy.server.workers.post import Link, Servers
from proxy.server.workers.sockets import listen
from proxy.storage.local_claims import ClaimTable, LocalClaims
from proxy.storage.news import News
from proxy.storage.opening import Places
from proxy.upstream.address import Server, parse_server
from proxy.visibility.redaction import Redaction

Work = Callable[[Place], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Common:
    """What all processes have, made before there are several: nothing of it can be torn by one that dies."""

    wanted: Wanted
    sockets: Sequence[Sequence[socket.socket]]  # one for each worker, then those of the admin address
    changeable: bool
    started: float
    turn: Turn
    claims: ClaimTable
    news: News
    keepsake: Keepsake

    @property
    def workers(self) -> int:
        return len(self.claims.pipes)

    @property
    def places(self) -> Places:
        """Where responses are kept, beside memory."""
        return Places.named(self.wanted.settings.storage.store)


def serve_with(wanted: Wanted, workers: int, reloading: Reloading) -> None:
    """Serve with so many processes until a signal says to stop. Raises ConfigurationError."""
    if sys.platform != "linux":
        raise ConfigurationError("several workers need Linux: --workers 1")
    sockets = _listening(wanted.listen, workers)
    admin = _listening(wanted.admin, 1) if wanted.admin is not None else []
    common = Common(
        replace(wanted, settings=_shared_out(wanted.settings, workers)),
        [*sockets, *admin],
        len(wanted.upstreams) > 1 or bool(wanted.settings.balance.servers),
        time.time(),
        Turn(),
        ClaimTable.of(workers),
        News.unnamed(),
        Keepsake(),
    )
    jobs = [
        Job(f"worker {number + 1}", partial(_run, partial(_work, common, number)), number, sockets=own)
        for number, own in enumerate(sockets)
    ]
    if admin:
        gather = partial(_run, partial(_gather, common, workers))
        jobs.append(Job("the admin address", gather, workers, gathers=True))
    loop_factory()  # imports what it needs, here once for all
    line = started_line(wanted, _address(sockets), _address(admin) if admin else None)
    Parent(
        jobs,
        _told(wanted.upstreams),
        [one for those in common.sockets for one in those],
        wanted.settings.server.grace,
        partial(_reloaded, reloading),
        _after_a_crash(common.places.disk),
        wanted.settings.server.watchdog,
    ).run(lambda: print_line(line))


def _shared_out(settings: Settings, workers: int) -> Settings:
    """Those of each worker: its part of the memory, and the key that makes digests in one log comparable."""
    storage, log = settings.storage, settings.log
    return replace(
        settings,
        storage=replace(storage, memory=storage.memory // workers, answers=storage.answers // workers),
        log=replace(log, key=log.key or secrets.token_hex(32)),
    )


def _listening(address: Address, workers: int) -> list[list[socket.socket]]:
    try:
        return listen(*address, workers)
    except OSError as error:
        raise taken(address, error) from error


def _address(sockets: Sequence[Sequence[socket.socket]]) -> Address:
    host, port = sockets[0][0].getsockname()[:2]
    return host, port


def _run(work: Work, place: Place) -> None:
    ids.renew()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(work(place))


def _own_sockets(common: Common, number: int) -> Sequence[socket.socket]:
    """Those of one process; the others' are closed in it, so that they end with their own."""
    for one in (one for other, those in enumerate(common.sockets) if other != number for one in those):
        one.close()
    return common.sockets[number]


async def _work(common: Common, number: int, place: Place) -> None:
    """Serve clients, as one of several processes."""
    sockets, wanted = _own_sockets(common, number), common.wanted
    redaction = Redaction.of(wanted.settings.log)
    with ExitStack() as outlets:
        log, terminal = open_outlets(outlets, wanted, redaction, common.turn)
        claims = LocalClaims(common.claims, number) if common.places != Places() else None
        proxy = Proxy(
            wanted.settings,
            _heard(place.servers),
            log=log,
            terminal=terminal,
            redaction=redaction,
            claims=claims,
            news=common.news,
            changeable=common.changeable,
        )
        answering = Answering(proxy.sources(redaction), proxy.change_servers, proxy.count)
        lent = Lent(proxy.stand_in)
        orders = Orders(
            place.post,
            reopen=log.reopen if log is not None else lambda: None,
            servers=lambda told: proxy.change_servers(_heard(told)),
            link=lambda _, file: answering.take(file),
            lend=lent.take,
            give_back=lent.give_back,
        )
        try:
            await proxy.start_on(sockets)
            collect_seldom()
            orders.ready()
            if place.serial == 1 and (trouble := await proxy.probe()):
                say(f"the upstream can't be reached yet ({trouble}); answering 502 until it can")
            if place.serial == 1 and (store := proxy.unreached()):
                say(f"{store} can't be reached yet; going on without it until it can")
            await orders.asked.wait()
        finally:
            await lent.close()
            await proxy.stop(orders.hurried)
            if claims is not None:
                await claims.close()
            await answering.close()
            orders.close()


async def _gather(common: Common, number: int, place: Place) -> None:
    """Serve the admin address, for all workers."""
    sockets, host = _own_sockets(common, number), common.wanted.admin

    def changed(servers: Sequence[tuple[str, float]]) -> None:
        place.post.send(Servers(tuple(servers)))

    gathered = Gathered(
        common.started,
        changed,
        place.servers.servers,
        Past(common.keepsake),
        changeable=common.changeable,
    )
    linked = asyncio.Semaphore(0)
    joining: set[asyncio.Task[None]] = set()

    async def join(link: Link, file: int) -> None:
        try:
            await gathered.add(link.worker, link.process, file)
        finally:
            linked.release()

    def link(told: Link, file: int) -> None:
        task = asyncio.get_running_loop().create_task(join(told, file))
        joining.add(task)
        task.add_done_callback(joining.discard)

    orders = Orders(place.post, servers=lambda told: gathered.set_servers(told.servers), link=link)
    async with AsyncExitStack() as opened:
        opened.callback(orders.close)
        opened.push_async_callback(gathered.close)
        runner = await admin_runner(gathered, host[0] if host is not None else "")
        opened.push_async_callback(runner.cleanup)
        for one in sockets:
            await web.SockSite(runner, one).start()
        if place.serial == common.workers + 1:  # later on one of them may be away for long
            for _ in range(common.workers):
                await linked.acquire()
        orders.ready()
        await orders.asked.wait()
        gathered.is_stopping = True
        if orders.all_stop:
            with suppress(TimeoutError):  # the parent may be gone, and one of them hang for good
                async with asyncio.timeout(2 * common.wanted.settings.server.grace):
                    await gathered.deserted(orders.hurried)


def _reloaded(reloading: Reloading, servers: Servers) -> Servers | None:
    changed = reloading.servers(_heard(servers))
    return None if changed is None else _told(changed)


def _after_a_crash(folder: Path | None) -> Callable[[], None]:
    """What is done when a process has crashed: a cache on disk, which may have been why, is begun anew."""
    if folder is None:
        return lambda: None
    from proxy.storage.disk.folder import give_up

    return partial(give_up, folder)


def _told(servers: Sequence[tuple[Server, float]]) -> Servers:
    return Servers(tuple((server.url, weight) for server, weight in servers))


def _heard(told: Servers) -> list[tuple[Server, float]]:
    return [(parse_server(url), weight) for url, weight in told.servers]
