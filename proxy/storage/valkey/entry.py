"""An entry that was found in Valkey: its record, and its content where that came along."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from msgspec import Struct

from proxy.caching.stored import StoredResponse
from proxy.message.errors import PellucidError
from proxy.storage.valkey.channel import answers
from proxy.storage.valkey.node import Node
from proxy.storage.valkey.record import PIECE, Record, Unreadable, unframe
from proxy.storage.valkey.resp import Reply

PATIENCE = 1.0
"""Seconds for which a reader waits for the next piece before its response breaks off."""

_AHEAD = 4
_AGAIN = 0.05


class Lost(PellucidError):  # noqa: N818 - it says what became of the content
    """Content that was in Valkey and isn't there any more, or not as it was written."""

    status = 502


class Home(Protocol):
    """What an entry asks of its store."""

    def node(self, shard: int) -> Node | None: ...
    def fetch(self, node: Node, entry: ValkeyEntry, number: int) -> asyncio.Future[Reply]: ...
    def damaged(self, entry: ValkeyEntry) -> None: ...


class ValkeyEntry(Struct, eq=False):
    """One stored response. `first` is the first piece as it is kept, None where it did not come along, and
    `content` the whole content where that is all of it.

    `digest_` is that of its key, `born` the sequence number below which its key's shard had not got when it
    began to be stored, `expires` in seconds since the epoch.
    """

    home: Home
    record: Record
    stored: StoredResponse
    digest: str
    id: bytes
    digest_: bytes
    shard: int
    born: int
    expires: float | None
    first: bytes | None
    content: bytes | None

    @property
    def key(self) -> bytes:
        return self.record.key

    @property
    def labels(self) -> tuple[bytes, ...]:
        return self.record.labels

    @property
    def state(self) -> None:
        """Nothing: who remembers what was made from it would have to ask Valkey whether it still holds."""
        return

    def touch(self) -> None:
        """Nothing: Valkey knows what is used."""

    def read(self, first: int, last: int) -> AsyncIterator[bytes | memoryview]:
        """Bytes `first` to `last` of the content. Raises ValueError out of its bounds; then maybe `Lost`."""
        if not 0 <= first <= last + 1 <= self.stored.length:
            raise ValueError(f"no bytes {first} to {last} in a content of {self.stored.length}")
        return _Reading(self, first, last + 1)


class _Reading:
    """A place in a content, and the pieces that are on their way. It can be left without being closed."""

    __slots__ = ("_asked", "_end", "_entry", "_next")

    def __init__(self, entry: ValkeyEntry, first: int, end: int) -> None:
        self._entry = entry
        self._next = first
        self._end = end
        self._asked: dict[int, asyncio.Future[Reply]] = {}

    def __aiter__(self) -> _Reading:
        return self

    async def __anext__(self) -> bytes | memoryview:
        first, entry = self._next, self._entry
        if first >= self._end:
            raise StopAsyncIteration
        number = first // PIECE
        begin = number * PIECE
        data = entry.content if entry.content is not None else await self._piece(number)
        end = self._next = min(self._end, begin + PIECE)
        return data if end - first == len(data) else memoryview(data)[first - begin : end - begin]

    async def _piece(self, number: int) -> bytes:
        """One piece; those after it are asked for already. Raises Lost."""
        entry = self._entry
        length = min(PIECE, entry.stored.length - number * PIECE)
        frame = entry.first if number == 0 and entry.first is not None else await self._frame(number)
        try:
            return unframe(frame, entry.id, number, length)
        except Unreadable:
            entry.home.damaged(entry)
            raise Lost("a stored content is not there any more") from None

    async def _frame(self, number: int) -> Reply:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while (left := until - loop.time()) > 0:
            self._ask(number)
            if number in self._asked:
                [frame] = await answers([self._asked.pop(number)], left)
                if not isinstance(frame, Exception):
                    return frame
                self._asked.clear()
            await asyncio.sleep(_AGAIN)
        raise Lost("a stored content can't be read any more")

    def _ask(self, number: int) -> None:
        entry = self._entry
        node = entry.home.node(entry.shard)
        if node is None:
            return
        for ahead in range(number, min(number + _AHEAD, -(-self._end // PIECE))):
            if ahead not in self._asked:
                self._asked[ahead] = entry.home.fetch(node, entry, ahead)
