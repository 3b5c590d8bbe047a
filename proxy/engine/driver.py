"""Drives one exchange from the request to the end of its answer: the rules decide, this performs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import time
from typing import Any

from proxy.caching.decision import Outcome
from proxy.caching.effects import Answer, Validate
from proxy.caching.exchange import exchange, revalidation
from proxy.caching.policy import Policy
from proxy.engine.background import Background
from proxy.engine.delivery import Delivery
from proxy.engine.downstream import ClientGone, Downstream
from proxy.engine.intake import take_in
from proxy.engine.performer import Performer, UnderWay
from proxy.engine.purging import Report, Wish, purge
from proxy.engine.query import with_content_in_key
from proxy.engine.reach import Reach
from proxy.engine.settings import EngineSettings
from proxy.message.problems import problem
from proxy.storage.claims import Claims
from proxy.storage.contract import Store
from proxy.upstream.contract import Upstream, UpstreamError
from proxy.visibility.account import Account


class Driver:
    """Performs exchanges with one store, one way upstream and one policy. It holds no state of any client.

    `reach` is what all of them have within their reach.
    """

    def __init__(
        self,
        store: Store,
        upstream: Upstream,
        policy: Policy,
        settings: EngineSettings | None = None,
        claims: Claims | None = None,
    ) -> None:
        settings = settings or EngineSettings()
        self.reach = Reach(store, upstream, policy, settings, Background(settings.background), claims)
        self._policy = policy
        self._settings = settings

    @property
    def busy(self) -> int:
        """How many things are going on that don't end with a client."""
        return len(self.reach.background) + len(self.reach.intakes)

    async def exchange(self, client: Downstream, account: Account) -> None:
        """Answer one request. Raises `ClientGone` where the client left before the end of its answer."""
        request, content, bypass = await with_content_in_key(client, self._settings.query_limit)
        performer = Performer(self.reach, account, content, client.interim, ahead=client.ahead)
        delivery: Delivery | None = None
        try:
            answer = await performer.run(exchange(request, self._policy, bypass=bypass))
            account.decision = answer.decision
            if performer.response is not None and performer.response.head.status == 101:
                await client.tunnel(answer.response, performer.response.tunnel())
                return
            answer = _with_affinity(self._explained(answer, performer, account), account)
            delivery = Delivery(answer, performer, self.reach, client, account)
            await delivery.run()
            if answer.background is not None:
                self._validate(answer.background, performer)
            await performer.drain(self._settings.drain_limit)
        except (ClientGone, asyncio.CancelledError):
            account.complete = False
            account.error = account.error or "the client left"
            self._go_on_for_others(performer)
            raise
        finally:
            if delivery is not None:
                delivery.leave()
            performer.give_up()

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all that is stored under these keys or with these labels; the number of entries.

        To be used rather than the store's own: what is on its way concerns it too.
        """
        return await self.reach.invalidate(keys, labels)

    async def purge(self, wish: Wish) -> Report:
        """Have what is named removed, or count as stale. Raises `BadWish` and `BadPattern`."""
        return await purge(self.reach, wish)

    async def close(self) -> None:
        """End the work that goes on without a client."""
        await self.reach.background.close()
        await self.reach.intakes.close()

    def _explained(self, answer: Answer, performer: Performer, account: Account) -> Answer:
        """Where no response was had, the client gets a problem document (RFC 9457) that says why."""
        if answer.decision.outcome not in (Outcome.FAILED, Outcome.REFUSED) or answer.content:
            return answer
        error = performer.error
        if error is not None:
            account.error = str(error)
        detail = account.error or answer.decision.reasons[0].reason.sentence
        response, content = problem(
            answer.response.status,
            detail,
            error_token=error.token if error is not None else None,
            exchange_id=account.id,
            name=self._policy.name,
            now=time(),
        )
        received = account.received
        head_only = received is not None and received.method == b"HEAD"
        return replace(answer, response=response, content=() if head_only else (content,))

    def _validate(self, wanted: Validate, found: Performer) -> None:
        """Validate a stored response while its client has its answer already (RFC 5861 §3)."""
        entry = found.entry(wanted.selected)
        performer = found.alone(Account(id="", started=0.0, client=""))

        async def validate() -> None:
            rules = revalidation(wanted.request, wanted.selected, self._policy)
            with suppress(UnderWay):
                await self._without_client(performer, performer.run(rules))

        self.reach.background.start(("validation", id(entry)), validate)

    def _go_on_for_others(self, performer: Performer) -> None:
        """The client has left before there was an answer: those who wait for the same one still want it."""
        flight, successor = performer.flight, performer.successor()
        if flight is None or successor is None:
            return

        async def complete() -> None:
            await self._without_client(successor, successor.resume())

        task = self.reach.background.start(flight, complete)
        if task is None:
            successor.give_up()
        else:
            flight.deserted = partial(_cancel, task)
            task.add_done_callback(lambda _: successor.give_up())  # it may be ended before it has begun

    async def _without_client(self, performer: Performer, answering: Coroutine[Any, Any, Answer]) -> None:
        """Do all that an exchange does but answer."""
        try:
            arriving = await take_in(await answering, performer, self.reach)
            if arriving is not None:
                try:
                    await arriving.settled()
                finally:
                    arriving.leave()
        except UpstreamError:
            pass  # nobody is there to be told
        finally:
            performer.give_up()


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def _with_affinity(answer: Answer, account: Account) -> Answer:
    """The answer with the cookie by which its client, and nobody else, comes back to the same server.

    It is added when all is decided: what is stored for others hasn't got it.
    """
    if account.affinity is None:
        return answer
    response = answer.response
    fields = response.fields.adding((b"Set-Cookie", account.affinity))
    return replace(answer, response=replace(response, fields=fields))
