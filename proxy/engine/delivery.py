"""Delivers one answer: head and content to the client, from wherever its pieces come."""

from __future__ import annotations

from dataclasses import replace

from proxy.caching.effects import Answer, Span
from proxy.caching.stored import StoredResponse
from proxy.engine.arriving import Arriving
from proxy.engine.digest import Digest
from proxy.engine.downstream import Downstream
from proxy.engine.intake import take_in
from proxy.engine.performer import Performer
from proxy.engine.reach import Reach
from proxy.storage.contract import Entry
from proxy.upstream.contract import UpstreamError, UpstreamResponse
from proxy.visibility.account import Account


class Delivery:
    """One answer on its way to one client."""

    __slots__ = ("_account", "_answer", "_arriving", "_client", "_digest", "_performer", "_reach")

    def __init__(
        self, answer: Answer, performer: Performer, reach: Reach, client: Downstream, account: Account
    ) -> None:
        self._answer = answer
        self._performer = performer
        self._reach = reach
        self._client = client
        self._account = account
        self._digest: Digest | None = None
        self._arriving: Arriving | None = None

    async def run(self) -> None:
        """Send all of it. What breaks off upstream breaks off for the client too, so that it can tell."""
        answer, response = self._answer, self._performer.response
        arriving = self._arriving = await take_in(answer, self._performer, self._reach)
        if arriving is None and answer.store is not None:
            self._not_kept()
        try:
            await self._client.start(answer.response, self._length(response))
            await self._send_content(response)
            if arriving is not None:
                await arriving.settled()
        except UpstreamError as error:
            self._broken(error)
            return
        if arriving is not None and arriving.done and arriving.entry is None:
            self._not_kept()
        if not self._account.digest:
            self._account.digest = (self._digest or Digest()).value()
        trailers = answer.trailers
        if response is not None:
            trailers = response.trailers if arriving is None else arriving.trailers
        await self._client.finish(trailers)

    def leave(self) -> None:
        """It's over, however it ended: what is still coming in may go on for others."""
        if self._arriving is not None:
            self._arriving.leave()
            self._arriving = None

    async def _send_content(self, response: UpstreamResponse | None) -> None:
        used = False
        for piece in self._answer.content:
            if isinstance(piece, bytes):
                await self._send(piece)
            elif isinstance(piece, Span):
                used = True
                await self._send_span(piece)
            elif self._arriving is not None:
                await self._send_arriving(self._arriving)
            elif response is not None:
                await self._pass_on(response)
        if self._answer.source is not None and not used:
            self._touch(self._answer.source)

    async def _pass_on(self, response: UpstreamResponse) -> None:
        """The content from upstream, as it comes and no faster than the client takes it."""
        while data := await response.read():
            await self._send(data)

    async def _send_arriving(self, arriving: Arriving) -> None:
        """The content from upstream, which comes in by itself: its digest is worked out there."""
        if len(self._answer.content) > 1:
            async for data in arriving.read(0):
                await self._send(data)
            return
        await self._send_whole(arriving, 0)

    async def _send(self, data: bytes | memoryview) -> None:
        if not self._account.digest:
            if self._digest is None:
                self._digest = Digest()
            self._digest.update(data)
        await self._client.write(data)

    async def _send_span(self, span: Span) -> None:
        stored = span.stored
        entry = self._performer.entry(stored)
        if entry is None:
            raise LookupError("the rules answered from a stored response that was not looked up")
        only = len(self._answer.content) == 1
        if span.last is None or (only and span.last - span.first + 1 == stored.length):
            await self._send_whole(entry, stored.length - 1)
            return
        async for data in entry.read(span.first - stored.first, span.last - stored.first):
            await self._send(data)

    async def _send_whole(self, entry: Entry, last: int) -> None:
        """All that an entry holds, and nothing else: its digest is known, at the latest in the end."""
        if isinstance(entry, Arriving):
            async for data in entry.read(0):
                await self._client.write(data)
            self._account.digest = entry.digest
            return
        self._account.digest = entry.digest
        async for data in entry.read(0, last):
            await self._send(data)

    def _touch(self, source: StoredResponse) -> None:
        """An entry was of use although nothing of its content was sent."""
        entry = self._performer.entry(source)
        if entry is not None:
            self._reach.store.touch(entry)

    def _length(self, response: UpstreamResponse | None) -> int | None:
        total = 0
        for piece in self._answer.content:
            if isinstance(piece, bytes):
                total += len(piece)
            elif isinstance(piece, Span):
                if piece.last is None:
                    return None
                total += piece.last - piece.first + 1
            elif response is None or response.length is None:
                return None
            else:
                total += response.length
        return total

    def _broken(self, error: UpstreamError) -> None:
        self._not_kept()
        self._account.complete = False
        self._account.error = str(error)
        self._client.abort()

    def _not_kept(self) -> None:
        """The record says what became of it, which the head that is sent already can't."""
        decision = self._account.decision
        if decision is not None and decision.stored:
            self._account.decision = replace(decision, stored=False)
