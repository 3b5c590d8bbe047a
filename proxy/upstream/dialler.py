"""Opens connections to one server: name, address, TCP, TLS."""

from __future__ import annotations

import asyncio
import socket
from time import monotonic

from aiohappyeyeballs import start_connection

from proxy.upstream.address import Server
from proxy.upstream.connection import Connection, Keeper
from proxy.upstream.failures import connect_failure, late_connection, lookup_failure
from proxy.upstream.resolver import AddressInfo, Resolver
from proxy.upstream.settings import UpstreamSettings
from proxy.upstream.tls import tls_context

_NEXT_ADDRESS = 0.25
"""Seconds until the next address is tried as well (RFC 8305 §8)."""

_SHUTDOWN = 1.0
"""Seconds that a server has to answer our closure alert."""


class Dialler:
    """Opens connections as the settings say; raises `ConfigurationError` where they can't be used."""

    def __init__(self, server: Server, settings: UpstreamSettings, resolver: Resolver) -> None:
        self._server = server
        self._settings = settings
        self._resolver = resolver
        self._tls = tls_context(settings) if server.secure else None

    async def open(self, keeper: Keeper) -> Connection:
        """A new connection for `keeper`. Raises `Unreachable`, `TooSlow` or `Overloaded`."""
        began = monotonic()
        looking_up = True
        try:
            async with asyncio.timeout(self._settings.connect):
                addresses = await self._look_up()
                looking_up = False
                connection = await self._secure(await self._reach(addresses), keeper)
        except TimeoutError as error:
            seconds = self._settings.connect
            raise late_connection(error, seconds, self._server, looking_up=looking_up) from error
        except (OSError, RuntimeError) as error:
            raise connect_failure(error, self._server) from error
        connection.connect_time = monotonic() - began
        return connection

    async def _look_up(self) -> tuple[AddressInfo, ...]:
        try:
            return await self._resolver.addresses()
        except (OSError, UnicodeError) as error:
            raise lookup_failure(error, self._server) from error

    async def _reach(self, addresses: tuple[AddressInfo, ...]) -> socket.socket:
        """A connected socket; where no address answers, the name may lead elsewhere by now."""
        try:
            return await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS)
        except (OSError, RuntimeError):
            others = await self._other_addresses(addresses)
            if not others:
                raise
        return await start_connection(others, happy_eyeballs_delay=_NEXT_ADDRESS)

    async def _other_addresses(self, failed: tuple[AddressInfo, ...]) -> tuple[AddressInfo, ...]:
        try:
            return await self._resolver.other_addresses(failed)
        except (OSError, UnicodeError):
            return ()

    async def _secure(self, reached: socket.socket, keeper: Keeper) -> Connection:
        loop = asyncio.get_running_loop()
        if self._tls is None:
            _, connection = await loop.create_connection(
                lambda: Connection(self._server, keeper), sock=reached
            )
        else:
            _, connection = await loop.create_connection(
                lambda: Connection(self._server, keeper),
                sock=reached,
                ssl=self._tls,
                server_hostname=self._settings.tls_server_name or self._server.host,
                ssl_shutdown_timeout=_SHUTDOWN,
            )
        return connection
