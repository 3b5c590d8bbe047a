"""Finding entries in Valkey: those under a key, and those that carry a label."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import msgspec

from proxy.caching.stored import StoredResponse
from proxy.storage.head import unpack
from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey.channel import answers
from proxy.storage.valkey.entry import Home as EntryHome
from proxy.storage.valkey.entry import ValkeyEntry
from proxy.storage.valkey.names import Names, digest, digest_of, id_of, shard_of
from proxy.storage.valkey.node import Node
from proxy.storage.valkey.record import PIECE, Unreadable, unframe, unseal
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.scripts import LOOK_UP

_BUDGET = 256 << 10
"""Bytes of first pieces that come along with the records."""

_AT_ONCE = 64
_MORE = 8
_REMEMBERED = 4096
_REMEMBERED_BYTES = 512
"""Of labels, for one key: with more than that their marks are asked for once they are known."""

Asked = list[tuple[bytes, Node, asyncio.Future[Reply]]]
"""Labels, and the questions about them."""


class Home(EntryHome, Protocol):
    """What a finder asks of its store."""

    names: Names
    settings: ValkeySettings
    horizon: float

    def hidden(self, key: bytes, labels: Sequence[bytes]) -> bool: ...


class Sight(Enum):
    """Which entries to see: those that may be used; also those that are hidden; those that may not be."""

    VALID = 0
    HIDDEN_TOO = 1
    FALLEN = 2


@dataclass(slots=True)
class _Mark:
    """What is known of a label, or of a key or a shard.

    `least` is what an entry has to be born with. What was born before `since` and requested before `soft` is
    stale from then on.
    """

    least: int
    soft: float
    since: int

    @classmethod
    def of(cls, least: Reply, soft: Reply) -> _Mark:
        """As it is kept. Raises ValueError and TypeError."""
        if soft is None:
            return cls(int(least), 0.0, 0)
        at, _, number = soft.partition(b" ")
        return cls(int(least), float(at), int(number))

    def softened(self, stored: StoredResponse, born: int) -> StoredResponse:
        """`stored` as it counts now."""
        return stored.softened(self.soft) if born < self.since else stored


class Finder:
    """Looks up, and believes nothing that was invalidated since it was stored."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._probing: asyncio.Task[None] | None = None
        self._labels: dict[bytes, tuple[bytes, ...]] = {}  # that entries had lately, by their keys' digests

    async def under(self, key: bytes, within: float | None = None) -> list[ValkeyEntry]:
        """The entries under `key`, newest first, found within so many seconds (None: as set).

        What is known of the labels that they had last is asked for together with them: after them where it
        is on the same server, and never before this was called.
        """
        home, name = self._home, digest(key)
        within = home.settings.lookup if within is None else within
        until = asyncio.get_running_loop().time() + within
        asked = self.ask(name, _BUDGET)
        if asked is None:
            return []
        node, question = asked
        likely = self._ask_marks(self._labels.get(name, ()))
        reply, *told = await answers([question, *(one for _, _, one in likely)], within)
        marks = self._read_marks(likely, told)
        found = self.understood(node, reply, name)
        if not found or found[0].key != key:
            return []
        labels = _labels_of(found)
        self._remember(name, labels)
        asked_for = {label for label, _, _ in likely}
        if lacking := [label for label in labels if label not in asked_for]:
            marks |= await self._marks(lacking, until)
        return _valid(found, marks)

    async def labelled(self, label: bytes, limit: int, within: float | None = None) -> list[ValkeyEntry]:
        """At most `limit` entries that carry `label`, the newest first."""
        home, name = self._home, digest(label)
        until = asyncio.get_running_loop().time() + (home.settings.lookup if within is None else within)
        found: list[ValkeyEntry] = []
        first = 0
        while len(found) < limit:
            node = home.node(shard_of(name))
            if node is None:
                break
            some = min(_AT_ONCE, limit - len(found) + _MORE)
            question = node.ask("ZREVRANGE", home.names.members(name), first, first + some - 1)
            [members] = await answers([question], _left(until))
            if not node.mind([members]) or not isinstance(members, list) or not members:
                break
            entries = await self.members(members, until)
            found += [entry for entry in entries if label in entry.labels]
            if len(members) < some:
                break
            first += some
        return found[:limit]

    async def members(self, members: Sequence[bytes], until: float) -> list[ValkeyEntry]:
        """The entries that these members of labels are, in their order, where they are there and valid."""
        asked = {name: self.ask(name, 0) for name in dict.fromkeys(map(digest_of, members))}
        known = [(name, *one) for name, one in asked.items() if one is not None]
        replies = await answers([question for _, _, question in known], _left(until))
        found: dict[bytes, ValkeyEntry] = {}
        for (name, node, _), reply in zip(known, replies, strict=True):
            found.update((name + entry.id, entry) for entry in self.understood(node, reply, name))
        there = [found[member] for member in members if member in found]
        labels = _labels_of(there)
        return _valid(there, await self._marks(labels, until) if labels else {})

    def ask(self, name: bytes, budget: int) -> tuple[Node, asyncio.Future[Reply]] | None:
        """Look up the key with this digest; None where nobody can be asked."""
        home, shard = self._home, shard_of(name)
        node = home.node(shard)
        if node is None:
            return None
        keys = [home.names.clock(shard), home.names.index(name)]
        return node, node.script(shard, LOOK_UP, keys, budget, home.names.body(name, b""))

    def understood(
        self, node: Node, reply: Reply, name: bytes, sight: Sight = Sight.VALID
    ) -> list[ValkeyEntry]:
        """The entries in what the script answered, whatever their labels, newest first."""
        if not node.mind([reply]):
            return []
        try:
            _, floor, soft, *rest = reply
            if not rest or floor is None:
                return []
            key, key_soft, *parts = rest
            marks = [_Mark.of(floor, soft), _Mark.of(0, key_soft)]
            triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
            built = [self._built(name, key, *one, marks, sight) for one in triples]
        except (TypeError, ValueError, AttributeError):
            node.nonsense()
            return []
        return [entry for entry in built if entry is not None]

    def _built(
        self,
        name: bytes,
        key: bytes,
        id_: bytes,
        value: bytes,
        first: bytes | None,
        marks: list[_Mark],
        sight: Sight,
    ) -> ValkeyEntry | None:
        """One entry; None where it's not to be used, or was written by another version."""
        home = self._home
        try:
            record, born, expires = unseal(value, id_)
            stored, digest_ = unpack(record.head)
            whole = unframe(first, id_, 0, stored.length) if first and record.pieces == 1 else None
        except (Unreadable, msgspec.DecodeError, ValueError, IndexError):
            return None
        if record.key != key or digest(key) != name or (born < marks[0].least) is not (sight is Sight.FALLEN):
            return None
        if expires is not None and expires < home.horizon:
            return None
        if record.pieces != max(1, -(-stored.length // PIECE)):
            return None
        if sight is Sight.VALID and home.hidden(key, record.labels):
            return None
        for mark in marks:
            stored = mark.softened(stored, born)
        return ValkeyEntry(
            home, record, stored, digest_, id_, name, shard_of(name), born, expires, first or None, whole
        )

    async def _marks(self, labels: Iterable[bytes], until: float) -> dict[bytes, _Mark]:
        asked = self._ask_marks(labels)
        return self._read_marks(asked, await answers([one for _, _, one in asked], _left(until)))

    def _ask_marks(self, labels: Iterable[bytes]) -> Asked:
        """Ask what is known of labels, as far as anybody can be asked."""
        home, asked = self._home, []
        for label in labels:
            name = digest(label)
            if (node := home.node(shard_of(name))) is not None:
                asked.append((label, node, node.ask("HMGET", home.names.label(name), "g", "s")))
        return asked

    def _read_marks(self, asked: Asked, replies: Sequence[Reply]) -> dict[bytes, _Mark]:
        marks = {}
        for (label, node, _), reply in zip(asked, replies, strict=True):
            if not node.mind([reply]):
                continue
            try:
                least, soft = reply
                if least is not None:
                    marks[label] = _Mark.of(least, soft)
            except (TypeError, ValueError, AttributeError):
                node.nonsense()
        return marks

    def _remember(self, name: bytes, labels: tuple[bytes, ...]) -> None:
        known = self._labels
        if known.get(name, ()) == labels:
            return
        known.pop(name, None)
        if sum(map(len, labels)) <= _REMEMBERED_BYTES and labels:
            if len(known) >= _REMEMBERED:
                del known[next(iter(known))]
            known[name] = labels

    # Labels' members that are no more.

    def tidy(self, removed: Sequence[Reply]) -> None:
        """Entries have left, told as id and record each: their labels need not know them any more."""
        for id_, value in zip(removed[::2], removed[1::2], strict=False):
            try:
                record = unseal(value, id_)[0]
            except (Unreadable, TypeError):
                continue
            self._forget(record.labels, digest(record.key) + id_)

    def probe(self, label: bytes, members: Sequence[bytes]) -> None:
        """See whether some that were taken at random are still there: what has expired leaves no word."""
        if self._probing is None or self._probing.done():
            self._probing = asyncio.get_running_loop().create_task(self._probe(label, members))

    async def close(self) -> None:
        """Leave off."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    async def _probe(self, label: bytes, members: Sequence[bytes]) -> None:
        home = self._home
        asked = []
        for member in members:
            if (node := home.node(shard_of(digest_of(member)))) is not None:
                index = home.names.index(digest_of(member))
                asked.append((member, node.ask("HEXISTS", index, b"h" + id_of(member))))
        replies = await answers([question for _, question in asked], home.settings.write)
        for (member, _), reply in zip(asked, replies, strict=True):
            if reply == 0:
                self._forget([label], member)

    def _forget(self, labels: Iterable[bytes], member: bytes) -> None:
        for label in labels:
            name = digest(label)
            if (node := self._home.node(shard_of(name))) is not None:
                node.ask("ZREM", self._home.names.members(name), member)


def _labels_of(entries: Iterable[ValkeyEntry]) -> tuple[bytes, ...]:
    """All that they carry, each once."""
    return tuple(dict.fromkeys(label for entry in entries for label in entry.labels))


def _valid(entries: list[ValkeyEntry], marks: dict[bytes, _Mark]) -> list[ValkeyEntry]:
    """Those of which no label was invalidated, where `marks` are what is known of their labels."""
    valid = []
    for entry in entries:
        mine = [marks.get(label) for label in entry.labels]
        pairs = [(mark, born) for mark, born in zip(mine, entry.record.born, strict=True) if mark is not None]
        if len(pairs) < len(mine) or any(born < mark.least for mark, born in pairs):
            continue
        for mark, born in pairs:
            entry.stored = mark.softened(entry.stored, born)
        valid.append(entry)
    return valid


def _left(until: float) -> float:
    return max(0.0, until - asyncio.get_running_loop().time())
