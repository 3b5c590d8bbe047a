"""What SIGHUP takes from the configuration while the proxy runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from proxy.config import load
from proxy.message.errors import ConfigurationError
from proxy.server.configuration import Settings
from proxy.server.log.records import say
from proxy.upstream.address import Server, parse_weighted

Weighted = tuple[Server, float]


class Reloading:
    """Reads the configuration `path` again, with `given` from the command line over it.

    Only the servers behind change with it: what is stored was decided by the other settings, answers that the
    fast lane repeats among it, and connections are open under them. `upstreams` are those of the command
    line, which stay.
    """

    def __init__(
        self,
        path: str | None,
        given: Sequence[str],
        upstreams: Sequence[Weighted],
        loaded: Settings,
        say: Callable[[str], None] = say,
    ) -> None:
        self._path = path
        self._given = list(given)
        self._named = {str(server) for server, _ in upstreams}
        self._settings = loaded
        self._changeable = len(upstreams) > 1 or bool(loaded.balance.servers)
        self._say = say

    def servers(self, current: Sequence[Weighted]) -> list[Weighted] | None:
        """The servers from now on, where `current` are those until now; None where they stay.

        What can't be used is said, and changes nothing; so is what needs a restart.
        """
        if self._path is None:
            return None
        try:
            loaded = load(self._path, self._given)
            changed = self._changed(loaded, current)
        except ConfigurationError as error:
            self._say("the configuration is not taken: " + " ".join(str(error).split()))
            return None
        rest = different(self._settings, loaded)
        if rest:
            self._say(f"to be taken from the configuration, this needs a restart: {', '.join(rest)}")
        if changed is None:
            return None
        balance = dataclasses.replace(self._settings.balance, servers=loaded.balance.servers)
        self._settings = dataclasses.replace(self._settings, balance=balance)
        self._say("the servers behind are now " + ", ".join(one.url for one, _ in changed))
        return changed

    def _changed(self, loaded: Settings, current: Sequence[Weighted]) -> list[Weighted] | None:
        before, after = (_parsed(one.balance.servers) for one in (self._settings, loaded))
        if before == after:
            return None
        if not self._changeable:
            raise ConfigurationError("servers in it need the proxy started anew: it has one for good")
        left = {str(server): (server, weight) for server, weight in current}
        for name in before.keys() - after.keys():
            left.pop(name, None)
        for name, one in after.items():
            if name in self._named:
                raise ConfigurationError("the server is there already", evidence=name)
            if before.get(name) != one:
                left[name] = one
        if not left:
            raise ConfigurationError("there is no server left in it")
        return list(left.values())


def different(one: Settings, other: Settings) -> list[str]:
    """The settings that differ, but for the servers behind."""
    found = []
    for section in dataclasses.fields(one):
        part, changed = getattr(one, section.name), getattr(other, section.name)
        names = [item.name for item in dataclasses.fields(part)]
        found += [f"{section.name}.{name}" for name in names if getattr(part, name) != getattr(changed, name)]
    return [name for name in found if name != "balance.servers"]


def _parsed(servers: Sequence[str]) -> dict[str, Weighted]:
    found: dict[str, Weighted] = {}
    for text in servers:
        server, weight = parse_weighted(text)
        if str(server) in found:
            raise ConfigurationError("a server is named twice", evidence=str(server))
        if not 0 < weight < 1e6:
            raise ConfigurationError("a weight is above 0", evidence=f"{weight:g}")
        found[str(server)] = server, weight
    return found
