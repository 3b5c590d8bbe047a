"""Storing in Valkey, and changing what is stored: one step there for each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry
from proxy.storage.head import pack
from proxy.storage.selection import Selection
from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey import messages
from proxy.storage.valkey.channel import answers
from proxy.storage.valkey.entry import Home as EntryHome
from proxy.storage.valkey.entry import ValkeyEntry
from proxy.storage.valkey.finding import Finder
from proxy.storage.valkey.names import Names, digest, shard_of
from proxy.storage.valkey.node import Node
from proxy.storage.valkey.record import PIECE, Framer, Record, seal
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.scripts import ADD_TO_LABEL, COMMIT, FRESHEN, GRACE, REMOVE
from proxy.storage.valkey.servers import Servers
from proxy.storage.valkey.writer import ValkeyWriter

_HELD = 16 << 20
_RATE = 100e6
_LATE = 1.0
_TIMES = 3


class Home(EntryHome, Protocol):
    """What a storer asks of its store."""

    names: Names
    settings: ValkeySettings
    servers: Servers
    finder: Finder
    origin: bytes
    horizon: float
    epoch: int


class Storer:
    """Takes contents in, and has them kept where nothing was invalidated meanwhile.

    `held` is how many bytes are on their way.
    """

    def __init__(self, home: Home, object_limit: int, variants: int, clock: Callable[[], float]) -> None:
        self.object_limit = object_limit
        self.held = 0
        self._home = home
        self._variants = variants
        self._clock = clock
        self._writers: set[ValkeyWriter] = set()
        self._last_id = 0

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> ValkeyWriter | None:
        """Start to store; None where the content is too large, or nothing can be stored at the moment."""
        if length is not None and length > self.object_limit:
            return None
        key_digest = digest(key)
        shard = shard_of(key_digest)
        node = self._home.servers.node(shard)
        if node is None or not node.writable:
            return None
        labels = tuple(dict.fromkeys(labels))
        born = self._positions(shard, labels)
        if born is None:
            return None
        ours = tuple(entry for entry in replaces if isinstance(entry, ValkeyEntry) and entry.key == key)
        writer = ValkeyWriter(self, key, key_digest, shard, labels, ours, born, self._home.epoch)
        self._writers.add(writer)
        return writer

    def _positions(self, shard: int, labels: Sequence[bytes]) -> tuple[int, ...] | None:
        """What is known of the sequence numbers that an entry depends on."""
        known = self._home.servers.known
        shards = (shard, *(shard_of(digest(label)) for label in labels))
        found = tuple(position for one in shards if (position := known[one]) is not None)
        return found if len(found) == len(shards) else None

    # What writers call.

    def new_id(self) -> bytes:
        """A name for an entry that no other has; they sort by the time at which they were made."""
        self._last_id = max(self._last_id + 1, time.time_ns() // 1000)
        return b"%016x%s" % (self._last_id, self._home.origin[:4].hex().encode())

    def framer(self, id_: bytes) -> Framer:
        """What makes the pieces of an entry's content."""
        return Framer(id_, compress=self._home.settings.compress)

    def hold(self, size: int) -> bool:
        """Whether there's room for so many more bytes that are on their way; they are counted then."""
        if self.held + size > _HELD:
            return False
        self.held += size
        return True

    def put(self, writer: ValkeyWriter, number: int, frame: bytes) -> asyncio.Future[Reply] | None:
        """Send one piece; None where that can't be now."""
        node = self._home.servers.node(writer.shard)
        if node is None:
            return None
        body = self._home.names.body(writer.digest, writer.id)
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
        if not kept and writer.count > 1 and (node := self._home.servers.node(writer.shard)) is not None:
            node.carry(b"UNLINK", self._home.names.body(writer.digest, writer.id))

    def _let_go(self, writer: ValkeyWriter, size: int) -> None:
        size = min(size, writer.held)
        writer.held -= size
        self.held -= size

    async def keep(
        self, writer: ValkeyWriter, stored: StoredResponse, digest_: str, expires: float | None
    ) -> ValkeyEntry | None:
        """Make what a writer took findable; None where that fails, or it was invalidated on its way."""
        home = self._home
        waiting = list(writer.under_way)
        if waiting:
            sent = await answers(waiting, self._home.settings.write + writer.held / _RATE)
            node = self._home.servers.node(writer.shard)
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
                return ValkeyEntry(
                    home,
                    record,
                    stored,
                    digest_,
                    writer.id,
                    writer.digest,
                    writer.shard,
                    born[0],
                    expires,
                    writer.first,
                    writer.whole,
                )
            refused = born
        return None

    def _born(self, writer: ValkeyWriter) -> tuple[int, ...]:
        """The sequence numbers to which a writer's content is known to be true.

        Where every message since it began was heard, and none was about it, those are the last ones.
        """
        if writer.epoch != self._home.epoch:
            return writer.born
        return self._positions(writer.shard, writer.labels) or writer.born

    async def _commit(self, writer: ValkeyWriter, record: Record, born: int, expires: float | None) -> bool:
        names, node = self._home.names, self._home.servers.node(writer.shard)
        value = seal(record, writer.id, born, expires)
        if node is None:
            return False
        lifetime = self._lifetime(expires)
        message = messages.encode(messages.Changed(self._home.origin, writer.key))
        asked = [
            node.script(
                writer.shard, COMMIT, [names.clock(writer.shard), names.index(writer.digest)],
                b"%d" % born, writer.id, value, writer.first, writer.key, lifetime, self._variants,
                writer.count, names.body(writer.digest, b""), writer.digest, names.channel(writer.shard),
                message, int(self._home.horizon * 1000), *(entry.id for entry in writer.replaces),
            )
        ]  # fmt: skip
        nodes = [node]
        for label, least in zip(record.labels, record.born, strict=True):
            at = self._label(label, least, writer.digest + writer.id, lifetime)
            if at is None:
                return False
            nodes.append(at[0])
            asked.append(at[1])
        replies = await answers(asked, self._home.settings.write)
        fine = [node.mind([reply]) for node, reply in zip(nodes, replies, strict=True)]
        kept = all(fine) and all(_yes(reply) for reply in replies)
        if isinstance(replies[0], list):
            self._home.finder.tidy(replies[0][2:])
            if not kept and _yes(replies[0]):
                self._remove(node, writer.digest, writer.id, b"")
        for label, reply in zip(record.labels, replies[1:], strict=True):
            if _yes(reply):
                self._home.finder.probe(label, reply[2:])
        return kept

    def _label(
        self, label: bytes, born: int, member: bytes, lifetime: bytes
    ) -> tuple[Node, asyncio.Future[Reply]] | None:
        """Have an entry be among those that carry `label`."""
        names, name = self._home.names, digest(label)
        shard = shard_of(name)
        node = self._home.servers.node(shard)
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

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry`; its content and labels stay."""
        if not isinstance(entry, ValkeyEntry) or (node := self._home.servers.node(entry.shard)) is None:
            return
        names, old = self._home.names, entry.record
        record = Record(old.key, old.labels, old.born, old.pieces, pack(stored, entry.digest))
        value, lifetime = seal(record, entry.id, entry.born, expires), self._lifetime(expires)
        message = messages.encode(messages.Changed(self._home.origin, entry.key))
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
        replies = await answers(asked, self._home.settings.write)
        for node, reply in zip(nodes, replies, strict=True):
            node.mind([reply])
        if _yes(replies[0]):
            entry.record, entry.stored, entry.expires = record, stored, expires

    async def remove(self, entry: Entry) -> None:
        """Let go of one entry; nothing where it has left already."""
        if not isinstance(entry, ValkeyEntry) or (node := self._home.servers.node(entry.shard)) is None:
            return
        message = messages.encode(messages.Changed(self._home.origin, entry.key))
        [reply] = await answers(
            [self._remove(node, entry.digest_, entry.id, message)], self._home.settings.write
        )
        node.mind([reply])
        if isinstance(reply, list):
            self._home.finder.tidy(reply[1:])

    def _remove(self, node: Node, key: bytes, id_: bytes, message: bytes) -> asyncio.Future[Reply]:
        names, shard = self._home.names, shard_of(key)
        keys = [names.clock(shard), names.index(key)]
        return node.script(shard, REMOVE, keys, names.body(key, b""), names.channel(shard), message, id_)

    def damaged(self, entry: ValkeyEntry) -> None:
        """What an entry says it has is not there: let go of the rest."""
        if (node := self._home.servers.node(entry.shard)) is not None:
            self._remove(node, entry.digest_, entry.id, b"")

    def outdate(self, wanted: Selection, soft: float | None) -> None:
        """What is on its way may be older than this: it is not kept, or only softened."""
        for writer in self._writers:
            if wanted.meant(writer.key, writer.labels):
                if soft is None:
                    writer.spoiled = True
                else:
                    writer.softened = max(soft, writer.softened or soft)

    def abort(self) -> None:
        """Keep nothing of what is on its way."""
        for writer in list(self._writers):
            writer.abort()

    def fetch(self, node: Node, entry: ValkeyEntry, number: int) -> asyncio.Future[Reply]:
        """Ask for one piece of a content."""
        if number == 0:
            return node.carry(b"HGET", self._home.names.index(entry.digest_), b"c" + entry.id)
        return node.carry(b"HGET", self._home.names.body(entry.digest_, entry.id), b"%d" % number)


def _yes(reply: Reply) -> bool:
    return isinstance(reply, list) and bool(reply) and reply[0] == 1
