"""Performs the effects that the rules of one exchange ask for; knows nothing of the client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from time import monotonic, time

from proxy.caching.effects import (
    Answer,
    Arrived,
    Collapse,
    Effect,
    Forward,
    Found,
    Freshen,
    Invalidate,
    LookUp,
    Result,
    Unreached,
)
from proxy.caching.stored import StoredResponse
from proxy.caching.usefulness import useful_until
from proxy.engine.arriving import Arriving
from proxy.engine.claiming import Taken, claim
from proxy.engine.collapse import Flight
from proxy.engine.downstream import ClientGone
from proxy.engine.invalidations import Invalidation
from proxy.engine.reach import Reach
from proxy.message.dates import format_date
from proxy.message.hops import strip_hop_by_hop
from proxy.message.response import Response
from proxy.storage.contract import Entry
from proxy.upstream.contract import Ahead, Content, UpstreamError, UpstreamResponse
from proxy.visibility.account import Account

MOST_FOLLOWED = 3
"""After so many ways that were no use an exchange goes to the origin by itself."""

LABEL_LIMIT = 16
"""How many of the entries that carry a label are looked at: enough to learn which rules are in use there."""

Rules = Generator[Effect, Result, Answer]
Interim = Callable[[Response], Awaitable[None]]


async def no_interim(_: Response) -> None:
    """Where there is no client to pass interim responses on to."""


def received(head: Response, now: float) -> Response:
    """A response's head as an intermediary takes it: hop-by-hop fields gone, `Date` there.

    RFC 9110 §6.6.1 asks a recipient with a clock to add the `Date` that is missing. A 101 stays as it is:
    its `Connection` and `Upgrade` are for the client (§7.8).
    """
    if head.status == 101:
        return head
    fields = strip_hop_by_hop(head.fields)
    if b"date" not in fields:
        fields = fields.adding((b"Date", format_date(now)))
    return Response(head.status, fields, head.reason, head.version)


class UnderWay(Exception):  # noqa: N818
    """Another exchange is doing already what was to be done without a client."""


class Performer:
    """Runs one exchange's rules to their `Answer`.

    Afterwards `response` is what is arriving from upstream (None where nothing was forwarded, or nothing
    came), `sent` when that was asked for (seconds since the epoch), `began` the same by the monotonic clock,
    `error` why nothing came, and `flight` what others may be waiting for.
    """

    def __init__(
        self,
        reach: Reach,
        account: Account,
        content: Content | None = None,
        interim: Interim = no_interim,
        *,
        alone: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        self.invalidated: list[Invalidation] = []  # by this exchange itself
        self.flight: Flight | None = None
        self.response: UpstreamResponse | None = None
        self.error: UpstreamError | None = None
        self._reach = reach
        self._store = reach.store
        self._account = account
        self._content = content
        self._interim = interim
        self._alone = alone
        self._ahead = ahead  # what has gone upstream before the rules asked for it
        self._entries: dict[int, tuple[StoredResponse, Entry]] = {}
        self._rules: Rules | None = None
        self._sending: asyncio.Task[UpstreamResponse] | None = None
        self.sent = self.began = 0.0
        self._patience = 0.0  # until when, by the loop's clock, it waits for others at most
        self._followed: list[Flight] = []
        self._waited = 0  # how often for another process
        self._shares: list[Arriving] = []

    def alone(self, account: Account) -> Performer:
        """One that goes on without the client, knowing the entries that this one has found."""
        other = Performer(self._reach, account, alone=True)
        other._entries = dict(self._entries)
        return other

    async def run(self, rules: Rules) -> Answer:
        """Perform effect after effect until the rules have their answer."""
        self._rules = rules
        return await self._go_on(None)

    def successor(self) -> Performer | None:
        """One that goes on in this one's place for those who wait for its response, if anybody does."""
        flight, sending = self.flight, self._sending
        if flight is None or sending is None or not flight.awaited:
            return None
        other = self.alone(Account(id="", started=0.0, client=""))
        other.flight, other._sending = flight, sending
        other._rules, other.sent, other.began = self._rules, self.sent, self.began
        self.flight = self._sending = None
        return other

    async def resume(self) -> Answer:
        """Go on where the one before was when its client left."""
        return await self._go_on(await self._hear(None))

    async def _go_on(self, result: Result) -> Answer:
        rules = self._rules
        assert rules is not None
        while True:
            try:
                effect = rules.send(result)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            result = await self._perform(effect)

    def entry(self, stored: StoredResponse) -> Entry | None:
        """The entry that a stored response belongs to, where this exchange has looked it up."""
        known = self._entries.get(id(stored))
        return known[1] if known else None

    async def _perform(self, effect: Effect) -> Result:
        match effect:
            case LookUp() if self._ahead is not None:  # it was sent because there was nothing at that moment
                return Found((), self._ahead.sent)
            case LookUp(key, None):
                return self._found(await self._store.look_up(key))
            case LookUp(_, label):
                return self._found(await self._store.labelled(label or b"", LABEL_LIMIT))
            case Forward():
                return await self._forward(effect)
            case Freshen(selected, updated):
                entry = self.entry(selected)
                if entry is not None:
                    await self._store.freshen(entry, updated, useful_until(updated, self._reach.policy))
                    self._entries[id(updated)] = (updated, entry)
            case Invalidate(keys, labels):
                await self._reach.invalidate(keys, labels, self.invalidated)
        return None

    def _found(self, entries: Sequence[Entry]) -> Found:
        found = []
        for entry in entries:
            stored = entry.stored
            self._entries[id(stored)] = (stored, entry)
            found.append(stored)
        return Found(found, time())

    async def _forward(self, effect: Forward) -> Arrived | Unreached | Found:
        ahead = self._ahead
        if ahead is not None and ahead.request == effect.request:
            self._ahead, self.sent, self.began = None, ahead.sent, ahead.began
            return await self._hear(ahead.response(self._interim))
        collapse = effect.collapse
        if collapse is not None and self.flight is None:
            found = await self._follow(collapse)
            if found is not None:
                return found
        self._close_response()
        self.sent, self.began = time(), monotonic()
        if self.flight is None or self._alone:
            return await self._hear(self._reach.upstream.send(effect.request, self._content, self._interim))
        # Others may wait for what comes of it: that must not depend on this client's staying.
        sending = self._reach.upstream.send(effect.request, self._content, self._pass_on)
        self._sending = asyncio.get_running_loop().create_task(sending)
        return await self._hear(None)

    async def _follow(self, collapse: Collapse) -> Found | None:
        """What there is to answer with when another's response has come; None: go to the origin."""
        flights, followed = self._reach.flights, self._followed
        if collapse.vain and (self._waited or (followed and followed[-1].answered)):
            flights.in_vain(collapse)
        if not flights.shares(collapse):
            return None
        flight = flights.get(collapse)
        if flight is None:
            if not collapse.leads:
                return None
            self.flight = flights.lead(collapse)
            return await self._claim(collapse, self.flight)
        if self._alone:
            raise UnderWay
        if not collapse.follows or flight in followed or len(followed) == MOST_FOLLOWED:
            return None
        now = asyncio.get_running_loop().time()
        if not followed:
            self._patience = now + self._reach.settings.patience
        followed.append(flight)
        arriving = await flight.head(self._patience - now)
        if arriving is not None:
            self._shares.append(arriving)
        entries = await self._store.look_up(collapse.key)
        if arriving is None or arriving.entry in entries:
            return self._found(entries)
        return self._found([*(one for one in entries if one.stored not in arriving.replaces), arriving])

    async def _claim(self, collapse: Collapse, flight: Flight) -> Found | None:
        """What there is to answer with when another process has fetched it; None: go to the origin."""
        claims = self._reach.claims
        if claims is None or self._waited == MOST_FOLLOWED:
            return None
        patience, wait = self._reach.settings.patience, not self._alone
        try:
            entries = await claim(
                claims, self._store, collapse, flight, self._knows, patience=patience, wait=wait
            )
        except Taken:
            raise UnderWay from None
        if entries is None:
            if flight.over:
                self.flight = None
            return None
        if self._alone:
            raise UnderWay
        self._waited += 1
        flight.land(shared=True, answered=True)
        self.flight = None
        return self._found(entries)

    def _knows(self, stored: StoredResponse) -> bool:
        return any(stored == known for known, _ in self._entries.values())

    async def _hear(self, sending: Awaitable[UpstreamResponse] | None) -> Arrived | Unreached:
        account, sent = self._account, self.sent
        try:
            if sending is not None:
                response = await sending
            else:
                assert self._sending is not None
                response = await asyncio.shield(self._sending)
                self._sending = None
        except UpstreamError as error:
            self._sending = None
            self.error = error
            account.server, account.attempts = error.server, error.attempts
            account.tried, account.retry = error.tried, error.retry
            return Unreached(error.status or 502, str(error), time())
        self.response, self.error = response, None
        now = time()
        timing = response.timing
        account.server, account.attempts, account.reused = timing.server, timing.attempts, timing.reused
        account.tried, account.retry, account.affinity = timing.tried, timing.retry, timing.affinity
        account.connect, account.upstream_first_byte = timing.connect, timing.first_byte
        account.upstream_status = response.head.status
        return Arrived(received(response.head, now), sent, now, response.length)

    async def _pass_on(self, response: Response) -> None:
        """An interim response is for this client; where that has left, others still want the final one."""
        with suppress(ClientGone):
            await self._interim(response)

    async def drain(self, limit: int) -> None:
        """Read what is not wanted, if at most `limit` bytes, so that the connection can serve again."""
        response = self.response
        if response is None or response.length is None or response.length > limit:
            return
        with suppress(UpstreamError):
            while await response.read():
                pass

    def give_up(self) -> None:
        """Close what is still arriving from upstream; those who waited for it look for themselves."""
        self._close_response()
        if self._ahead is not None:
            self._ahead.close()
        if self._sending is not None:
            self._sending.cancel()
            self._sending.add_done_callback(_unwanted)
        if self.flight is not None:
            self.flight.land(shared=True)
        for arriving in self._shares:
            arriving.leave()
        self._shares.clear()

    def _close_response(self) -> None:
        if self.response is not None:
            self.response.close()
            self.response = None


def _unwanted(sending: asyncio.Task[UpstreamResponse]) -> None:
    if not sending.cancelled() and sending.exception() is None:
        sending.result().close()
