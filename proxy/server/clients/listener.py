"""Where clients connect: accepts connections, bounds them, and stops without breaking off exchanges."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Any, cast

from aiohttp import web
from aiohttp.streams import StreamReader

from proxy.engine.downstream import Downstream
from proxy.server.clients.connection import Connection
from proxy.server.clients.forwarding import Forwarding
from proxy.server.clients.incoming import Incoming, Refusal, Refused
from proxy.server.clients.serving import Serving
from proxy.server.lane.lane import Lane
from proxy.server.settings import ServerSettings
from proxy.visibility.account import Account

Handle = Callable[[Downstream, Account], Awaitable[None]]
"""Answers one exchange."""

Finished = Callable[[Account], None]
"""Is told of each exchange once, when it is over."""

_REFUSED_AT_ONCE = 256
"""Connections over the limits that are told so at one time; more than that are closed without a word."""


_LOOKED_AT = 1000
"""How many connections are looked at, of those without a request under way, for one that can be closed."""


class Manager(web.Server):
    """aiohttp's server for our connections: makes them, counts them and gives each request its `Serving`.

    `empty` is set while no connection is open; once `stopping` is, those that still come are cut off.
    """

    def __init__(
        self,
        handle: Handle,
        finished: Finished,
        settings: ServerSettings,
        forwarding: Forwarding,
        lane: Lane | None = None,
    ) -> None:
        super().__init__(cast("Any", handle), handler_cancellation=True)
        self.handle = handle
        self.finished = finished
        self.settings = settings
        self.forwarding = forwarding
        self.lane = lane
        self.stopping = False
        self.empty = asyncio.Event()
        self.empty.set()
        self._admitted: dict[Connection, str] = {}
        self._resting: dict[Connection, float] = {}  # until when each may be idle, the earliest first
        self._clients: Counter[str] = Counter()
        self._refused: set[Connection] = set()

    def __call__(self) -> Connection:
        return Connection(self, self.settings)

    @property
    def open(self) -> list[Connection]:
        """Every connection that is open."""
        return [*self._admitted, *self._refused]

    def admit(self, connection: Connection) -> Refusal | None:
        """Count a new connection; the refusal to answer with where there are too many.

        One that is between two requests makes room for it: nobody is kept out by who asks for nothing.
        """
        host = connection.client.rpartition(":")[0]
        settings = self.settings
        self.empty.clear()
        refusal = None
        if self.stopping:
            connection.cut()
        if self._clients[host] >= settings.connections_per_client and not self._make_room(host):
            most = settings.connections_per_client
            refusal = Refusal(f"more than {most} connections from {host}", status=503)
        elif len(self._admitted) >= settings.connections and not self._make_room():
            refusal = Refusal(f"more than {settings.connections} connections", status=503)
        if refusal is None:
            self._admitted[connection] = host
            self._clients[host] += 1
            self.rests(connection)
        else:
            self._refused.add(connection)
            if len(self._refused) > _REFUSED_AT_ONCE:
                connection.cut()
        return refusal

    def rests(self, connection: Connection) -> None:
        """Nothing is under way on a connection from now on, until it is taken something from."""
        if connection in self._admitted:
            self._resting[connection] = connection.idle_until

    def left(self, connection: Connection, unserved: Iterable[Serving]) -> None:
        """A connection is gone, and with it what it had sent and nobody had looked at."""
        self._forget(connection)
        self._refused.discard(connection)
        if not self._admitted and not self._refused:
            self.empty.set()
        for serving in unserved:
            serving.abandon()

    def take(self, message: Incoming | Refused, payload: StreamReader, connection: Connection) -> Serving:
        """What serves a message."""
        self._resting.pop(connection, None)
        return Serving(message, payload, connection, self)

    def _make_room(self, host: str | None = None) -> bool:
        """Close the connection that has been idle longest, of `host` where that matters; whether one was.

        One that was answered on the lane meanwhile takes its new place in the order only here.
        """
        for connection, until in list(islice(self._resting.items(), _LOOKED_AT)):
            if connection.idle_until > until:
                del self._resting[connection]
                self.rests(connection)
        for connection in islice(self._resting, _LOOKED_AT):
            if connection.ready and host in (None, self._admitted[connection]):
                self._forget(connection)
                connection.force_close()
                return True
        return False

    def _forget(self, connection: Connection) -> None:
        self._resting.pop(connection, None)
        host = self._admitted.pop(connection, None)
        if host is not None:
            self._clients[host] -= 1
            if not self._clients[host]:
                del self._clients[host]


class Listener:
    """Listens for clients and has their requests answered by `handle`.

    `handle` gets the exchange and its account; what it raises is answered with a problem document, or breaks
    off the answer that has begun. It is cancelled when the client leaves. `finished` is called once for each
    exchange when it is over, those included that never reach `handle`; not of what `lane` answers, which is
    to be set before the start if at all. `name` is the proxy's in Via;
    `authority` is the upstream's, for Host, unless the settings keep the client's. Raises
    `ConfigurationError` where one of these can't be used.
    """

    def __init__(
        self,
        handle: Handle,
        finished: Finished,
        settings: ServerSettings | None = None,
        *,
        name: str = "pellucid",
        authority: bytes = b"",
    ) -> None:
        self.lane: Lane | None = None
        self._handle = handle
        self._finished = finished
        self._settings = settings = settings or ServerSettings()
        self.forwarding = Forwarding(name, b"" if settings.keep_host else authority, settings.trust)
        self._manager: Manager | None = None
        self._servers: list[asyncio.Server] = []

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._manager.open) if self._manager is not None else 0

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> tuple[str, int]:
        """Accept connections at `host` and `port` (0: any that is free); the address that became of it.

        Can be called again for further addresses. Raises OSError where the address can't be had.
        """
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._managed(), host, port, backlog=1024, reuse_port=reuse_port or None
        )
        self._servers.append(server)
        address: tuple[str, int] = server.sockets[0].getsockname()[:2]
        return address

    async def start_on(self, sockets: Sequence[socket.socket]) -> Callable[[], None]:
        """Accept connections on sockets that listen already, and are this listener's from now on.

        What it gives has no more accepted there; what was accepted goes on.
        """
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(self._managed(), sock=one, backlog=1024) for one in sockets]
        self._servers += servers

        def end() -> None:
            for server in servers:
                server.close()
                self._servers.remove(server)

        return end

    def _managed(self) -> Manager:
        if self._manager is None:
            self._manager = Manager(self._handle, self._finished, self._settings, self.forwarding, self.lane)
        return self._manager

    async def stop(self, hurried: asyncio.Event | None = None) -> None:
        """Accept nothing more and end: idle connections at once, exchanges under way when they are over.

        After `grace` seconds, or as soon as `hurried` is set, the rest is cut off.
        """
        for server in self._servers:
            server.close()
        manager = self._manager
        if manager is None:
            return
        manager.stopping = True
        connections = manager.open
        tasks = [connection.task for connection in connections if connection.task is not None]
        for connection in connections:
            connection.stop()
        await _all_done(tasks, self._settings.grace, hurried)
        for connection in manager.open:
            connection.cut()
        await _all_done(tasks, self._settings.grace, None)
        await manager.empty.wait()
        for server in self._servers:
            await server.wait_closed()


async def _all_done(tasks: list[asyncio.Task[None]], seconds: float, hurried: asyncio.Event | None) -> None:
    """Wait until all tasks are done, the time is over, or `hurried` is set."""
    if not tasks:
        return
    waiting: set[asyncio.Future[Any]] = {asyncio.ensure_future(asyncio.wait(tasks))}
    if hurried is not None:
        waiting.add(asyncio.ensure_future(hurried.wait()))
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            future.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
