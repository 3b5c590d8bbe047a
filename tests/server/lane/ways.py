"""A whole proxy without sockets, with its short way or without: tests give each byte that its origin says."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, cast

from proxy.engine.driver import Driver
from proxy.server.lane.through import Through
from proxy.server.settings import ServerSettings
from proxy.upstream.address import Server
from proxy.upstream.connection import Connection
from proxy.upstream.errand import MOMENT
from proxy.upstream.pool import Pool
from proxy.upstream.settings import UpstreamSettings
from proxy.visibility.account import Account
from tests.server.lane.twin import Clock, Twin

_turns = itertools.count()


class Line(asyncio.Transport):
    """A connection to the origin: what was sent on it, and what the origin says."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self.sent = b""
        self.open = True
        self.answered = 0  # requests
        self.since = 0  # the place of the request that waits, among all of this proxy

    def says(self, data: bytes) -> None:
        if self.open:
            self._connection.data_received(data)

    def hangs_up(self) -> None:
        if self.open and not self._connection.eof_received():
            self.close()

    @property
    def asked(self) -> int:
        """How many requests have come on it, as far as their heads tell."""
        return self.sent.count(b"\r\n\r\n")

    def write(self, data: Any) -> None:
        if self.open:
            self.sent += data
            self.since = next(_turns)

    def close(self) -> None:
        if self.open:
            self.open = False
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return not self.open

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.80", 80) if name == "peername" else default

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class _Dialler:
    def __init__(self, server: Server) -> None:
        self._server = server
        self.lines: list[Line] = []

    async def open(self, keeper: Any) -> Connection:
        connection = Connection(self._server, keeper)
        line = Line(connection)
        self.lines.append(line)
        connection.connection_made(line)
        return connection


class Ways(Twin):
    """One proxy; `short` says whether it has its short way through. `passed` is what went that way."""

    def __init__(self, clock: Clock, *, short: bool, settings: ServerSettings | None = None) -> None:
        super().__init__(_nobody, clock, lane=short, settings=settings)
        server = Server("http", "192.0.2.80", 80)
        self.pool = Pool(server, UpstreamSettings(connections=8))
        self.dialler = self.pool._dialler = cast("Any", _Dialler(server))
        self.driver = Driver(self.store, self.pool, self.policy)
        self.through = self.lane.through = Through(
            self.driver.reach,
            self.pool,
            self.redaction,
            self.forwarding,
            self.settings,
            self.lane_records,
            self.lane.blocks,
            self.lane.register,
            1 << 20,
        )
        self.through.switched_on = short

    @property
    def upstream(self) -> list[Line]:
        """The connections to the origin, as they were opened."""
        return self.dialler.lines

    def asked(self) -> Line | None:
        """The connection to the origin whose request waits longest for an answer."""
        waiting = [line for line in self.upstream if line.open and line.asked > line.answered]
        return min(waiting, key=lambda line: line.since, default=None)

    async def quiet(self) -> None:
        """Wait until all has been done that can be done without another byte."""
        await super().quiet()
        if any(one.passing is not None and one.passing.errand._held for one, _ in self.connections):
            await asyncio.sleep(3 * MOMENT)
            await super().quiet()

    def _finished(self, account: Account) -> None:
        super()._finished(account)
        self.through.consider(account)

    async def close(self) -> None:
        await super().close()
        await self.pool.close()


def _nobody(*_: Any) -> Any:
    raise AssertionError("the origin is asked through its lines")
