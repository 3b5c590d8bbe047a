"""The servers behind as all workers see them: each has its own connections to them, and its own opinion."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from proxy.message.errors import ConfigurationError
from proxy.upstream.address import Server, parse_server

AskAll = Callable[[str, object], Awaitable[list[Any]]]
Weighted = tuple[str, float]


class GatheredServers:
    """Changes them in all workers; `changed` is told, so that those that are started later have them too."""

    def __init__(
        self, ask_all: AskAll, changed: Callable[[Sequence[Weighted]], None], servers: Sequence[Weighted]
    ) -> None:
        self.current = list(servers)
        self._ask_all = ask_all
        self._changed = changed

    async def figures(self) -> list[dict[str, Any]]:
        """Each server's condition: what is under way and was answered added up, the worst of the rest."""
        found: dict[str, list[dict[str, Any]]] = {}
        for answer in await self._ask_all("servers", None):
            for one in answer or ():
                found.setdefault(one["server"], []).append(one)
        return [_together(those) for those in found.values()]

    async def add(self, server: Server, weight: float) -> None:
        """Have one server more. Raises ConfigurationError."""
        if any(str(parse_server(url)) == str(server) for url, _ in self.current):
            raise ConfigurationError("the server is there already", evidence=str(server))
        if not 0 < weight < 1e6:
            raise ConfigurationError("a weight is above 0", evidence=f"{weight:g}")
        await self._become([*self.current, (server.url, weight)])

    async def drain(self, name: str) -> None:
        """Send a server nothing new. Raises ConfigurationError."""
        left = [(url, weight) for url, weight in self.current if str(parse_server(url)) != name]
        if len(left) == len(self.current):
            raise ConfigurationError("there is no such server", evidence=name)
        if not left:
            raise ConfigurationError("it is the last server", evidence=name)
        await self._become(left)

    async def _become(self, servers: list[Weighted]) -> None:
        self.current = servers
        self._changed(servers)
        await self._ask_all("change servers", servers)


def _together(those: Sequence[dict[str, Any]]) -> dict[str, Any]:
    worst = min(those, key=lambda one: (one["state"] == "well", one["share"]))
    out = sum(one["state"] == "out" for one in those)
    answered = sum(one["answered"] for one in those)
    late = sum(one["first_byte_seconds"] * one["answered"] for one in those)
    return {
        **worst,
        "why": f"{worst['why']} (in {out} of {len(those)} workers)" if 0 < out < len(those) else worst["why"],
        "share": round(sum(one["share"] for one in those) / len(those), 3),
        "outstanding": sum(one["outstanding"] for one in those),
        "answered": answered,
        "first_byte_seconds": round(late / answered, 6) if answered else 0.0,
    }
