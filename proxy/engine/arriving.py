"""A response that is being stored, and is read meanwhile by all who may have it (RFC 9111 §4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from proxy.caching.effects import Store as Wanted
from proxy.caching.stored import StoredResponse
from proxy.message.fields import NO_FIELDS, Fields
from proxy.storage.contract import Entry
from proxy.storage.pieces import Pieces
from proxy.upstream.contract import BrokenResponse, UpstreamError

AHEAD = 512 << 10
"""Bytes that a content of unknown length, or one that isn't kept, runs ahead of its fastest reader."""

BEHIND = 2 * AHEAD
"""Bytes that are held of a content that turned out too large to be kept: who is further behind is cut off."""


class Arriving:
    """One content on its way, piece after piece, in the one copy that all its readers share.

    To the rules and to `Delivery` it is an entry like any other: `read` gives what has come, from wherever
    it is asked to begin, and then waits for the rest, for each reader at its own pace. `users` is how many
    exchanges have an interest in it; `deserted` is called when that number falls to none before the end.

    A content of known length is read from the origin as fast as it comes: the store has set its room aside.
    One of unknown length runs no more than `AHEAD` ahead of whoever reads it fastest. If that grows beyond
    what may be stored, no more than the last `BEHIND` bytes are held, and a reader that has not come so
    far sees its response break off: nobody is slowed down by others, and memory is bounded all the same.
    """

    __slots__ = (
        "_begin",
        "_front",
        "_known",
        "_pieces",
        "_room",
        "_stored",
        "_waiting",
        "_wanted",
        "deserted",
        "digest",
        "done",
        "entry",
        "error",
        "length",
        "trailers",
        "users",
    )

    def __init__(self, wanted: Wanted, length: int | None, pieces: Pieces) -> None:
        self.length = 0  # of what has come
        self.done = False
        self.error: UpstreamError | None = None
        self.entry: Entry | None = None
        self.digest = ""
        self.trailers: Fields = NO_FIELDS
        self.users = 0
        self.deserted: Callable[[], None] | None = None
        self._wanted = wanted
        self._known = length
        self._stored: StoredResponse | None = None
        self._pieces = pieces
        self._begin = pieces.length  # what is joined before it is no part of what arrives
        self._front = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._room: asyncio.Future[None] | None = None

    @property
    def key(self) -> bytes:
        return self._wanted.key

    @property
    def labels(self) -> tuple[bytes, ...]:
        return self._wanted.labels

    @property
    def replaces(self) -> tuple[StoredResponse, ...]:
        """The stored responses in whose place it comes."""
        return self._wanted.replaces

    @property
    def stored(self) -> StoredResponse:
        """What the rules have to know of it: as if all of it were there already."""
        if self._stored is None:
            known = self._known
            if known is None:
                self._stored = replace(self._wanted.stored, arriving=True)
            else:
                self._stored = replace(self._wanted.stored, length=known, complete_length=known)
        return self._stored

    @property
    def content(self) -> None:
        """Nothing: it isn't all there yet."""
        return

    @property
    def state(self) -> None:
        """Nothing: it's not to be answered with from memory."""
        return

    def touch(self) -> None:
        """Nothing: it is in no order of eviction yet."""

    def join(self) -> None:
        """One more exchange has an interest in it."""
        self.users += 1

    def leave(self) -> None:
        """One exchange less has."""
        self.users -= 1
        if self.users == 0 and not self.done and self.error is None and self.deserted is not None:
            self.deserted()

    # What comes in.

    def grow(self, size: int) -> None:
        """So many bytes more have come."""
        self.length += size
        self._wake()

    def forget(self) -> None:
        """Hold no more than the last bytes of it: it is too large to be kept."""
        self._pieces.forget(BEHIND)

    async def room(self) -> None:
        """Wait until it's no more than `AHEAD` ahead of its fastest reader."""
        while self.length - self._front > AHEAD:
            self._room = asyncio.get_running_loop().create_future()
            try:
                await self._room
            finally:
                self._room = None

    def end(self, entry: Entry | None, digest: str, trailers: Fields) -> None:
        """All of it has come; `entry` is what became of it in the store, None where it was not kept."""
        self.entry, self.digest, self.trailers = entry, digest, trailers
        self.done = True
        self._wake()

    def break_off(self, error: UpstreamError) -> None:
        """No more will come: every reader sees it when it has read what did."""
        if not self.done and self.error is None:
            self.error = error
            self._wake()

    # What goes out.

    def read(self, first: int, last: int | None = None) -> Reader:
        """Bytes `first` to `last` (None: the end), both included, as they come. Raises `UpstreamError`."""
        return Reader(self, first, last)

    async def settled(self) -> None:
        """Wait until all of it has come, or until others read it as well. Raises `UpstreamError`."""
        while not self.done and self.users == 1:
            self._front = self.length
            self._make_room()
            if self.error is not None:
                raise self.error
            await self.more()

    def take(self, first: int, end: int | None) -> bytes | memoryview:
        """What there is from `first` on, up to `end`, in one piece of some size; empty where there's nothing.

        Raises BrokenResponse where that is not held any more.
        """
        begin, length = self._begin, self.length
        try:
            piece = self._pieces.take(begin + first, begin + (length if end is None else min(end, length)))
        except LookupError:
            raise BrokenResponse("fell too far behind a response that is too large to be kept") from None
        if first + len(piece) > self._front:
            self._front = first + len(piece)
            self._make_room()
        return piece

    async def more(self) -> None:
        """Wait until something has changed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _make_room(self) -> None:
        room = self._room
        if room is not None and not room.done() and self.length - self._front <= AHEAD:
            room.set_result(None)


class Reader:
    """One reader's place in an arriving content. Not a generator: it can be left without being closed."""

    __slots__ = ("_arriving", "_end", "_next")

    def __init__(self, arriving: Arriving, first: int, last: int | None) -> None:
        self._arriving = arriving
        self._next = first
        self._end = None if last is None else last + 1

    def __aiter__(self) -> Reader:
        return self

    async def __anext__(self) -> bytes | memoryview:
        arriving = self._arriving
        while self._end is None or self._next < self._end:
            piece = arriving.take(self._next, self._end)
            if len(piece):
                self._next += len(piece)
                return piece
            if arriving.done:
                break
            if arriving.error is not None:
                raise arriving.error
            await arriving.more()
        raise StopAsyncIteration
