"""Performs the effects that the rules of one exchange ask for; knows nothing of the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from time import time

from proxy.caching.effects import (
    Answer,
    Arrived,
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
from proxy.engine.collapse import Flight
from proxy.engine.reach import Reach
from proxy.message.dates import format_date
from proxy.message.hops import strip_hop_by_hop
from proxy.message.response import Response
from proxy.storage.contract import Entry
from proxy.upstream.contract import Content, UpstreamError, UpstreamResponse
from proxy.visibility.account import Account

LABEL_LIMIT = 16
"""How many of the entries that carry a label are looked at: enough to learn which rules are in use there."""

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


class Performer:
    """Runs one exchange's rules to their `Answer`.

    Afterwards `response` is what is arriving from upstream (None where nothing was forwarded, or nothing
    came), `error` why nothing came, and `flight` what others may be waiting for.
    """

    def __init__(
        self,
        reach: Reach,
        account: Account,
        content: Content | None = None,
        interim: Interim = no_interim,
    ) -> None:
        self.flight: Flight | None = None
        self.response: UpstreamResponse | None = None
        self.error: UpstreamError | None = None
        self._reach = reach
        self._store = reach.store
        self._account = account
        self._content = content
        self._interim = interim
        self._entries: dict[int, tuple[StoredResponse, Entry]] = {}

    def alone(self, account: Account) -> Performer:
        """One that goes on without the client, knowing the entries that this one has found."""
        other = Performer(self._reach, account)
        other._entries = dict(self._entries)
        return other

    async def run(self, rules: Generator[Effect, Result, Answer]) -> Answer:
        """Perform effect after effect until the rules have their answer."""
        result: Result = None
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
                await self._store.invalidate(keys, labels)
        return None

    def _found(self, entries: Sequence[Entry]) -> Found:
        found = []
        for entry in entries:
            stored = entry.stored
            self._entries[id(stored)] = (stored, entry)
            found.append(stored)
        return Found(found, time())

    async def _forward(self, effect: Forward) -> Arrived | Unreached | Found:
        reach = self._reach
        if effect.collapse is not None and self.flight is None and reach.flights.waits(effect.collapse):
            self.flight = await reach.flights.lead_or_wait(effect.collapse, reach.settings.patience)
            if self.flight is None:
                return self._found(await self._store.look_up(effect.collapse))
        self._close_response()
        account = self._account
        sent = time()
        try:
            response = await reach.upstream.send(effect.request, self._content, self._interim)
        except UpstreamError as error:
            self.error = error
            account.server, account.attempts = error.server, error.attempts
            return Unreached(error.status or 502, str(error), time())
        self.response, self.error = response, None
        now = time()
        timing = response.timing
        account.server, account.attempts, account.reused = timing.server, timing.attempts, timing.reused
        account.connect, account.upstream_first_byte = timing.connect, timing.first_byte
        account.upstream_status = response.head.status
        return Arrived(received(response.head, now), sent, now, response.length)

    async def drain(self, limit: int) -> None:
        """Read what is not wanted, if at most `limit` bytes, so that the connection can serve again."""
        response = self.response
        if response is None or response.length is None or response.length > limit:
            return
        with suppress(UpstreamError):
            while await response.read():
                pass

    def give_up(self) -> None:
        """Close what is still arriving from upstream; those who waited for it are told."""
        self._close_response()
        if self.flight is not None:
            self.flight.abandon()

    def _close_response(self) -> None:
        if self.response is not None:
            self.response.close()
            self.response = None
