"""Who is compared: Pellucid, as it keeps responses in different places, and nginx beside its disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from proxy.commands.comparing.contenders.contract import MEMORY, Contender, Found, Launch, Part, Place
from proxy.commands.comparing.contenders.nginx import NGINX
from proxy.commands.comparing.contenders.pellucid import PELLUCID, find_pellucid, serving
from proxy.commands.comparing.state.stage.store import find_store

_AMPLE = f"{MEMORY}MiB"
_DISK = "disk:{folder}/kept"
_SHARED = "valkey://127.0.0.1:{valkey}"
_TWO = ("--workers", "2")
_PURGES = ("--set", "server.purge_from=127.0.0.1")


@dataclass(slots=True)
class Valkey:
    """Where the one is that is used, once it runs."""

    port: int = 6379


def variants(valkey: Valkey) -> list[Contender]:
    """All of them, in the order in which they are shown."""
    both = f"{_DISK},{_SHARED}"
    small = ("--set", "storage.disk=3MiB")

    def one(
        name: str, title: str, parts: set[Part], memory: str = _AMPLE, store: str = "memory", *options: str
    ) -> Contender:
        launch = partial(_launch, valkey, memory, store, options)
        find = _find_both if _SHARED in store else find_pellucid
        return Contender(name, title, frozenset(parts), PELLUCID.log, find, launch)

    return [
        one("memory", "memory", {Part.LANE, Part.SHARED}),
        one("memory-2", "memory, 2 workers", {Part.LANE}, _AMPLE, "memory", *_TWO),
        one("disk", "memory, disk", {Part.LANE}, _AMPLE, _DISK),
        one("disk-2", "memory, disk, 2 workers", {Part.LANE}, _AMPLE, _DISK, *_TWO),
        one("both-2", "memory, disk, Valkey, 2 workers", {Part.LANE}, _AMPLE, both, *_TWO),
        replace(NGINX, parts=frozenset({Part.DISK})),
        one("disk-alone", "disk alone", {Part.DISK}, "0", _DISK),
        one("disk-small", "1 MiB of memory, disk", {Part.DISK}, "1MiB", _DISK),
        one("valkey-alone", "Valkey alone", {Part.SHARED}, "0", _SHARED),
        one("restarted", "disk, stopped and started", {Part.RESTART}, "1MiB", _DISK, *small),
        one("killed", "disk, kill -9 and started", {Part.RESTART}, "1MiB", _DISK, *small),
        one("workers", "3 workers, disk", {Part.PURGE}, _AMPLE, _DISK, "--workers", "3", *_PURGES),
        one(
            "workers-memory", "3 workers, memory", {Part.PURGE}, _AMPLE, "memory", "--workers", "3", *_PURGES
        ),
        one("fleet", "two proxies, Valkey", {Part.FLEET}, _AMPLE, _SHARED, *_PURGES),
        one("tagged", "disk", {Part.TAG}, _AMPLE, _DISK, "--set", "storage.disk=256MiB", *_PURGES),
    ]


def _find_both() -> Found:
    find_store()
    return find_pellucid()


def _launch(
    valkey: Valkey, memory: str, store: str, options: tuple[str, ...], found: Found, place: Place
) -> Launch:
    more = ["--store", store.format(folder=place.folder, valkey=valkey.port)] if store != "memory" else []
    if _SHARED in store:
        more += ["--set", f"valkey.namespace={place.folder.name}"]
    return serving(found, place, memory, *more, *options)
