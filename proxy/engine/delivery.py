"""Delivers one answer: head and content to the client, and a copy of the content into the store."""

from __future__ import annotations

from dataclasses import replace

from proxy.caching.effects import Answer, Span
from proxy.engine.digest import Digest
from proxy.engine.downstream import Downstream
from proxy.engine.keeping import Keeping
from proxy.engine.performer import Performer
from proxy.engine.reach import Reach
from proxy.upstream.contract import UpstreamError, UpstreamResponse
from proxy.visibility.account import Account


class Delivery:
    """One answer on its way to one client."""

    def __init__(
        self, answer: Answer, performer: Performer, reach: Reach, client: Downstream, account: Account
    ) -> None:
        self._answer = answer
        self._performer = performer
        self._reach = reach
        self._client = client
        self._account = account
        self._digest = Digest()
        self.keeping: Keeping | None = None
        self.left: int | None = None  # bytes that are still to arrive from upstream, None where unknown

    async def run(self) -> None:
        """Send all of it. What breaks off upstream breaks off for the client too, so that it can tell."""
        answer, response = self._answer, self._performer.response
        await self._begin_keeping(response)
        try:
            await self._client.start(answer.response, self._length(response))
            for piece in answer.content:
                if isinstance(piece, bytes):
                    await self._send(piece)
                elif isinstance(piece, Span):
                    await self._send_span(piece)
                elif response is not None:
                    await self._pass_on(response)
        except UpstreamError as error:
            self._broken(error)
            return
        if self.keeping is not None and response is not None:
            await self._keep_rest(response)
        self._account.digest = self._digest_of_all()
        await self._client.finish(response.trailers if response is not None else answer.trailers)

    def release(self) -> Keeping | None:
        """The copy as far as it has come; from here on it is the caller's to end or to abort."""
        keeping, self.keeping = self.keeping, None
        return keeping

    async def _begin_keeping(self, response: UpstreamResponse | None) -> None:
        wanted = self._answer.store
        if wanted is None or response is None:
            self._land(shared=response is None or response.head.status == 304 or response.head.status >= 500)
            return
        self.left = response.length
        self.keeping = await Keeping.begin(self._reach, wanted, response.length, self._performer.entry)
        if self.keeping is None:
            self._ended(kept=False)

    async def _pass_on(self, response: UpstreamResponse) -> None:
        """The content from upstream, as it comes.

        Where its length is known, the copy can be found before the client has the last byte: whoever then
        asks again at once is answered from it.
        """
        while data := await response.read():
            self._digest.update(data)
            if self.keeping is not None:
                self.keeping.add(data)
                if self.left is not None:
                    self.left -= len(data)
                    if self.left == 0:
                        await self._end_keeping()
            await self._client.write(data)
        await self._end_keeping()

    async def _keep_rest(self, response: UpstreamResponse) -> None:
        """What the client did not want of the content is read for the store alone."""
        keeping = self.release()
        if keeping is not None:
            self._ended(kept=await keeping.take_rest(response))

    async def _end_keeping(self) -> None:
        keeping, self.keeping = self.keeping, None
        if keeping is not None:
            self._ended(kept=await keeping.end())

    def _ended(self, *, kept: bool) -> None:
        if not kept:
            self._not_kept()
        self._land(shared=kept)

    def _land(self, *, shared: bool) -> None:
        """Those who wait for this response can look for it now, or go and ask for it themselves."""
        if self._performer.flight is not None:
            self._performer.flight.land(shared=shared)

    async def _send(self, data: bytes) -> None:
        self._digest.update(data)
        await self._client.write(data)

    async def _send_span(self, span: Span) -> None:
        entry = self._performer.entry(span.stored)
        if entry is None:
            raise LookupError("the rules answered from a stored response that was not looked up")
        offset = span.stored.first
        whole = self._answer.content == (span,) and span.last - span.first + 1 == span.stored.length
        if whole and entry.digest:
            self._account.digest = entry.digest
        async for piece in entry.read(span.first - offset, span.last - offset):
            if not self._account.digest:
                self._digest.update(piece)
            await self._client.write(piece)

    def _digest_of_all(self) -> str:
        return self._account.digest or self._digest.value()

    def _length(self, response: UpstreamResponse | None) -> int | None:
        total = 0
        for piece in self._answer.content:
            if isinstance(piece, bytes):
                total += len(piece)
            elif isinstance(piece, Span):
                total += piece.last - piece.first + 1
            elif response is None or response.length is None:
                return None
            else:
                total += response.length
        return total

    def _broken(self, error: UpstreamError) -> None:
        if (keeping := self.release()) is not None:
            keeping.abort()
        self._land(shared=True)
        self._not_kept()
        self._account.complete = False
        self._account.error = str(error)
        self._client.abort()

    def _not_kept(self) -> None:
        """The record says what became of it, which the head that is sent already can't."""
        decision = self._account.decision
        if decision is not None and decision.stored:
            self._account.decision = replace(decision, stored=False)
