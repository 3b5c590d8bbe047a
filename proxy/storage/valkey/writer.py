"""Content on its way into Valkey: piece after piece, not to be found before the end."""

from __future__ import annotations

import asyncio
from typing import Protocol

from proxy.caching.stored import StoredResponse
from proxy.storage.pieces import Pieces
from proxy.storage.valkey.entry import ValkeyEntry
from proxy.storage.valkey.record import PIECE, Framer
from proxy.storage.valkey.resp import Reply


class Home(Protocol):
    """What a writer asks of its store."""

    object_limit: int

    def new_id(self) -> bytes: ...
    def framer(self, id_: bytes) -> Framer: ...
    def hold(self, size: int) -> bool: ...
    def put(self, writer: ValkeyWriter, number: int, frame: bytes) -> asyncio.Future[Reply] | None: ...
    def ended(self, writer: ValkeyWriter, *, kept: bool) -> None: ...
    async def keep(
        self, writer: ValkeyWriter, stored: StoredResponse, digest: str, expires: float | None
    ) -> ValkeyEntry | None: ...


class ValkeyWriter:
    """Takes a content. `born` are the sequence numbers, of its key's shard and of its labels' shards, that
    were known when it began: what was invalidated since has got a higher one. `epoch` is that of the store.
    It is `spoiled` once it is known not to be kept, and `softened` at the time of a soft purge.

    `first` is the first piece as it will be kept, `whole` the same as it came while there is no other;
    `under_way` are the others that are being sent. `held` is how many bytes of them are here. What it took is
    only there to be read (`pieces`) where somebody has asked for that before it was sent.
    """

    __slots__ = (
        "_buffer",
        "_buffered",
        "_framer",
        "_home",
        "_over",
        "_read",
        "born",
        "count",
        "digest",
        "epoch",
        "first",
        "held",
        "id",
        "key",
        "labels",
        "length",
        "replaces",
        "shard",
        "softened",
        "spoiled",
        "under_way",
        "whole",
    )  # fmt: skip

    def __init__(
        self,
        home: Home,
        key: bytes,
        digest: bytes,
        shard: int,
        labels: tuple[bytes, ...],
        replaces: tuple[ValkeyEntry, ...],
        born: tuple[int, ...],
        epoch: int,
    ) -> None:
        self.key, self.digest, self.shard = key, digest, shard
        self.labels, self.replaces, self.born, self.epoch = labels, replaces, born, epoch
        self.id = home.new_id()
        self.first = b""
        self.whole: bytes | None = None
        self.count = 0
        self.length = 0
        self.held = 0
        self.spoiled = False
        self.softened: float | None = None
        self.under_way: set[asyncio.Future[Reply]] = set()
        self._home = home
        self._framer = home.framer(self.id)
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._read: Pieces | None = None
        self._over = False

    @property
    def pieces(self) -> Pieces:
        """What was written, to be read while it's being written and afterwards."""
        if self._read is None:
            self._read = Pieces()
            for data in self._buffer:
                self._read.add(data)
        return self._read

    def write(self, data: bytes) -> bool:
        """Take the next piece; False when it can't be kept, or the writer has ended already."""
        if self._over:
            return False
        if (
            self.spoiled
            or self.length + len(data) > self._home.object_limit
            or not self._home.hold(len(data))
        ):
            self.abort()
            return False
        if not data:
            return True
        self.held += len(data)
        self.length += len(data)
        if self._read is not None:
            self._read.add(data)
        self._buffer.append(data)
        self._buffered += len(data)
        while self._buffered > PIECE:
            self._next()
            if self._over:
                return False
        return True

    async def commit(
        self, stored: StoredResponse, digest: str, expires: float | None = None
    ) -> ValkeyEntry | None:
        """Make the entry findable. None when it was not kept; ValueError where lengths differ."""
        if self._over:
            return None
        if stored.length != self.length:
            self.abort()
            raise ValueError(f"{self.length} bytes were written, not {stored.length}")
        if self.spoiled:
            self.abort()
            return None
        self._next()
        if self._over:
            return None
        self._over = True
        entry = None
        try:
            entry = await self._home.keep(self, stored, digest, expires)
        finally:
            self._home.ended(self, kept=entry is not None)
        return entry

    def abort(self) -> None:
        """Forget what was written."""
        if not self._over:
            self._over = True
            self._buffer.clear()
            self._home.ended(self, kept=False)

    def _next(self) -> None:
        """Make a piece of what is there, and send it if it's not the first."""
        data = self._buffer[0] if len(self._buffer) == 1 else b"".join(self._buffer)
        piece, rest = (data, b"") if len(data) <= PIECE else (data[:PIECE], data[PIECE:])
        self._buffer = [rest] if rest else []
        self._buffered = len(rest)
        frame = self._framer.frame(piece)
        number, self.count = self.count, self.count + 1
        if number == 0:
            self.first, self.whole = frame, piece
            return
        self.whole = None
        sent = self._home.put(self, number, frame)
        if sent is None:
            self.abort()
            return
        self.under_way.add(sent)
        sent.add_done_callback(self._sent)

    def _sent(self, reply: asyncio.Future[Reply]) -> None:
        self.under_way.discard(reply)
        if reply.cancelled() or isinstance(reply.result(), Exception):
            self.spoiled = True
