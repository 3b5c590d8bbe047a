"""The shared tier: stored responses in Valkey, which all proxies of a fleet look up and store."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Figures
from proxy.storage.head import pack
from proxy.storage.selection import Selection
from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey import messages
from proxy.storage.valkey.address import parse
from proxy.storage.valkey.channel import Reply, answers, check_ca
from proxy.storage.valkey.claims import ValkeyClaims
from proxy.storage.valkey.entry import ValkeyEntry
from proxy.storage.valkey.figures import Gauge
from proxy.storage.valkey.finding import Finder
from proxy.storage.valkey.names import Names, digest, shard_of
from proxy.storage.valkey.node import Node
from proxy.storage.valkey.purging import Purger
from proxy.storage.valkey.record import PIECE, Framer, Record, seal
from proxy.storage.valkey.scripts import ADD_TO_LABEL, COMMIT, FRESHEN, GRACE, REMOVE
from proxy.storage.valkey.servers import Servers
from proxy.storage.valkey.writer import ValkeyWriter

VARIANTS = 32
"""Entries under one key, unless said otherwise."""

_HELD = 16 << 20
_RATE = 100e6
_LATE = 1.0
_TOKENS = 64
_TIMES = 3


class ValkeyStore:
    """Stored responses in Valkey, at a `valkey://` or `valkeys://` URL. Raises ConfigurationError.

    Nothing that goes wrong there is raised: what can't be looked up in time is not there, what can't be
    stored in time is not kept, and what can't be invalidated yet is not seen here and is repeated until it is
    done. A server that fails is left alone and tried in the background. `object_limit` bounds the content of
    one entry, in bytes, `variants` the entries under one key. `clock` gives the seconds since the epoch.
    """

    def __init__(
        self,
        url: str,
        settings: ValkeySettings,
        object_limit: int,
        *,
        variants: int = VARIANTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        address = parse(url)
        check_ca(settings.ca)
        self.object_limit = object_limit
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
        self._purger = Purger(self)
        self._claims = ValkeyClaims(self.servers, self.names, settings, self.origin)
        self._gauge = Gauge(self.servers)
        self._variants = variants
        self._clock = clock
        self._writers: set[ValkeyWriter] = set()
        self._held = 0
        self._last_id = 0
        self._hearing: list[Callable[[Selection], object]] = []
        self._watching: Callable[[bytes], None] | None = None
        self._tokens: dict[tuple[bytes, int], None] = {}

    async def start(self) -> None:
        """Connect; a server that isn't there yet is tried again in the background.

        Raises ConfigurationError where it is there and refuses the account, or is no Valkey.
        """
        await self.servers.start()
        self._purger.start()

    def claims(self) -> ValkeyClaims:
        """Who of the fleet asks the origin for what."""
        return self._claims

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

    # Storing.

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> ValkeyWriter | None:
        """Start to store; None where the content is too large, or nothing can be stored at the moment."""
        if length is not None and length > self.object_limit:
            return None
        key_digest = digest(key)
        shard = shard_of(key_digest)
        node = self.servers.node(shard)
        if node is None or not node.writable:
            return None
        labels = tuple(dict.fromkeys(labels))
        born = self._positions(shard, labels)
        if born is None:
            return None
        ours = tuple(entry for entry in replaces if isinstance(entry, ValkeyEntry) and entry.key == key)
        writer = ValkeyWriter(self, key, key_digest, shard, labels, ours, born, self.epoch)
        self._writers.add(writer)
        return writer

    def _positions(self, shard: int, labels: Sequence[bytes]) -> tuple[int, ...] | None:
        """What is known of the sequence numbers that an entry depends on."""
        known = self.servers.known
        shards = (shard, *(shard_of(digest(label)) for label in labels))
        found = tuple(position for one in shards if (position := known[one]) is not None)
        return found if len(found) == len(shards) else None

    def new_id(self) -> bytes:
        """A name for an entry that no other has; they sort by the time at which they were made."""
        self._last_id = max(self._last_id + 1, time.time_ns() // 1000)
        return b"%016x%s" % (self._last_id, self.origin[:4].hex().encode())

    def framer(self, id_: bytes) -> Framer:
        """What makes the pieces of an entry's content."""
        return Framer(id_, compress=self.settings.compress)

    def hold(self, size: int) -> bool:
        """Whether there's room for so many more bytes that are on their way; they are counted then."""
        if self._held + size > _HELD:
            return False
        self._held += size
        return True

    def put(self, writer: ValkeyWriter, number: int, frame: bytes) -> asyncio.Future[Reply] | None:
        """Send one piece; None where that can't be now."""
        node = self.servers.node(writer.shard)
        if node is None:
            return None
        body = self.names.body(writer.digest, writer.id)
        sent = node.carry(b"HSET", body, b"%d" % number, frame)
        if sent.done():
            return None
        node.carry(b"PEXPIRE", body, GRACE)
        size = min(PIECE, writer.held)
        sent.add_done_callback(lambda _: self._let_go(writer, size))
        return sent

    def ended(self, writer: ValkeyWriter, *, kept: bool) -> None:
        """A writer is over: what it sent is of no use where it was not kept."""
        self._writers.discard(writer)
        self._let_go(writer, writer.held)
        if not kept and writer.count > 1 and (node := self.servers.node(writer.shard)) is not None:
            node.carry(b"UNLINK", self.names.body(writer.digest, writer.id))

    def _let_go(self, writer: ValkeyWriter, size: int) -> None:
        size = min(size, writer.held)
        writer.held -= size
        self._held -= size

    async def keep(
        self, writer: ValkeyWriter, stored: StoredResponse, digest_: str, expires: float | None
    ) -> ValkeyEntry | None:
        """Make what a writer took findable; None where that fails, or it was invalidated on its way."""
        waiting = list(writer.under_way)
        if waiting:
            sent = await answers(waiting, self.settings.write + writer.held / _RATE)
            node = self.servers.node(writer.shard)
            if node is None or not node.mind(sent):
                return None
        if writer.softened is not None:
            stored = stored.softened(writer.softened)
        block, refused = pack(stored, digest_), None
        for _ in range(_TIMES):
            born = self._born(writer)
            if writer.spoiled or born == refused:
                break
            record = Record(writer.key, writer.labels, born[1:], writer.count, block)
            if await self._commit(writer, record, born[0], expires):
                whole = writer.first if writer.count == 1 else None
                return ValkeyEntry(
                    self,
                    record,
                    stored,
                    digest_,
                    writer.id,
                    writer.digest,
                    writer.shard,
                    born[0],
                    expires,
                    whole,
                )
            refused = born
        return None

    def _born(self, writer: ValkeyWriter) -> tuple[int, ...]:
        """The sequence numbers to which a writer's content is known to be true.

        Where every message since it began was heard, and none was about it, those are the last ones.
        """
        if writer.epoch != self.epoch:
            return writer.born
        return self._positions(writer.shard, writer.labels) or writer.born

    async def _commit(self, writer: ValkeyWriter, record: Record, born: int, expires: float | None) -> bool:
        names, node = self.names, self.servers.node(writer.shard)
        value = seal(record, writer.id, born, expires)
        if node is None:
            return False
        lifetime = self._lifetime(expires)
        message = messages.encode(messages.Changed(self.origin, writer.key))
        asked = [
            node.script(
                writer.shard, COMMIT, [names.clock(writer.shard), names.index(writer.digest)],
                b"%d" % born, writer.id, value, writer.first, writer.key, lifetime, self._variants,
                writer.count, names.body(writer.digest, b""), writer.digest, names.channel(writer.shard),
                message, int(self.horizon * 1000), *(entry.id for entry in writer.replaces),
            )
        ]  # fmt: skip
        nodes = [node]
        for label, least in zip(record.labels, record.born, strict=True):
            at = self._label(label, least, writer.digest + writer.id, lifetime)
            if at is None:
                return False
            nodes.append(at[0])
            asked.append(at[1])
        replies = await answers(asked, self.settings.write)
        fine = [node.mind([reply]) for node, reply in zip(nodes, replies, strict=True)]
        kept = all(fine) and all(_yes(reply) for reply in replies)
        if isinstance(replies[0], list):
            self.finder.tidy(replies[0][2:])
            if not kept and _yes(replies[0]):
                self._remove(node, writer.digest, writer.id, b"")
        for label, reply in zip(record.labels, replies[1:], strict=True):
            if _yes(reply):
                self.finder.probe(label, reply[2:])
        return kept

    def _label(
        self, label: bytes, born: int, member: bytes, lifetime: bytes
    ) -> tuple[Node, asyncio.Future[Reply]] | None:
        """Have an entry be among those that carry `label`."""
        names, name = self.names, digest(label)
        shard = shard_of(name)
        node = self.servers.node(shard)
        if node is None:
            return None
        keys = [names.clock(shard), names.label(name), names.members(name)]
        score = b"%d" % (time.time_ns() // 1000)
        return node, node.script(shard, ADD_TO_LABEL, keys, b"%d" % born, member, score, lifetime)

    def _lifetime(self, expires: float | None) -> bytes:
        """For how many milliseconds Valkey has to keep an entry: a little longer than it's of use."""
        if expires is None:
            return b""
        return b"%d" % (max(0.0, expires - self._clock() + _LATE) * 1000 + 1)

    # Changing what is there.

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry`; its content and labels stay."""
        if not isinstance(entry, ValkeyEntry) or (node := self.servers.node(entry.shard)) is None:
            return
        names, old = self.names, entry.record
        record = Record(old.key, old.labels, old.born, old.pieces, pack(stored, entry.digest))
        value, lifetime = seal(record, entry.id, entry.born, expires), self._lifetime(expires)
        message = messages.encode(messages.Changed(self.origin, entry.key))
        asked = [
            node.script(
                entry.shard, FRESHEN, [names.clock(entry.shard), names.index(entry.digest_)],
                entry.id, value, lifetime, names.body(entry.digest_, b""), names.channel(entry.shard),
                message,
            )
        ]  # fmt: skip
        nodes = [node]
        for label, born in zip(old.labels, old.born, strict=True):
            if (at := self._label(label, born, entry.digest_ + entry.id, lifetime)) is not None:
                nodes.append(at[0])
                asked.append(at[1])
        replies = await answers(asked, self.settings.write)
        for node, reply in zip(nodes, replies, strict=True):
            node.mind([reply])
        if _yes(replies[0]):
            entry.record, entry.stored, entry.expires = record, stored, expires

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels; the number of them."""
        told = await self.purge(Selection(keys=tuple(keys), labels=tuple(labels)))
        return told["valkey"]

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove all entries that are `wanted`, or soften or count them; how many.

        By label it takes the same time however many there are. Above a few hundred of them the number is that
        of the last known: it may count some that have expired lately.
        """
        if dry:
            return {"valkey": await self._purger.count(wanted)}
        self._outdate(wanted, soft)
        return {"valkey": await self._purger.purge(wanted, soft)}

    async def remove(self, entry: Entry) -> None:
        """Let go of one entry; nothing where it has left already."""
        if not isinstance(entry, ValkeyEntry) or (node := self.servers.node(entry.shard)) is None:
            return
        message = messages.encode(messages.Changed(self.origin, entry.key))
        [reply] = await answers([self._remove(node, entry.digest_, entry.id, message)], self.settings.write)
        node.mind([reply])
        if isinstance(reply, list):
            self.finder.tidy(reply[1:])

    def _remove(self, node: Node, key: bytes, id_: bytes, message: bytes) -> asyncio.Future[Reply]:
        names, shard = self.names, shard_of(key)
        keys = [names.clock(shard), names.index(key)]
        return node.script(shard, REMOVE, keys, names.body(key, b""), names.channel(shard), message, id_)

    def damaged(self, entry: ValkeyEntry) -> None:
        """What an entry says it has is not there: let go of the rest."""
        if (node := self.servers.node(entry.shard)) is not None:
            self._remove(node, entry.digest_, entry.id, b"")

    async def expire(self, now: float) -> int:
        """Let go of what was of no use before `now`: Valkey does so by itself, there are none to count."""
        self.horizon = max(self.horizon, now)
        return 0

    def figures(self) -> Figures:
        """How full the servers are as a whole, as they said lately; `entries` counts all that they keep."""
        return self._gauge.figures(self._held)

    async def close(self) -> None:
        """Leave Valkey; what is on its way is not kept, what is there stays."""
        for writer in list(self._writers):
            writer.abort()
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
        if number == 0:
            return node.carry(b"HGET", self.names.index(entry.digest_), b"c" + entry.id)
        return node.carry(b"HGET", self.names.body(entry.digest_, entry.id), b"%d" % number)

    def hidden(self, key: bytes, labels: Sequence[bytes]) -> bool:
        """Whether something may not be seen because an invalidation has not reached Valkey yet."""
        return self._purger.pending.hides(key, labels)

    # What the servers tell.

    def _outdate(self, wanted: Selection, soft: float | None) -> None:
        """What is on its way may be older than this."""
        for writer in self._writers:
            if wanted.meant(writer.key, writer.labels):
                if soft is None:
                    writer.spoiled = True
                else:
                    writer.softened = max(soft, writer.softened or soft)

    def _told(self, block: bytes) -> None:
        match messages.decode(block):
            case messages.Released(_, way, shared):
                self._claims.released(way, shared=shared)
            case messages.Changed(origin, key) if origin != self.origin and self._watching is not None:
                self._watching(key)
            case messages.Purged(origin, token, wanted, soft) if origin != self.origin:
                self._outdate(wanted, soft)
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


def _yes(reply: Reply) -> bool:
    return isinstance(reply, list) and bool(reply) and reply[0] == 1
