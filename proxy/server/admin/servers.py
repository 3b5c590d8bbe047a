"""The servers behind, at the admin address: how each is, and which there are."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from aiohttp import web

from proxy.message.errors import ConfigurationError, PellucidError
from proxy.upstream.address import Server, parse_server

_LARGEST = 4096


class Servers(Protocol):
    """Servers that can come and go while the proxy runs."""

    def figures(self) -> list[dict[str, Any]]: ...
    def add(self, server: Server, weight: float = 1.0) -> None: ...
    def drain(self, name: str) -> None: ...


class NotChangeable(PellucidError):  # noqa: N818 - as the other refusals are called
    """The servers can't be changed as asked."""

    status = 409


class Unfit(PellucidError):  # noqa: N818
    """The request can't be understood."""

    status = 400


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
        return _json(self._servers.figures() if self._servers is not None else [])

    async def added(self, request: web.Request) -> web.Response:
        """Have one server more: `{"url": "http://127.0.0.1:8091", "weight": 1}`.

        Only JSON is taken, which no page of another origin can send unasked.
        """
        if request.content_type != "application/json":
            raise Unfit("a server is given as JSON, with that media type", status=415)
        try:
            wanted = msgspec.json.decode(await request.content.read(_LARGEST), type=Wanted)
            server = parse_server(wanted.url)
        except msgspec.MsgspecError as error:
            raise Unfit(f"not a server: {error}") from error
        except ConfigurationError as error:
            raise Unfit(str(error)) from error
        self._change(lambda servers: servers.add(server, wanted.weight))
        return _json({"server": str(server)}, status=201)

    async def drained(self, request: web.Request) -> web.Response:
        """Send a server nothing new; it leaves when what is under way is over."""
        name = request.match_info["name"]
        self._change(lambda servers: servers.drain(name))
        return _json({"server": name, "state": "draining"}, status=202)

    def _change(self, change: Any) -> None:
        if self._servers is None:
            raise NotChangeable("the proxy was started for one server: give --upstream twice to change them")
        try:
            change(self._servers)
        except ConfigurationError as error:
            raise NotChangeable(str(error)) from error


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value) + b"\n", status=status, content_type="application/json"
    )
