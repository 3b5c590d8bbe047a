"""Invalidating and purging in Valkey: at once where that can be, else again until it's done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from proxy.storage.selection import Selection
from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey import messages
from proxy.storage.valkey.channel import Unwell, answers
from proxy.storage.valkey.entry import ValkeyEntry
from proxy.storage.valkey.finding import Finder, Sight
from proxy.storage.valkey.names import SHARDS, Names, digest, digest_of, id_of, shard_of
from proxy.storage.valkey.node import Node
from proxy.storage.valkey.pending import Kind, Pending, Soft, wide_part
from proxy.storage.valkey.record import Unreadable, unseal
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.scripts import PURGE_KEY, PURGE_LABEL, PURGE_SHARD, REMOVE, TELL

FEW = 256
"""So many that carry a label are removed and counted one by one; of more, the number is that of the label."""

_PATIENCE = 1.0
"""Seconds for each step of going through everything."""

_STEP = 256
_AGAIN, _SELDOM = 0.1, 1.0

Asked = tuple[Node, asyncio.Future[Reply]]


class Home(Protocol):
    """What a purger asks of its store."""

    names: Names
    settings: ValkeySettings
    origin: bytes
    horizon: float
    finder: Finder

    def node(self, shard: int) -> Node | None: ...
    def nodes(self) -> Sequence[Node]: ...
    def complete(self) -> bool: ...


class Purger:
    """Has Valkey do what was wanted, and keeps what it couldn't do in `pending`."""

    def __init__(self, home: Home) -> None:
        self.pending = Pending()
        self._home = home
        self._least = 0
        self._token = 0
        self._going = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to repeat what is pending."""
        self._task = asyncio.get_running_loop().create_task(self._repeat())

    def hurry(self) -> None:
        """Valkey may be well again."""
        self._wake.set()

    def owe(self, wanted: Selection, soft: Soft) -> None:
        """Do this as soon as it can be done."""
        self.pending.add(wanted, soft)
        self._wake.set()

    def distrust(self, least: int) -> None:
        """Changes were lost there: nothing of it may be used. Numbers are raised above `least`."""
        self._least = max(self._least, least + 1)
        self.pending.add(Selection(everything=True), None)
        self._wake.set()

    async def close(self) -> None:
        """Leave off; what is pending stays undone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def purge(self, wanted: Selection, soft: Soft) -> int:
        """Do it, and say how many entries there were; what can't be done now is repeated."""
        count = await self._direct(
            dict.fromkeys(wanted.keys, soft), dict.fromkeys(wanted.labels, soft), self._within()
        )
        if not wanted.direct:
            wide = wide_part(wanted)
            self.pending.add(wide, soft)  # what isn't gone through yet is hidden
            self._going += 1
            try:
                with suppress(Unwell):
                    count += await self._wide(wide, soft)
                    self.pending.done(wide, soft)
            finally:
                self._going -= 1
                self._wake.set()
        return count

    async def count(self, wanted: Selection) -> int:
        """How many there are."""
        finder, loop = self._home.finder, asyncio.get_running_loop()
        found: set[bytes] = set()
        more = 0
        for key in dict.fromkeys(wanted.keys):
            found.update(map(_member, await finder.under(key, _PATIENCE)))
        for label in dict.fromkeys(wanted.labels):
            some = await finder.labelled(label, FEW + 1, _PATIENCE)
            if len(some) <= FEW:
                found.update(map(_member, some))
            else:
                more += await self._cardinality(label)
        if not wanted.direct:
            with suppress(Unwell):
                async for entries in _through(self._home, Sight.VALID):
                    until = loop.time() + _PATIENCE
                    meant = [_member(entry) for entry in entries if wanted.meant(entry.key, ())]
                    found.update(map(_member, await finder.members(meant, until)))
        return len(found) + more

    def _within(self) -> float:
        return self._home.settings.write

    # By keys and labels.

    async def _direct(self, keys: dict[bytes, Soft], labels: dict[bytes, Soft], within: float) -> int:
        """How many there were; what was not confirmed is pending afterwards."""
        found: set[bytes] = set()
        more = 0
        await self._each(
            keys, self._purge_key, within, lambda key, reply: found.update(self._gone(reply[1:], keys[key]))
        )
        members: dict[bytes, Soft] = {}

        def labelled(label: bytes, reply: list[Reply]) -> None:
            nonlocal more
            if reply[1] > FEW:
                more += reply[1]
            members.update(dict.fromkeys(reply[2:], labels[label]))

        await self._each(labels, self._purge_label, within, labelled)
        if members:
            found.update(await self._removed(members, within))
        return len(found) + more

    async def _each(
        self,
        names: dict[bytes, Soft],
        ask: Callable[[bytes, Soft], Asked | None],
        within: float,
        done: Callable[[bytes, list[Reply]], None],
    ) -> None:
        """Ask for each of them, some at a time; what has not worked is pending then."""
        every = list(names)
        for first in range(0, len(every), _STEP):
            some = every[first : first + _STEP]
            asked = {name: one for name in some if (one := ask(name, names[name])) is not None}
            kind = self._kind(ask)
            leaving = [name for name in asked if self.pending.leave(kind, name)]
            try:
                replies = await answers([question for _, question in asked.values()], within)
            except asyncio.CancelledError:
                for name in every[first:]:
                    self._put_off(ask, name, names[name])
                raise
            finally:
                self.pending.left(kind, leaving)
            for (name, (node, _)), reply in zip(asked.items(), replies, strict=True):
                if node.mind([reply]) and isinstance(reply, list):
                    with suppress(LookupError, TypeError):
                        done(name, reply)
                else:
                    self._put_off(ask, name, names[name])
            for name in some:
                if name not in asked:
                    self._put_off(ask, name, names[name])

    def _put_off(self, ask: object, name: bytes, soft: Soft) -> None:
        wanted = Selection(keys=(name,)) if self._kind(ask) is Kind.KEY else Selection(labels=(name,))
        self.pending.add(wanted, soft)
        self._wake.set()

    def _kind(self, ask: object) -> Kind:
        return Kind.KEY if ask == self._purge_key else Kind.LABEL

    def _purge_key(self, key: bytes, soft: Soft) -> Asked | None:
        names, name = self._home.names, digest(key)
        shard = shard_of(name)
        node = self._home.node(shard)
        if node is None:
            return None
        message = self._message(Selection(keys=(key,)), soft)
        return node, node.script(
            shard, PURGE_KEY, [names.clock(shard), names.index(name)],
            name, names.body(name, b""), names.channel(shard), message, _text(soft),
        )  # fmt: skip

    def _purge_label(self, label: bytes, soft: Soft) -> Asked | None:
        names, name = self._home.names, digest(label)
        shard = shard_of(name)
        node = self._home.node(shard)
        if node is None:
            return None
        message = self._message(Selection(labels=(label,)), soft)
        keys = [names.clock(shard), names.label(name), names.members(name)]
        return node, node.script(shard, PURGE_LABEL, keys, names.channel(shard), message, _text(soft), FEW)

    def _gone(self, removed: Sequence[Reply], soft: Soft = None) -> set[bytes]:
        """Members of labels that those are which left or were softened, but for those of no use any more."""
        if soft is None:
            self._home.finder.tidy(removed)
        found = set()
        for id_, value in zip(removed[::2], removed[1::2], strict=False):
            with suppress(Unreadable, TypeError):
                record, _, expires = unseal(value, id_)
                if expires is None or expires >= self._home.horizon:
                    found.add(digest(record.key) + id_)
        return found

    async def _removed(self, members: dict[bytes, Soft], within: float) -> set[bytes]:
        """Remove these, which are not to be used any more; those that are only softened are counted."""
        finder, loop = self._home.finder, asyncio.get_running_loop()
        softened = [member for member, soft in members.items() if soft is not None]
        found = set(map(_member, await finder.members(softened, loop.time() + within))) if softened else set()
        asked = [one for member, soft in members.items() if soft is None and (one := self._remove(member))]
        replies = await answers([question for _, question in asked], within)
        for (node, _), reply in zip(asked, replies, strict=True):
            if node.mind([reply]) and isinstance(reply, list):
                found |= self._gone(reply[1:])
        return found

    def _remove(self, member: bytes) -> Asked | None:
        names, name = self._home.names, digest_of(member)
        shard = shard_of(name)
        node = self._home.node(shard)
        if node is None:
            return None
        keys = [names.clock(shard), names.index(name)]
        return node, node.script(
            shard, REMOVE, keys, names.body(name, b""), names.channel(shard), b"", id_of(member)
        )

    async def _cardinality(self, label: bytes) -> int:
        name = digest(label)
        node = self._home.node(shard_of(name))
        if node is None:
            return 0
        [reply] = await answers([node.ask("ZCARD", self._home.names.members(name))], _PATIENCE)
        return reply if node.mind([reply]) and isinstance(reply, int) else 0

    def _message(self, wanted: Selection, soft: Soft, token: int = 0) -> bytes:
        return messages.encode(messages.Purged(self._home.origin, token, wanted, soft))

    # By going through everything.

    async def _wide(self, wanted: Selection, soft: Soft) -> int:
        """Purge what has to be looked for; how many. Raises Unwell where not all of it could be done.

        First nothing is stored any more that had begun before; so what is found afterwards is all there is.
        """
        if not self._home.complete():
            raise Unwell
        self._token += 1
        token, everything = self._token, wanted.everything
        how = b"soft" if everything and soft is not None else b"all" if everything else b"commits"
        message = self._message(wanted, soft, token)
        await self._in_all_shards(how, soft, message)
        count = 0
        try:
            async for entries in _through(self._home, Sight.FALLEN if how == b"all" else Sight.HIDDEN_TOO):
                meant = [entry for entry in entries if everything or wanted.meant(entry.key, ())]
                count += await self._done_to(meant, soft, everything)
        except Unwell:
            if not everything:
                raise
        if not everything:
            await self._tell_again(self._message(wanted, soft))
        return count

    async def _done_to(self, meant: list[ValkeyEntry], soft: Soft, everything: bool) -> int:
        if soft is None:
            return len(await self._removed(dict.fromkeys(map(_member, meant), None), _PATIENCE))
        if not everything and meant:
            asked = [self._purge_key(key, soft) for key in dict.fromkeys(entry.key for entry in meant)]
            await self._fine([one for one in asked if one is not None], len(asked))
        return len(meant)

    async def _in_all_shards(self, how: bytes, soft: Soft, message: bytes) -> None:
        names = self._home.names
        asked = []
        for shard in range(SHARDS):
            if (node := self._home.node(shard)) is not None:
                words = (names.channel(shard), message, how, _text(soft), self._least)
                asked.append((node, node.script(shard, PURGE_SHARD, [names.clock(shard)], *words)))
        await self._fine(asked, SHARDS)

    async def _tell_again(self, message: bytes) -> None:
        """Who looked meanwhile has found what was not gone through yet."""
        names = self._home.names
        if (node := self._home.node(0)) is not None:
            await answers([node.script(0, TELL, [names.clock(0)], names.channel(0), message)], _PATIENCE)

    async def _fine(self, asked: list[Asked], number: int) -> None:
        replies = await answers([question for _, question in asked], _PATIENCE)
        fine = [node.mind([reply]) for (node, _), reply in zip(asked, replies, strict=True)]
        if len(fine) < number or not all(fine):
            raise Unwell

    # Again.

    async def _repeat(self) -> None:
        while True:
            await self._wake.wait()
            pause = _AGAIN
            while self.pending:
                self._wake.clear()
                if not self._going:
                    await self._go_through_pending()
                if self.pending:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await self._wake.wait()
                    await asyncio.sleep(_AGAIN / 10)
                pause = min(pause * 2, _SELDOM)
            self._wake.clear()

    async def _go_through_pending(self) -> None:
        keys, labels, wide = self.pending.take()
        await self._direct(keys, labels, _PATIENCE)
        for wanted, soft in wide:
            with suppress(Unwell):
                await self._wide(wanted, soft)
                self.pending.done(wanted, soft)


async def _through(home: Home, sight: Sight) -> AsyncIterator[list[ValkeyEntry]]:
    """All entries, some at a time. Raises Unwell."""
    names, finder = home.names, home.finder
    for node in home.nodes():
        cursor: Reply = b"0"
        while True:
            question = node.carry("SCAN", cursor, "MATCH", names.scan, "COUNT", _STEP)
            [page] = await answers([question], _PATIENCE)
            if not node.mind([page]) or not isinstance(page, list) or len(page) != 2:
                raise Unwell
            cursor, found = page
            asked = [(name, *one) for index in found if (one := finder.ask(name := names.indexed(index), 0))]
            replies = await answers([question for _, _, question in asked], _PATIENCE)
            entries: list[ValkeyEntry] = []
            for (name, at, _), reply in zip(asked, replies, strict=True):
                if isinstance(reply, Exception):
                    raise Unwell
                entries += finder.understood(at, reply, name, sight)
            yield entries
            if cursor == b"0":
                break


def _member(entry: ValkeyEntry) -> bytes:
    return entry.digest_ + entry.id


def _text(soft: Soft) -> bytes:
    return b"" if soft is None else repr(soft).encode()
