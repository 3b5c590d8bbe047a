"""From what a user names to the store: `memory`, `disk:DIR`, `valkey://…`, `valkeys://…`, or several."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.message.errors import ConfigurationError
from proxy.storage.claims import Claims
from proxy.storage.contract import Front
from proxy.storage.memory.store import MemoryStore
from proxy.storage.settings import StorageSettings, ValkeySettings

if TYPE_CHECKING:  # what only some need is imported where they need it
    from proxy.storage.disk.store import DiskStore
    from proxy.storage.news import News
    from proxy.storage.valkey.store import ValkeyStore

_SHARE = 4
"""One content takes no more than one part in so many of a tier."""

_NEXT = re.compile(r",(?=\s*(?:[A-Za-z][\w+.-]*://|disk:|memory\s*(?:,|$)))")
"""Where the next place begins: a Valkey of several servers has commas in it too."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where responses are kept, beside memory: `disk` is a folder, `valkey` a URL."""

    disk: Path | None = None
    valkey: str | None = None

    @classmethod
    def named(cls, text: str) -> Places:
        """What a user's text names. Raises ConfigurationError."""
        disk: Path | None = None
        valkey: str | None = None
        for place in (part.strip() for part in _NEXT.split(text)):
            scheme, colon, rest = place.partition(":")
            if place == "memory":
                continue
            if scheme == "disk" and colon:
                if disk is not None or not rest:
                    raise ConfigurationError("one folder is to be named: --store disk:DIR", evidence=text)
                disk = _home(rest)
            elif scheme.lower() in ("valkey", "valkeys") and rest.startswith("//"):
                if valkey is not None:
                    raise ConfigurationError("only one Valkey can be used", evidence=scheme)
                valkey = place
            else:
                raise ConfigurationError(
                    "responses are kept in memory, disk:DIR, valkey://HOST:PORT or valkeys://HOST:PORT",
                    evidence=scheme[:40] or "nothing",
                )
        return cls(disk, valkey)


@dataclass(frozen=True, slots=True)
class Opened:
    """A store that is ready to be asked, though `start` has to be awaited before clients are.

    `claims` are those among all who share it; None: nobody does, beside the processes of this machine.
    `unreached` says what of it can't be asked at the moment, if anything.
    """

    store: Front
    claims: Claims | None = None
    start: Callable[[], Awaitable[None]] = lambda: _nothing()
    unreached: Callable[[], str | None] = lambda: None


def opened(
    settings: StorageSettings,
    valkey: ValkeySettings,
    memory: int,
    *,
    news: News | None = None,
    say: Say | None = None,
) -> Opened:
    """The store that `settings.store` names, with `memory` bytes of memory in front.

    `news` come from the processes that this one was started together with; None: there are none. To be
    called in the process that uses it, and once there. Raises ConfigurationError.
    """
    places = Places.named(settings.store)
    copies = MemoryStore(memory, min(settings.object_limit, settings.memory // _SHARE))
    if news is None and places == Places():
        return Opened(copies)
    from proxy.storage.tiers.store import Tiers

    alone = settings.alone or None
    if places == Places():
        return Opened(Tiers(copies, None, news))
    if places.valkey is None:
        assert places.disk is not None
        disk = _disk(places.disk, settings, say)
        return Opened(Tiers(copies, disk, _news_in(places.disk), folder=places.disk, ordered=disk.uses))
    fleet = _valkey(places.valkey, settings, valkey)
    if places.disk is None:
        tiers = Tiers(copies, fleet, news, fleet=fleet, alone=alone, name="valkey")
        return Opened(tiers, fleet.claims(), fleet.start, lambda: fleet.unreached)
    from proxy.storage.tiers.nearby import Nearby

    disk = _disk(places.disk, settings, say)
    both = Nearby(disk, fleet)
    heard = _news_in(places.disk)
    tiers = Tiers(copies, both, heard, fleet=both, alone=alone, folder=places.disk, ordered=disk.uses)
    return Opened(tiers, fleet.claims(), fleet.start, lambda: fleet.unreached)


def _home(folder: str) -> Path:
    """The folder that is named; a shell leaves `~` as it is in the middle of a word."""
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise ConfigurationError("nobody has such a home", evidence=folder) from error


def _disk(folder: Path, settings: StorageSettings, say: Say | None) -> DiskStore:
    from proxy.storage.disk.store import DiskStore

    return DiskStore(folder, settings.disk, min(settings.object_limit, settings.disk // _SHARE), say=say)


def _news_in(folder: Path) -> News:
    """What all processes that use the folder tell each other, whoever has started them."""
    from proxy.storage.news import News

    return News.at(folder)


def _valkey(url: str, settings: StorageSettings, valkey: ValkeySettings) -> ValkeyStore:
    from proxy.storage.valkey.store import ValkeyStore

    return ValkeyStore(url, valkey, settings.object_limit)


async def _nothing() -> None:
    """There is nothing to connect to."""
