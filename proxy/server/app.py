"""The proxy as one thing that starts and stops: the listener, the engine, the log and the admin address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from aiohttp import web

from proxy.engine.downstream import Downstream
from proxy.engine.driver import Driver
from proxy.engine.repeating import repeatable
from proxy.message.errors import ConfigurationError
from proxy.server.admin.figures import Figures
from proxy.server.admin.recent import Recent
from proxy.server.admin.site import Sources, make_admin
from proxy.server.admin.window import Window
from proxy.server.clients.listener import Listener
from proxy.server.configuration import Settings
from proxy.server.lane.lane import Lane
from proxy.server.lane.records import LogOutlet, Outlet, Records
from proxy.server.lane.through import Through
from proxy.server.log.records import RecordLog, say
from proxy.server.log.terminal import Terminal
from proxy.server.process import SPARE_FILES, allow_files
from proxy.server.settings import ServerSettings
from proxy.storage.memory import MemoryStore
from proxy.upstream.address import Server
from proxy.upstream.fleet.fleet import Fleet
from proxy.upstream.pool import Pool
from proxy.visibility.account import Account
from proxy.visibility.redaction import Redaction

LANE_SHARE = 8
"""The fast lane may take one part in so many of the memory for stored responses, to remember answers by."""

EXPIRE_EVERY = 1.0
"""Seconds between two looks for entries that are of no use any more."""

Address = tuple[str, int]


class Proxy:
    """One caching reverse proxy in front of `upstream`: one server, or several with their weights.

    `log` gets the records, `terminal` the lines for a person who watches; None: nobody asked for them.
    `redaction` hides credentials in what the fast lane records, and has to be the one that `log` has.
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
    ) -> None:
        storage = settings.storage
        redaction = redaction or Redaction.of(settings.log)
        lane = storage.memory // LANE_SHARE
        self._settings = settings
        self._log = log
        self._terminal = terminal
        servers = [(upstream, 1.0)] if isinstance(upstream, Server) else list(upstream)
        authority = servers[0][0].authority
        self._fleet: Fleet | None = None
        self._upstream: Fleet | Pool
        if len(servers) == 1:
            self._upstream = Pool(servers[0][0], settings.upstream)
        else:
            kept = b"" if settings.server.keep_host else authority
            self._upstream = self._fleet = Fleet(
                servers, settings.upstream, settings.balance, authority=kept, judge=repeatable
            )
        self._store = MemoryStore(storage.memory - lane, min(storage.object_limit, storage.memory // 4))
        self._driver = Driver(self._store, self._upstream, settings.cache, settings.engine)
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
        self._through: Through | None = None
        if isinstance(self._upstream, Pool):
            self._lane.through = self._through = Through(
                self._driver.reach,
                self._upstream,
                redaction,
                self._listener.forwarding,
                settings.server,
                self._records,
                self._lane.blocks,
                lane // 4,
            )
        self._open = AsyncExitStack()

    async def start(self, listen: Address) -> Address:
        """Accept clients at `listen`; the address that became of it. Raises ConfigurationError."""
        self._open.push_async_callback(self._close)
        expiring = asyncio.create_task(self._expire())
        self._open.push_async_callback(_ended, expiring)
        try:
            return await self._listener.start(*listen)
        except OSError as error:
            raise _taken(listen, error) from error

    async def start_admin(self, listen: Address, redaction: Redaction) -> Address:
        """Serve the dashboard and the figures at `listen`. Raises ConfigurationError."""
        sources = Sources(
            self._figures,
            self._recent,
            redaction,
            self._store.figures,
            stopping=lambda: self._stopping,
            lost=lambda: self._log.lost if self._log is not None else 0,
            flush=self._records.flush,
            servers=self._fleet,
            window=self._window,
        )
        runner = web.AppRunner(make_admin(sources, host=listen[0]), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        self._open.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, *listen).start()
        except OSError as error:
            raise _taken(listen, error) from error
        host, port = runner.addresses[0][:2]
        return host, port

    async def probe(self) -> str | None:
        """Why the upstream can't be reached at this moment, None where it can."""
        error = await self._upstream.probe()
        return None if error is None else str(error)

    async def stop(self, hurried: asyncio.Event | None = None) -> None:
        """Take nothing more, finish what is under way (unless `hurried` is set), and close everything."""
        self._stopping = True
        await self._listener.stop(hurried)
        await self._open.aclose()

    async def _exchange(self, client: Downstream, account: Account) -> None:
        self._under_way += 1
        try:
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
        self._recent.add(account)
        self._window.add(account)
        if self._log is not None:
            self._log.put(account)
        if self._terminal is not None:
            self._terminal.put(account)
        self._lane.consider(account)
        if self._through is not None:
            self._through.consider(account)

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_EVERY)
            while await self._store.expire(time.time()):  # noqa: ASYNC110 - others have a turn between
                await asyncio.sleep(0)

    async def _close(self) -> None:
        self._records.close()
        await self._driver.close()
        await self._upstream.close()
        await self._store.close()


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


def _taken(address: Address, error: OSError) -> ConfigurationError:
    host, port = address
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return ConfigurationError(f"can't listen on {where}", evidence=error.strerror or str(error))
