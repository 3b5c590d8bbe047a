"""Claims among all proxies of a fleet: who of them asks the origin for what."""

from __future__ import annotations

import asyncio
import os

from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey import messages
from proxy.storage.valkey.channel import answers
from proxy.storage.valkey.names import Names, digest, shard_of
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.scripts import RELEASE, RENEW
from proxy.storage.valkey.servers import Servers

_RENEWALS = 3
_POLL = 0.1


class ValkeyClaim:
    """A claim that this proxy has; a lease, which is renewed until it is released."""

    __slots__ = ("_claims", "name", "over", "token")

    def __init__(self, claims: ValkeyClaims, name: bytes, token: bytes) -> None:
        self.name = name
        self.token = token
        self.over = False
        self._claims = claims

    def release(self, *, shared: bool) -> None:
        """Let those who wait go on; nothing where that was done already."""
        if not self.over:
            self.over = True
            self._claims.release(self, shared=shared)


class ValkeyClaims:
    """The `Claims` of a fleet. Where Valkey doesn't answer in time, each proxy goes by itself."""

    def __init__(self, servers: Servers, names: Names, settings: ValkeySettings, origin: bytes) -> None:
        self._servers, self._names, self._settings, self._origin = servers, names, settings, origin
        self._lease = b"%d" % max(1, int(settings.lease * 1000))
        self._mine: set[ValkeyClaim] = set()
        self._waiting: dict[bytes, set[asyncio.Future[bool]]] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def claim(self, way: bytes) -> ValkeyClaim | None:
        """The claim to `way`; None where another proxy has it."""
        name, token = digest(way), os.urandom(12)
        claim = ValkeyClaim(self, name, token)
        node = self._servers.node(shard_of(name))
        if node is None or node.writes.open:
            claim.over = True
            return claim
        question = node.ask("SET", self._names.claim(name), token, "NX", "PX", self._lease)
        self._mine.add(claim)  # even if the answer comes too late it has to be given back
        try:
            [reply] = await answers([question], self._settings.lookup)
        except asyncio.CancelledError:
            claim.release(shared=True)
            raise
        if node.mind([reply]) and reply is None:
            self._mine.discard(claim)
            claim.over = True
            return None
        if isinstance(reply, Exception):
            claim.release(shared=True)
        elif self._renewing is None or self._renewing.done():
            self._renewing = asyncio.get_running_loop().create_task(self._renew())
        return claim

    async def settled(self, way: bytes, patience: float) -> bool:
        """Wait until whoever has claimed `way` has released it or is gone; True: look again."""
        name = digest(way)
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.setdefault(name, set()).add(waiter)
        try:
            while (left := until - loop.time()) > 0:
                # It waits already: what was released before is seen, what is later is told.
                if not await self._claimed(name):
                    return waiter.result() if waiter.done() else True
                await asyncio.wait((waiter,), timeout=min(left, _POLL))
                if waiter.done():
                    return waiter.result()
            return False
        finally:
            waiter.cancel()
            others = self._waiting.get(name)
            if others is not None:
                others.discard(waiter)
                if not others:
                    del self._waiting[name]

    async def close(self) -> None:
        """Give back all that this proxy has claimed."""
        for claim in list(self._mine):
            claim.release(shared=True)
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    def release(self, claim: ValkeyClaim, *, shared: bool) -> None:
        """A claim has ended; called by the claim itself."""
        self._mine.discard(claim)
        shard = shard_of(claim.name)
        if (node := self._servers.node(shard)) is not None:
            message = messages.encode(messages.Released(self._origin, claim.name, shared))
            keys = [self._names.claim(claim.name)]
            node.script(shard, RELEASE, keys, claim.token, self._names.channel(shard), message)

    def released(self, name: bytes, *, shared: bool) -> None:
        """Somebody has released the way with this digest."""
        for waiter in self._waiting.get(name, ()):
            if not waiter.done():
                waiter.set_result(shared)

    async def _claimed(self, name: bytes) -> bool:
        """Whether somebody has it; nobody does where that can't be found out."""
        node = self._servers.node(shard_of(name))
        if node is None:
            return False
        [reply] = await answers([node.ask("EXISTS", self._names.claim(name))], self._settings.lookup)
        node.mind([reply])
        return bool(reply == 1)

    async def _renew(self) -> None:
        """Keep what is held, until nothing is."""
        while self._mine:
            await asyncio.sleep(self._settings.lease / _RENEWALS)
            asked: list[asyncio.Future[Reply]] = []
            for claim in self._mine:
                shard = shard_of(claim.name)
                if (node := self._servers.node(shard)) is not None:
                    keys = [self._names.claim(claim.name)]
                    asked.append(node.script(shard, RENEW, keys, claim.token, self._lease))
            if asked:
                await answers(asked, self._settings.lookup)
