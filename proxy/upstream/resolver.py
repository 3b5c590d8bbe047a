"""The addresses behind a server's name, looked up again from time to time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from proxy.upstream.address import Server

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]
"""One address as `socket.getaddrinfo` gives it."""

LookUp = Callable[[str, int], Awaitable[Sequence[AddressInfo]]]
"""From a name and a port to the addresses, best first; raises OSError where there is none."""


async def look_up(host: str, port: int) -> Sequence[AddressInfo]:
    """Ask the system (hosts file, DNS or what else it is set up for), in a thread of the event loop."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]


class Resolver:
    """One server's addresses.

    An answer is good for `lifetime` seconds (the system doesn't tell the lifetime that DNS gave it). One
    that has got older serves on while the name service fails for a while, but not where it says that there
    is no such name. `changed` is called where an answer names other addresses than the one before.
    """

    def __init__(
        self,
        server: Server,
        lifetime: float,
        look_up: LookUp = look_up,
        changed: Callable[[], None] | None = None,
    ) -> None:
        self._server = server
        self._lifetime = lifetime
        self._look_up = look_up
        self._changed = changed
        self._answer: tuple[AddressInfo, ...] = ()
        self._hosts: frozenset[str] = frozenset()
        self._asked = float("-inf")
        self._until = 0.0
        self._pending: asyncio.Task[tuple[AddressInfo, ...]] | None = None
        if server.literal:
            self._answer = (_literal(server),)
            self._until = float("inf")

    def due(self, now: float) -> bool:
        """Whether it's time to look up again (`now` by the event loop's clock)."""
        return now >= self._until and self._may_ask(now)

    def names(self, host: str) -> bool:
        """Whether the address `host` is among the last answer's; true as well where nothing was looked up."""
        return not self._hosts or host in self._hosts

    async def addresses(self) -> tuple[AddressInfo, ...]:
        """The addresses as of now, best first and not empty; raises OSError or UnicodeError."""
        if self._until > asyncio.get_running_loop().time():
            return self._answer
        return await asyncio.shield(self._lookup())

    async def other_addresses(self, failed: tuple[AddressInfo, ...]) -> tuple[AddressInfo, ...]:
        """What to try when the addresses `failed` could not be reached; empty where there's nothing new.

        A server that is down doesn't flood the name service: see `_may_ask`.
        """
        now = asyncio.get_running_loop().time()
        if not self._server.literal and self._may_ask(now):
            self._until = 0.0
        answer = await self.addresses()
        return () if answer == failed else answer

    def refresh(self) -> None:
        """Look up in the background."""
        self._lookup()

    async def close(self) -> None:
        """Stop a lookup that is under way."""
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.wait([self._pending])

    def _may_ask(self, now: float) -> bool:
        """At most once a second."""
        return now - self._asked >= min(1.0, self._lifetime)

    def _lookup(self) -> asyncio.Task[tuple[AddressInfo, ...]]:
        if self._pending is None:
            self._pending = asyncio.get_running_loop().create_task(self._ask())
            self._pending.add_done_callback(self._asked_for)
        return self._pending

    def _asked_for(self, task: asyncio.Task[tuple[AddressInfo, ...]]) -> None:
        self._pending = None
        if not task.cancelled():
            task.exception()  # whoever waits has it too; a refresh in the background is simply tried again

    async def _ask(self) -> tuple[AddressInfo, ...]:
        loop = asyncio.get_running_loop()
        self._asked = loop.time()
        try:
            answer = tuple(await self._look_up(self._server.host, self._server.port))
            if not answer:
                raise socket.gaierror(socket.EAI_NONAME, "the answer holds no address")
            self._keep(answer)
        except OSError as error:
            if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
                self._answer = ()
            if not self._answer:
                raise
        finally:
            self._until = loop.time() + self._lifetime if self._answer else 0.0
        return self._answer

    def _keep(self, answer: tuple[AddressInfo, ...]) -> None:
        before = self._hosts
        self._answer = answer
        self._hosts = frozenset(address[4][0] for address in answer)
        if before and before != self._hosts and self._changed is not None:
            self._changed()


def _literal(server: Server) -> AddressInfo:
    if ":" in server.host:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (server.host, server.port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (server.host, server.port))
