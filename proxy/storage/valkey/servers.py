"""All servers together: which shard is where, what has been heard of it, and whether anything was missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from valkey.crc import key_slot

from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey.address import Address, Place
from proxy.storage.valkey.channel import Channel, Refused, Unwell, answers
from proxy.storage.valkey.names import SHARDS, Names
from proxy.storage.valkey.node import CONNECT, Node
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.scripts import RAISING, Script

_LOOK_AGAIN = 5.0
_SOON = 0.05
_LAST = 1.0

Map = dict[int, Place]
"""Where each shard is."""


class Servers:
    """The nodes, and one sequence number for each shard: the last that was heard of.

    A server's answers and messages come in one order: whoever has heard a number has heard of every change
    before it. So a number that is not the next one to be heard says that something was missed, and one that
    is lower than what was heard, that the server has lost what it had confirmed.

    `told(message)` is called with every message; `missed()` where some may not have come; `lost(least)` where
    changes are lost there, with the number that all shards have to be raised above; `back()` when a node can
    be asked again.
    """

    def __init__(
        self,
        address: Address,
        settings: ValkeySettings,
        names: Names,
        *,
        told: Callable[[bytes], None],
        missed: Callable[[], None],
        lost: Callable[[int], None],
        back: Callable[[], None],
    ) -> None:
        self.known: list[int | None] = [None] * SHARDS
        self._address, self._settings, self._names = address, settings, names
        self._told, self._missed, self._lost, self._back = told, missed, lost, back
        self._slots = [key_slot(names.clock(shard)) for shard in range(SHARDS)]
        self._nodes: dict[Place, Node] = {}
        self._of: list[Node | None] = [None] * SHARDS
        self._covered: dict[Node, frozenset[int]] = {}
        self._whole = False
        self._until = 0.0  # it is known to be in touch
        self._look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._refused: Refused | None = None
        self._looked = asyncio.Event()

    @property
    def in_touch(self) -> bool:
        """Whether every message is heard at this moment."""
        now = monotonic()
        if now < self._until:
            return True
        if not self._whole:
            return False
        self._until = min(node.heard for node in self._covered) + 2 * self._settings.heartbeat
        return now < self._until

    def node(self, shard: int) -> Node | None:
        """Whom to ask about a shard; None where nobody can be asked now."""
        node = self._of[shard]
        return node if node is not None and node.well else None

    @property
    def nodes(self) -> Sequence[Node]:
        """All that shards are on."""
        return list(self._nodes.values())

    @property
    def complete(self) -> bool:
        """Whether there's somebody to ask about every shard."""
        return all(node is not None and node.well for node in self._of)

    async def start(self) -> None:
        """Find the servers and connect, if that doesn't take longer than a second or so. Raises Refused."""
        self._task = asyncio.get_running_loop().create_task(self._keep())
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT):
                await self._looked.wait()
                if self._nodes:
                    await asyncio.gather(*(node.tried.wait() for node in self._nodes.values()))
        refused = self._refused or next((node.refused for node in self._nodes.values() if node.refused), None)
        if refused is not None:
            await self.close()
            raise refused

    async def close(self) -> None:
        """Leave all of them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(node.close() for node in self._nodes.values()))
        self._nodes.clear()
        self._of = [None] * SHARDS
        self._whole, self._until = False, 0.0

    # What nodes tell.

    def told(self, node: Node, kind: bytes, channel: bytes, message: bytes) -> None:
        """A message has arrived."""
        shard = self._names.shard(channel)
        if kind != b"smessage" or shard is None or self._of[shard] is not node:
            return
        number, _, rest = message.partition(b" ")
        if not number.isdigit():
            return
        position = int(number)
        if position:
            self.known[shard] = max(position, self.known[shard] or 0)
        if rest:
            self._told(rest)

    def answered(self, shard: int, script: Script, reply: Reply) -> None:
        """A script has answered, with the shard's sequence number."""
        if isinstance(reply, Exception):
            return
        position = (
            reply[script.place or 0] if isinstance(reply, list) and len(reply) > (script.place or 0) else None
        )
        if not isinstance(position, bytes) or not position.isdigit():
            self._forget(shard)
            return
        number = int(position)
        known = self.known[shard]
        if known == number:
            return
        if script in RAISING:
            self.known[shard] = max(number, known or 0)
            return
        self.known[shard] = number
        if known is not None and number < known:
            self._lost(known)
        self._missed()

    def covered(self, node: Node) -> None:
        """From now on every message of its shards is heard."""
        self._covered[node] = node.shards
        self._count()
        self._back()

    def gone(self, node: Node) -> None:
        """Nothing is heard any more."""
        self._covered.pop(node, None)
        self._count()
        self._look.set()

    def astray(self) -> None:
        """Shards are not where they were thought to be."""
        self._look.set()

    def _forget(self, shard: int) -> None:
        """The shard's clock is gone: begin anew there."""
        node = self._of[shard]
        if node is not None:
            node.begin_anew()

    def _count(self) -> None:
        self._until = 0.0
        self._whole = len(frozenset[int]().union(*self._covered.values())) == SHARDS

    # Finding them.

    async def _keep(self) -> None:
        """Know where the shards are, again and again."""
        pause = _SOON
        while True:
            self._look.clear()
            found = await self._find()
            self._looked.set()
            if found is not None:
                await self._place(found)
                pause = _SOON
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN if found is not None else pause):
                    await self._look.wait()
            # However often somebody goes astray: not more often than this.
            await asyncio.sleep(pause)
            pause = _SOON if found is not None else min(2 * pause, _LAST)

    async def _find(self) -> Map | None:
        """Ask one after another, those first that are at work, who keeps what."""
        refused: Refused | None = None
        places = dict.fromkeys([*self._nodes, *self._address.places])
        asked: set[Place] = set()
        while places:
            place = next(iter(places))
            del places[place]
            asked.add(place)
            try:
                found = await self._ask(place)
            except Refused as error:
                refused = refused or error
                continue
            except Unwell:
                continue
            if isinstance(found, dict):
                self._refused = None
                return found
            if found is not None and found not in asked:
                places[found] = None
        self._refused = refused
        return None

    async def _ask(self, place: Place) -> Map | Place | None:
        """What one says: where all shards are, or whose replica it is."""
        node = self._nodes.get(place)
        if node is not None and node.well:
            return self._understood(
                place, *await answers([node.ask("ROLE"), node.ask("CLUSTER", "SLOTS")], CONNECT)
            )
        channel = await Channel.open(self._address, place, self._settings.ca, CONNECT, depth=8, room=1 << 16)
        try:
            replies = await answers([channel.ask("ROLE"), channel.ask("CLUSTER", "SLOTS")], CONNECT)
            return self._understood(place, *replies)
        finally:
            await channel.wait_closed()

    def _understood(self, place: Place, role: Reply, slots: Reply) -> Map | Place | None:
        try:
            if isinstance(slots, list) and slots:
                return self._map(place, slots)
            if role[0] == b"master":
                return dict.fromkeys(range(SHARDS), place)
            if role[0] == b"slave":
                return role[1].decode(), int(role[2])
        except (TypeError, ValueError, LookupError, AttributeError):
            pass
        raise Unwell("it doesn't say what it keeps")

    def _map(self, asked: Place, slots: list[Reply]) -> Map:
        found: Map = {}
        for first, last, primary, *_ in slots:
            host = (primary[0] or b"").decode()
            place = (host if host not in ("", "?") else asked[0], int(primary[1]))
            for shard, slot in enumerate(self._slots):
                if first <= slot <= last:
                    found[shard] = place
        if not found:
            raise Unwell("it knows of no slots")
        return found

    async def _place(self, found: Map) -> None:
        """Have a node for each place, and leave those that keep nothing any more."""
        shards: dict[Place, set[int]] = {}
        for shard, place in found.items():
            shards.setdefault(place, set()).add(shard)
        for place in shards.keys() - self._nodes.keys():
            self._nodes[place] = Node(self, place, self._address, self._settings, self._names)
        left = [self._nodes.pop(place) for place in list(self._nodes) if place not in shards]
        self._of = [self._nodes[found[shard]] if shard in found else None for shard in range(SHARDS)]
        for place, some in shards.items():
            self._nodes[place].assign(frozenset(some))
            if not self._nodes[place].well:
                self._nodes[place].hurry()
        for node in left:
            await node.close()
            self._covered.pop(node, None)
        self._count()
