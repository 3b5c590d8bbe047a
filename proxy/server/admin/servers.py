"""The servers behind, at the admin address: how each is, and which there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from aiohttp import web

from proxy.message.errors import ConfigurationError, PellucidError
from proxy.server.admin.content import Unfit, json_content
from proxy.upstream.address import Server, parse_server
from proxy.upstream.fleet.fleet import Fleet

_LARGEST = 4096


class Servers(Protocol):
    """Servers that can come and go while the proxy runs."""

    async def figures(self) -> list[dict[str, Any]]: ...
    async def add(self, server: Server, weight: float) -> None:
        """Raises ConfigurationError."""
        ...

    async def drain(self, name: str) -> None:
        """Raises ConfigurationError."""
        ...


class OwnServers:
    """Those of this process."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def figures(self) -> list[dict[str, Any]]:
        """Each server's condition."""
        return self._fleet.figures()

    async def add(self, server: Server, weight: float) -> None:
        """Have one server more. Raises ConfigurationError."""
        self._fleet.add(server, weight)

    async def drain(self, name: str) -> None:
        """Send a server nothing new. Raises ConfigurationError."""
        self._fleet.drain(name)


class NotChangeable(PellucidError):  # noqa: N818 - as the other refusals are called
    """The servers can't be changed as asked."""

    status = 409


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """A server to add."""

    url: str
    weight: float = 1.0


class ServerPages:
    """The handlers. `servers` is None where the proxy was started for one server, for good."""

    def __init__(self, servers: Servers | None) -> None:
        self._servers = servers

    async def listed(self, request: web.Request) -> web.Response:
        """Every server with its condition."""
        return _json(await self._servers.figures() if self._servers is not None else [])

    async def added(self, request: web.Request) -> web.Response:
        """Have one server more: `{"url": "http://127.0.0.1:8091", "weight": 1}`."""
        content = await json_content(request, _LARGEST)
        try:
            wanted = msgspec.json.decode(content, type=Wanted)
            server = parse_server(wanted.url)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unfit(f"not a server: {error}") from error
        except ConfigurationError as error:
            raise Unfit(str(error)) from error
        await self._change(lambda servers: servers.add(server, wanted.weight))
        return _json({"server": str(server)}, status=201)

    async def drained(self, request: web.Request) -> web.Response:
        """Send a server nothing new; it leaves when what is under way is over."""
        name = request.match_info["name"]
        await self._change(lambda servers: servers.drain(name))
        return _json({"server": name, "state": "draining"}, status=202)

    async def _change(self, change: Callable[[Servers], Awaitable[None]]) -> None:
        if self._servers is None:
            raise NotChangeable("the proxy was started for one server: give --upstream twice to change them")
        try:
            await change(self._servers)
        except ConfigurationError as error:
            raise NotChangeable(str(error)) from error


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value) + b"\n", status=status, content_type="application/json"
    )
