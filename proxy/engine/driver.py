"""Drives one exchange from the request to the end of its answer: the rules decide, this performs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from time import time

from proxy.caching.decision import Outcome
from proxy.caching.effects import Answer, Validate
from proxy.caching.exchange import exchange, revalidation
from proxy.caching.policy import Policy
from proxy.engine.background import Background
from proxy.engine.delivery import Delivery
from proxy.engine.downstream import ClientGone, Downstream
from proxy.engine.keeping import Keeping
from proxy.engine.performer import Performer
from proxy.engine.query import with_content_in_key
from proxy.engine.reach import Reach
from proxy.engine.settings import EngineSettings
from proxy.message.problems import problem
from proxy.storage.contract import Store
from proxy.upstream.contract import Upstream
from proxy.visibility.account import Account


class Driver:
    """Performs exchanges with one store, one way upstream and one policy. It holds no state of any client."""

    def __init__(
        self, store: Store, upstream: Upstream, policy: Policy, settings: EngineSettings | None = None
    ) -> None:
        settings = settings or EngineSettings()
        self._reach = Reach(store, upstream, policy, settings)
        self._policy = policy
        self._settings = settings
        self._background = Background(settings.background)
        self._completions = count()

    async def exchange(self, client: Downstream, account: Account) -> None:
        """Answer one request. Raises `ClientGone` where the client left before the end of its answer."""
        request, content, bypass = await with_content_in_key(client, self._settings.query_limit)
        performer = Performer(self._reach, account, content, client.interim)
        delivery: Delivery | None = None
        try:
            answer = await performer.run(exchange(request, self._policy, bypass=bypass))
            account.decision = answer.decision
            if performer.response is not None and performer.response.head.status == 101:
                await client.tunnel(answer.response, performer.response.tunnel())
                return
            answer = self._explained(answer, performer, account)
            delivery = Delivery(answer, performer, self._reach, client, account)
            await delivery.run()
            if answer.background is not None:
                self._validate(answer.background, performer)
            await performer.drain(self._settings.drain_limit)
        except (ClientGone, asyncio.CancelledError):
            account.complete = False
            account.error = account.error or "the client left"
            if delivery is not None:
                self._let_finish(delivery, performer)
            raise
        finally:
            if delivery is not None and (keeping := delivery.release()) is not None:
                keeping.abort()
            performer.give_up()

    async def close(self) -> None:
        """End the work that goes on without a client."""
        await self._background.close()

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
            try:
                answer = await performer.run(revalidation(wanted.request, wanted.selected, self._policy))
                response = performer.response
                if answer.store is None or response is None:
                    return
                keeping = await Keeping.begin(self._reach, answer.store, response.length, performer.entry)
                if keeping is not None:
                    await keeping.take_rest(response)
            finally:
                performer.give_up()

        self._background.start(("validation", id(entry)), validate)

    def _let_finish(self, delivery: Delivery, performer: Performer) -> None:
        """The client has left: what is nearly whole is completed for the cache, all else is given up."""
        response, left = performer.response, delivery.left
        if response is None or left is None or left > self._settings.nearly_done:
            return
        keeping = delivery.release()
        if keeping is None:
            return
        flight = performer.flight
        performer.response = performer.flight = None

        async def complete() -> None:
            try:
                kept = await keeping.take_rest(response)
                if flight is not None:
                    flight.land(shared=kept)
            finally:
                keeping.abort()
                response.close()
                if flight is not None:
                    flight.abandon()

        if not self._background.start(("completion", next(self._completions)), complete):
            performer.response, performer.flight = response, flight
            keeping.abort()
