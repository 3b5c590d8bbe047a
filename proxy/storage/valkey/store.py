"""The shared tier: stored responses in Valkey, which all proxies of a fleet look up and store."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Figures
from proxy.storage.selection import Selection
from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey import messages
from proxy.storage.valkey.address import parse
from proxy.storage.valkey.channel import check_ca
from proxy.storage.valkey.claims import ValkeyClaims
from proxy.storage.valkey.entry import ValkeyEntry
from proxy.storage.valkey.figures import Gauge
from proxy.storage.valkey.finding import Finder
from proxy.storage.valkey.names import Names
from proxy.storage.valkey.node import Node
from proxy.storage.valkey.purging import Purger
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.servers import Servers
from proxy.storage.valkey.storing import Storer
from proxy.storage.valkey.writer import ValkeyWriter

VARIANTS = 32
"""Entries under one key, unless said otherwise."""

_TOKENS = 64


class ValkeyStore:
    """Stored responses in Valkey, at a `valkey://` or `valkeys://` URL. Raises ConfigurationError.

    Nothing that goes wrong there is raised: what can't be looked up in time is not there, what can't be
    stored in time is not kept, and what can't be invalidated yet is not seen here and is repeated until it is
    done. A server that fails is left alone and tried in the background. `object_limit` bounds the content of
    one entry, in bytes, `variants` the entries under one key. `clock` gives the seconds since the epoch.
    """

    name = "valkey"

    def __init__(
        self,
        url: str,
        settings: ValkeySettings,
        object_limit: int,
        *,
        variants: int = VARIANTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        address = self._address = parse(url)
        check_ca(settings.ca)
        self.epoch = 0
        self.settings = settings
        self.names = Names(settings.namespace, address.db)
        self.origin = os.urandom(8)
        self.horizon = 0.0
        self.servers = Servers(
            address,
            settings,
            self.names,
            told=self._told,
            missed=self._missed,
            lost=self._lost,
            back=self._back,
        )
        self.finder = Finder(self)
        self._storer = Storer(self, object_limit, variants, clock)
        self._purger = Purger(self)
        self._claims = ValkeyClaims(self.servers, self.names, settings, self.origin)
        self._gauge = Gauge(self.servers)
        self._hearing: list[Callable[[Selection], object]] = []
        self._watching: Callable[[bytes], None] | None = None
        self._tokens: dict[tuple[bytes, int], None] = {}

    async def start(self) -> None:
        """Connect; a server that isn't there yet is tried again in the background.

        Raises ConfigurationError where it is there and refuses the account, or is no Valkey.
        """
        await self.servers.start()
        self._purger.start()

    @property
    def unreached(self) -> str | None:
        """What can't be asked at this moment; None where all can be."""
        return None if self.servers.complete else f"Valkey at {self._address}"

    def claims(self) -> ValkeyClaims:
        """Who of the fleet asks the origin for what."""
        return self._claims

    @property
    def teller(self) -> ValkeyStore:
        """Whose epoch it is."""
        return self

    @property
    def in_touch(self) -> bool:
        """Whether everything that other proxies invalidate is heard of at this moment."""
        return self.servers.in_touch

    async def look_up(self, key: bytes) -> Sequence[ValkeyEntry]:
        """The entries under `key`, newest first; none where they can't be had in time."""
        return await self.finder.under(key)

    async def labelled(self, label: bytes, limit: int) -> Sequence[ValkeyEntry]:
        """At most `limit` entries that carry `label`, the newest first."""
        return await self.finder.labelled(label, limit)

    def at_hand(self, key: bytes) -> None:
        """Nothing is to be had without waiting."""
        return

    def labelled_at_hand(self, label: bytes, limit: int) -> None:
        """Nothing is to be had without waiting."""
        return

    def watch(self, changed: Callable[[bytes], None]) -> None:
        """Have `changed` called with each key under which another proxy changes what was there."""
        self._watching = changed

    def hear(self, purged: Callable[[Selection], object]) -> None:
        """Have `purged` called with what other proxies invalidate or purge, softly too."""
        self._hearing.append(purged)

    def touch(self, entry: Entry) -> None:
        """Nothing: Valkey knows what is used."""

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> ValkeyWriter | None:
        """Start to store; None where the content is too large, or nothing can be stored at the moment."""
        return self._storer.begin(key, labels, replaces, length)

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry`; its content and labels stay."""
        await self._storer.freshen(entry, stored, expires)

    async def remove(self, entry: Entry) -> None:
        """Let go of one entry; nothing where it has left already."""
        await self._storer.remove(entry)

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels; the number of them."""
        told = await self.purge(Selection(keys=tuple(keys), labels=tuple(labels)))
        return told[self.name]

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove all entries that are `wanted`, or soften or count them; how many.

        By label it takes the same time however many there are. Above a few hundred of them the number is that
        of the last known: it may count some that have expired lately.
        """
        if dry:
            return {self.name: await self._purger.count(wanted)}
        self._storer.outdate(wanted, soft)
        return {self.name: await self._purger.purge(wanted, soft)}

    def owes(self, wanted: Selection) -> bool:
        """Whether any of it was to be invalidated in Valkey and has not been yet."""
        return self._purger.pending.has(wanted)

    def heard(self, wanted: Selection, soft: float | None, *, owed: bool) -> None:
        """Another process of this machine has purged this; what is `owed` it could not do yet."""
        self._storer.outdate(wanted, soft)
        if owed:
            self._purger.owe(wanted, soft)

    async def expire(self, now: float) -> int:
        """Let go of what was of no use before `now`: Valkey does so by itself, there are none to count."""
        self.horizon = now  # a clock that went wrong is set back sometime
        return 0

    def figures(self) -> Figures:
        """How full the servers are as a whole, as they said lately; `entries` counts all that they keep."""
        return self._gauge.figures(self._storer.held)

    async def close(self) -> None:
        """Leave Valkey; what is on its way is not kept, what is there stays."""
        self._storer.abort()
        await self._claims.close()
        await self._purger.close()
        await self.finder.close()
        await self._gauge.close()
        await self.servers.close()

    # What entries and those who find them ask for.

    def node(self, shard: int) -> Node | None:
        """Whom to ask about a shard."""
        return self.servers.node(shard)

    def nodes(self) -> Sequence[Node]:
        """All that something is kept on."""
        return self.servers.nodes

    def complete(self) -> bool:
        """Whether all of them can be asked."""
        return self.servers.complete

    def fetch(self, node: Node, entry: ValkeyEntry, number: int) -> asyncio.Future[Reply]:
        """Ask for one piece of a content."""
        return self._storer.fetch(node, entry, number)

    def damaged(self, entry: ValkeyEntry) -> None:
        """What an entry says it has is not there."""
        self._storer.damaged(entry)

    def hidden(self, key: bytes, labels: Sequence[bytes]) -> bool:
        """Whether something may not be seen because an invalidation has not reached Valkey yet."""
        return self._purger.pending.hides(key, labels)

    # What the servers tell.

    def _told(self, block: bytes) -> None:
        match messages.decode(block):
            case messages.Released(_, way, shared):
                self._claims.released(way, shared=shared)
            case messages.Changed(origin, key) if origin != self.origin and self._watching is not None:
                self._watching(key)
            case messages.Purged(origin, token, wanted, soft) if origin != self.origin:
                self._storer.outdate(wanted, soft)
                if token and (origin, token) in self._tokens:
                    return
                if token:
                    self._tokens[origin, token] = None
                    if len(self._tokens) > _TOKENS:
                        del self._tokens[next(iter(self._tokens))]
                for purged in self._hearing:
                    purged(wanted)

    def _missed(self) -> None:
        self.epoch += 1

    def _lost(self, least: int) -> None:
        """Changes that were confirmed are lost there: nothing that is there can be trusted."""
        self.epoch += 1
        self._purger.distrust(least)

    def _back(self) -> None:
        self._purger.hurry()
