"""One server: the connection for questions and messages, the one for contents, and how well they do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Protocol

from valkey.exceptions import NoPermissionError, NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError

from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey import scripts
from proxy.storage.valkey.address import Address, Place, shown
from proxy.storage.valkey.breaker import Breaker
from proxy.storage.valkey.channel import BUSY, LOST, SLOW, Channel, Refused, Unwell, answers
from proxy.storage.valkey.names import Names
from proxy.storage.valkey.resp import Reply

CONNECT = 1.0
"""Seconds within which a server has to answer that is connected to."""

_FAILURES = 3
_FIRST, _LAST = 0.05, 1.0
_UNWILLING, _LONGEST = 0.5, 10.0
_DEPTH, _ROOM = 1024, 4 << 20
_CONTENT_ROOM = 16 << 20
_AT_ONCE = 32
_ELSEWHERE = ("MOVED", "ASK", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN")
_UNWRITABLE = ("MISCONF", "NOREPLICAS")


class Home(Protocol):
    """What a node tells of itself."""

    def told(self, node: Node, kind: bytes, channel: bytes, message: bytes) -> None:
        """A message has arrived, in the order of the answers."""
        ...

    def answered(self, shard: int, script: scripts.Script, reply: Reply) -> None:
        """A script has answered, in the order of the messages."""
        ...

    def covered(self, node: Node) -> None:
        """From now on every message of its shards is heard."""
        ...

    def gone(self, node: Node) -> None:
        """Nothing is heard any more."""
        ...

    def astray(self) -> None:
        """Shards are not where they were thought to be."""
        ...


class Node:
    """A server that shards are kept on. `refused` is why it lets nobody in, None where it does.

    It looks after itself: connects, notices when the other side falls silent, and tries a server that fails
    now and then until it works again. None of that costs those who ask anything.
    """

    def __init__(
        self, home: Home, place: Place, address: Address, settings: ValkeySettings, names: Names
    ) -> None:
        self.place = place
        self.refused: Refused | None = None
        self.writes = Breaker(1, _UNWILLING, _LONGEST)
        self.shards: frozenset[int] = frozenset()
        self.tried = asyncio.Event()
        self.breaker = Breaker(_FAILURES, _FIRST, _LAST)
        self._home = home
        self._address, self._settings, self._names = address, settings, names
        self._main: Channel | None = None
        self._content: Channel | None = None
        self._ready = False
        self._changed = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._keep())

    @property
    def well(self) -> bool:
        """Whether to ask it."""
        return self._ready and not self.breaker.open

    @property
    def writable(self) -> bool:
        """Whether to have it keep something."""
        return self.well and (not self.writes.open or self.writes.due(monotonic()))

    @property
    def heard(self) -> float:
        """When anything came from it last, by the monotonic clock."""
        return self._main.heard if self._ready and self._main is not None else 0.0

    def ask(self, *words: bytes | int | str) -> asyncio.Future[Reply]:
        """Send a command on the way on which messages come too; see `Channel.ask`."""
        return _asked(self._main, words)

    def script(
        self, shard: int, script: scripts.Script, keys: Sequence[bytes], *words: bytes | int | str
    ) -> asyncio.Future[Reply]:
        """Have it run a script in a shard; see `Channel.ask`."""
        main = self._main
        return _asked(None, ()) if main is None else self._run(main, shard, script, keys, words)

    def _run(
        self,
        main: Channel,
        shard: int,
        script: scripts.Script,
        keys: Sequence[bytes],
        words: Sequence[bytes | int | str],
    ) -> asyncio.Future[Reply]:
        seen = None if script.place is None else partial(self._home.answered, shard, script)
        return main.ask(b"EVALSHA", script.sha, len(keys), *keys, *words, seen=seen)

    def carry(self, *words: bytes | int | str) -> asyncio.Future[Reply]:
        """Send a command that moves much content; see `Channel.ask`."""
        return _asked(self._content, words)

    def mind(self, replies: Sequence[Reply]) -> bool:
        """Learn from what came of questions; whether all of them were answered."""
        now = monotonic()
        wrong = [reply for reply in replies if isinstance(reply, Exception)]
        if not wrong:
            self.breaker.worked()
            return True
        for error in wrong:
            if error is BUSY or error is LOST:
                continue
            if error is SLOW:
                self.breaker.failed(now)
            elif isinstance(error, ReadOnlyError) or _moved(error):
                self.writes.failed(now, certain=isinstance(error, ReadOnlyError))
                self._home.astray()
            elif isinstance(error, OutOfMemoryError) or str(error).startswith(_UNWRITABLE):
                self.writes.failed(now, certain=True)
            else:
                self.breaker.failed(now)
            if isinstance(error, NoScriptError):
                self.begin_anew()
            break
        return False

    def nonsense(self) -> None:
        """Its answers make no sense."""
        self.breaker.failed(monotonic())

    def assign(self, shards: frozenset[int]) -> None:
        """It is these shards that are kept there now."""
        if shards != self.shards:
            self.shards = shards
            self.begin_anew()

    def hurry(self) -> None:
        """Try again at once."""
        self._changed.set()

    async def close(self) -> None:
        """Leave it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        channels = [channel for channel in (self._main, self._content) if channel is not None]
        self._main = self._content = None
        self._ready = False
        for channel in channels:
            await channel.wait_closed()

    def begin_anew(self) -> None:
        """Connect anew, with all that belongs to it."""
        if self._main is not None:
            self._main.close()
        self._changed.set()

    async def _keep(self) -> None:
        pause = _FIRST
        while True:
            try:
                await self._open()
            except Refused as error:
                self.refused = error
            except Unwell:
                pass
            else:
                self.refused, pause = None, _FIRST
                self.tried.set()
                await self._watch()
            self.tried.set()
            self._drop()
            self._changed.clear()
            await _within(self._changed.wait(), pause)
            pause = min(pause * 2, _LAST)

    def _drop(self) -> None:
        was, self._ready = self._ready, False
        for channel in (self._main, self._content):
            if channel is not None:
                channel.close()
        self._main = self._content = None
        if was:
            self._home.gone(self)

    def _lost(self) -> None:
        self._ready = False
        self._changed.set()
        self._home.gone(self)

    async def _open(self) -> None:
        """Connect; from the return on every message of its shards is heard. Raises Refused and Unwell."""
        address, place, ca = self._address, self.place, self._settings.ca
        self._main = await Channel.open(
            address, place, ca, CONNECT, depth=_DEPTH, room=_ROOM, told=self._told, lost=self._lost
        )
        self._content = await Channel.open(
            address, place, ca, CONNECT, depth=_DEPTH, room=_CONTENT_ROOM, lost=self._lost
        )
        main, shards = self._main, self.shards
        loads = [main.ask("ROLE"), *(main.ask("SCRIPT", "LOAD", one.text) for one in scripts.ALL)]
        role, *loaded = await answers(loads, CONNECT)
        self._check([role, *loaded])
        if not isinstance(role, list) or not role or role[0] != b"master":
            self._home.astray()
            raise Unwell("it keeps nothing by itself")
        for some in _portions(sorted(shards)):
            await self._cover(main, some)
        if main.closed or self._content.closed or shards != self.shards:
            raise LOST
        self._ready = True
        self.breaker.worked()
        self.writes.worked()
        self._home.covered(self)

    async def _cover(self, main: Channel, shards: Sequence[int]) -> None:
        names = self._names
        replies = [main.ask("SSUBSCRIBE", names.channel(shard), pushed=b"ssubscribe") for shard in shards]
        replies += [self._run(main, shard, scripts.CLOCK, [names.clock(shard)], ()) for shard in shards]
        self._check(await answers(replies, CONNECT))

    def _check(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            if isinstance(reply, NoPermissionError):
                raise Refused(
                    f"Valkey at {shown(self.place)} doesn't permit what is needed", evidence=str(reply)[:80]
                )
            if isinstance(reply, ReadOnlyError) or _moved(reply):
                self._home.astray()
            if isinstance(reply, Unwell):
                raise reply
            if isinstance(reply, ResponseError):
                raise Unwell(str(reply)[:80])

    async def _watch(self) -> None:
        """See that it goes on answering, until it doesn't."""
        heartbeat = self._settings.heartbeat
        while self._ready and self._main is not None and self._content is not None:
            self._changed.clear()
            now = monotonic()
            questions = [self._main.ask("ROLE"), self._content.ask("PING")]
            role, pong = await answers(questions, heartbeat)
            took = monotonic() - now
            if isinstance(role, Exception) or role[:1] != [b"master"]:
                self._home.astray()
                return
            if isinstance(pong, Exception) and self._content.heard < now:
                return  # contents flow, or it is silent
            if self.breaker.open and took < self._settings.lookup:
                self.breaker.worked()
            pause = _FIRST if self.breaker.open else heartbeat
            await _within(self._changed.wait(), max(_FIRST, pause - took))

    def _told(self, push: list[Reply]) -> None:
        if len(push) == 3 and all(isinstance(part, bytes) for part in push):
            self._home.told(self, push[0], push[1], push[2])
        elif push[:1] == [b"sunsubscribe"]:
            self._home.astray()
            self.begin_anew()


def _asked(channel: Channel | None, words: Sequence[bytes | int | str]) -> asyncio.Future[Reply]:
    if channel is not None:
        return channel.ask(*words)
    future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    future.set_result(LOST)
    return future


def _moved(reply: Reply) -> bool:
    """Whether it says that what was asked for is not to be had there."""
    return isinstance(reply, ResponseError) and str(reply).startswith(_ELSEWHERE)


def _portions(shards: Sequence[int]) -> list[Sequence[int]]:
    """A few at a time, so that others have their turns between."""
    return [shards[first : first + _AT_ONCE] for first in range(0, len(shards), _AT_ONCE)]


async def _within(waiting: Awaitable[object], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await waiting
