"""The proxy as one thing that starts and stops: the listener, the engine, the log and the admin address."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import web
from msgspec import structs

from proxy.engine.downstream import Downstream
from proxy.engine.driver import Driver
from proxy.engine.purging import Report, Wish
from proxy.engine.repeating import repeatable
from proxy.message.errors import ConfigurationError
from proxy.server.admin.figures import Figures
from proxy.server.admin.recent import Recent
from proxy.server.admin.servers import OwnServers
from proxy.server.admin.site import Sources, admin_runner
from proxy.server.admin.window import Window
from proxy.server.clients.listener import Listener
from proxy.server.configuration import Settings
from proxy.server.lane.lane import Lane
from proxy.server.lane.records import LogOutlet, Outlet, Records
from proxy.server.lane.through import Through
from proxy.server.log.records import RecordLog, say
from proxy.server.log.terminal import Terminal
from proxy.server.process import SPARE_FILES, allow_files
from proxy.server.purging import Purges, recorded
from proxy.server.settings import ServerSettings
from proxy.storage.claims import Claims
from proxy.storage.opening import opened
from proxy.upstream.address import Server
from proxy.upstream.fleet.fleet import Fleet
from proxy.upstream.pool import Pool
from proxy.visibility.account import Account
from proxy.visibility.redaction import Redaction

if TYPE_CHECKING:
    from proxy.storage.news import News

_logger = logging.getLogger(__name__)

LANE_SHARE = 8
"""The fast lane takes one part in so many of the memory for stored responses, unless it has its own."""

EXPIRE_EVERY = 1.0
"""Seconds between two looks for entries that are of no use any more."""

Address = tuple[str, int]


class Proxy:
    """One caching reverse proxy in front of `upstream`: one server, or several with their weights.

    `log` gets the records, `terminal` the lines for a person who watches; None: nobody asked for them.
    `redaction` hides credentials in what the fast lane records, and has to be the one that `log` has.
    `claims` are those among the processes that share its store, `news` what these tell each other.
    `changeable`: its servers can change even if there is one only.
    Raises ConfigurationError where the settings don't go together.
    """

    def __init__(
        self,
        settings: Settings,
        upstream: Server | Sequence[tuple[Server, float]],
        *,
        log: RecordLog | None,
        terminal: Terminal | None,
        redaction: Redaction | None = None,
        claims: Claims | None = None,
        news: News | None = None,
        changeable: bool = False,
    ) -> None:
        storage = settings.storage
        redaction = redaction or Redaction.of(settings.log)
        share = 0 if storage.answers else storage.memory // LANE_SHARE
        lane = storage.answers or share
        self._settings = settings
        self._log = log
        self._terminal = terminal
        servers = [(upstream, 1.0)] if isinstance(upstream, Server) else list(upstream)
        authority = servers[0][0].authority
        self._upstream = _behind(servers, settings, changeable=changeable)
        self._fleet = self._upstream if isinstance(self._upstream, Fleet) else None
        self._opened = opened(storage, settings.valkey, storage.memory - share, news=news, say=say)
        self._store = self._opened.store
        claims = self._opened.claims or claims
        self._driver = Driver(self._store, self._upstream, settings.cache, settings.engine, claims)
        self._purges = Purges(self._driver, settings.cache, settings.server.purge_from)
        self._recent = Recent()
        self._window = Window()
        self._under_way = 0
        self._stopping = False
        self._figures = Figures(
            time.time(),
            in_flight=lambda: self._under_way + (self._through.under_way if self._through else 0),
            connections=lambda: self._listener.connections,
        )
        self._listener = Listener(
            self._exchange,
            self._finished,
            _within_limits(settings),
            name=settings.cache.name,
            authority=authority,
        )
        self._records = Records(self._outlets())
        self._lane = self._listener.lane = Lane(
            self._store,
            settings.cache,
            redaction,
            self._listener.forwarding,
            settings.server,
            self._records,
            lane,
        )
        self._through = self._lane.through = self._short_way_through(redaction, lane // 4)
        self._open = AsyncExitStack()

    def _short_way_through(self, redaction: Redaction, memory: int) -> Through | None:
        """What passes requests on without the engine, where there is one server for good."""
        if not isinstance(self._upstream, Pool):
            return None
        return Through(
            self._driver.reach,
            self._upstream,
            redaction,
            self._listener.forwarding,
            self._settings.server,
            self._records,
            self._lane.blocks,
            self._lane.register,
            memory,
        )

    async def start(self, listen: Address) -> Address:
        """Accept clients at `listen`; the address that became of it. Raises ConfigurationError."""
        await self._begin()
        try:
            return await self._listener.start(*listen)
        except OSError as error:
            raise taken(listen, error) from error

    async def start_on(self, sockets: Sequence[socket.socket]) -> None:
        """Accept clients on sockets that listen already."""
        await self._begin()
        await self._listener.start_on(sockets)

    async def stand_in(self, sockets: Sequence[socket.socket]) -> Callable[[], None]:
        """Accept clients on further sockets until what this gives is called."""
        return await self._listener.start_on(sockets)

    async def _begin(self) -> None:
        self._open.push_async_callback(self._close)
        await self._opened.start()
        expiring = asyncio.create_task(self._expire())
        self._open.push_async_callback(_ended, expiring)

    def sources(self, redaction: Redaction) -> Sources:
        """What the admin address shows of this proxy."""
        return Sources(
            self._figures,
            self._recent,
            redaction,
            self._store.figures,
            stopping=lambda: self._stopping,
            lost=lambda: self._log.lost if self._log is not None else 0,
            flush=self._records.flush,
            servers=OwnServers(self._fleet) if self._fleet is not None else None,
            window=self._window,
            purge=self.purge,
        )

    async def start_admin(self, listen: Address, redaction: Redaction) -> Address:
        """Serve the dashboard and the figures at `listen`. Raises ConfigurationError."""
        runner = await admin_runner(self.sources(redaction), listen[0])
        self._open.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, *listen).start()
        except OSError as error:
            raise taken(listen, error) from error
        host, port = runner.addresses[0][:2]
        return host, port

    @property
    def servers(self) -> list[tuple[Server, float]] | None:
        """The servers behind with their weights; None where there is one, for good."""
        return self._fleet.servers if self._fleet is not None else None

    def change_servers(self, servers: Sequence[tuple[Server, float]]) -> None:
        """Have these servers behind, where they can change at all. Raises ConfigurationError."""
        if self._fleet is not None:
            self._fleet.become(servers)

    async def probe(self) -> str | None:
        """Why the upstream can't be reached at this moment, None where it can."""
        error = await self._upstream.probe()
        return None if error is None else str(error)

    def unreached(self) -> str | None:
        """What responses are kept in and can't be asked at this moment, None where all can be."""
        return self._opened.unreached()

    async def purge(self, wish: Wish, client: str) -> Report:
        """Have what is named removed for a `client` of the admin address, and record that.

        Raises `BadWish` and `BadPattern`.
        """
        started, clock = time.time(), time.perf_counter()
        report = await self._driver.purge(wish)
        self._tell(recorded(report, client, started, clock))
        return report

    async def count(self, wish: Wish) -> Report:
        """What a purge would remove, recorded nowhere. Raises `BadWish` and `BadPattern`."""
        return await self._driver.purge(structs.replace(wish, dry=True))

    async def stop(self, hurried: asyncio.Event | None = None) -> None:
        """Take nothing more, finish what is under way (unless `hurried` is set), and close everything."""
        self._stopping = True
        await self._listener.stop(hurried)
        await self._open.aclose()

    async def _exchange(self, client: Downstream, account: Account) -> None:
        self._under_way += 1
        try:
            if self._purges.concern(client.received):
                await self._purges.answer(client, account)
            else:
                await self._driver.exchange(client, account)
        finally:
            self._under_way -= 1

    def _outlets(self) -> list[Outlet]:
        """Who is told of what the lane has answered, as `_finished` tells of all else."""
        outlets: list[Outlet] = [self._figures, self._recent, self._window]
        if self._log is not None:
            outlets.append(LogOutlet(self._log.put_lines))
        if self._terminal is not None:
            outlets.append(self._terminal)
        return outlets

    def _finished(self, account: Account) -> None:
        self._records.flush()
        self._figures.add(account)
        self._window.add(account)
        self._tell(account)
        self._lane.consider(account)
        if self._through is not None:
            self._through.consider(account)

    def _tell(self, account: Account) -> None:
        self._recent.add(account)
        if self._log is not None:
            self._log.put(account)
        if self._terminal is not None:
            self._terminal.put(account)

    async def _expire(self) -> None:
        """Again and again, whatever comes of it once: stores also look then at what others have told."""
        said = ""
        while True:
            await asyncio.sleep(EXPIRE_EVERY)
            try:
                while await self._store.expire(time.time()):  # noqa: ASYNC110 - others have a turn between
                    await asyncio.sleep(0)
                said = ""
            except Exception as error:
                if repr(error) != said:
                    _logger.error("what is of no use any more can't be let go", exc_info=error)
                said = repr(error)

    async def _close(self) -> None:
        self._records.close()
        await self._driver.close()
        await self._upstream.close()
        await self._store.close()


def _behind(servers: list[tuple[Server, float]], settings: Settings, *, changeable: bool) -> Fleet | Pool:
    """The way to one server for good, or to a fleet of servers that may change."""
    if len(servers) == 1 and not (changeable or settings.balance.servers):
        return Pool(servers[0][0], settings.upstream)
    kept = b"" if settings.server.keep_host else servers[0][0].authority
    return Fleet(servers, settings.upstream, settings.balance, authority=kept, judge=repeatable)


def _within_limits(settings: Settings) -> ServerSettings:
    """The settings of the clients' side, with no more connections than the system lets the process have."""
    server, others = settings.server, settings.upstream.connections + SPARE_FILES
    files = allow_files(server.connections + others)
    if files >= server.connections + others:
        return server
    most = max(1, files - others)
    say(f"the system lets this process open {files} files: no more than {most} clients can be connected")
    return replace(server, connections=most)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def taken(address: Address, error: OSError) -> ConfigurationError:
    host, port = address
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return ConfigurationError(f"can't listen on {where}", evidence=error.strerror or str(error))
