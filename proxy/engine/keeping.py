"""Keeps a copy of a response's content while it passes on its way to the client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proxy.caching.effects import Store as Wanted
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.usefulness import useful_until
from proxy.engine.digest import Digest
from proxy.engine.reach import Reach
from proxy.storage.contract import Entry, Writer

EntryOf = Callable[[StoredResponse], Entry | None]


class Keeping:
    """The copy of one response's content that is on its way into the store.

    Nothing is kept unless `end` is called, which is when the content has ended as it should
    (RFC 9111 §3.3: an incomplete response must not pass for a complete one).
    """

    def __init__(self, wanted: Wanted, writer: Writer, joined: Entry | None, policy: Policy) -> None:
        self._wanted = wanted
        self._writer: Writer | None = writer
        self.pieces = writer.pieces
        self.digest = ""
        self._joined = joined
        self._policy = policy
        self._length = 0
        self._outdated = False
        self._hash = Digest()

    @classmethod
    async def begin(
        cls, reach: Reach, wanted: Wanted, length: int | None, entry_of: EntryOf
    ) -> Keeping | None:
        """Start to keep a response of `length` bytes (None: unknown); None where the store can't hold it."""
        joined = entry_of(wanted.extends) if wanted.extends is not None else None
        if wanted.extends is not None and (joined is None or wanted.extends.arriving):
            return None
        replaces = [entry for stored in wanted.replaces if (entry := entry_of(stored)) is not None]
        if joined is not None and length is not None:
            length += joined.stored.length
        writer = reach.store.begin(wanted.key, wanted.labels, replaces, length)
        if writer is None:
            return None
        keeping = cls(wanted, writer, joined, reach.policy)
        try:
            await keeping._join_before()
        except BaseException:
            keeping.abort()
            raise
        return keeping

    def add(self, data: bytes) -> bool:
        """The next piece of content; False where no more of it is kept, while `pieces` still takes it."""
        self._length += len(data)
        self._hash.update(data)
        if self._writer is not None and self._writer.write(data):
            return True
        self._writer = None
        self.pieces.add(data)
        return False

    def outdate(self) -> None:
        """It may be older than a change: `end` will not make it findable."""
        self._outdated = True

    async def end(self) -> Entry | None:
        """The content is whole: make it findable. None where it was not kept after all.

        `digest` is then that of the whole content, kept or not.
        """
        await self._join_after()
        self.digest = self._hash.value()
        writer = self._writer
        if writer is None or self._outdated:
            return None
        self._writer = None
        wanted = self._wanted.stored
        complete = wanted.complete_length
        if complete is None and wanted.first == 0 and wanted.response.status != 206:
            complete = self._length
        stored = replace(wanted, length=self._length, complete_length=complete)
        until = useful_until(stored, self._policy)
        return await writer.commit(stored, self.digest, until)

    def abort(self) -> None:
        """Keep nothing."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None

    async def _join_before(self) -> None:
        """What is held of the representation before the part that arrives (RFC 9111 §3.4)."""
        if self._joined is not None:
            held = self._joined.stored
            before = self._wanted.arriving - held.first
            await self._copy(0, min(before, held.length) - 1)

    async def _join_after(self) -> None:
        """What is held of the representation after the part that arrived."""
        if self._joined is not None:
            held = self._joined.stored
            reached = self._wanted.stored.first + self._length
            await self._copy(max(0, reached - held.first), held.length - 1)

    async def _copy(self, first: int, last: int) -> None:
        if self._joined is not None and first <= last:
            async for piece in self._joined.read(first, last):
                self.add(bytes(piece))
