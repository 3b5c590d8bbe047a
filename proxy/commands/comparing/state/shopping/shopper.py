"""One shopper in a closed loop: wants something, waits for it, thinks, wants the next thing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random

from proxy.commands.comparing.state.shopping.account import Account, Timeline
from proxy.commands.comparing.state.shopping.conversation import Conversation, Deliver, Went
from proxy.commands.comparing.state.shopping.line import Answer, Line, Message
from proxy.commands.comparing.state.shopping.outcome import Plan, Traffic
from proxy.commands.comparing.state.shopping.wants import (
    Add,
    Browse,
    Change,
    Enter,
    LogIn,
    Look,
    Order,
    Search,
    SeeCart,
    SeeOrders,
    Want,
    visit,
)


class Books:
    """What all shoppers of a run write into."""

    def __init__(self, began: float) -> None:
        self.account = Account()
        self.timeline = Timeline(began=began)
        self.traffic = Traffic()
        self.latencies: list[float] = []


class Hours:
    """How long the shop is open: until a moment of `time.time()`, which may be set while shoppers shop."""

    def __init__(self, until: float) -> None:
        self.until = until

    def over(self) -> bool:
        """Whether it has closed."""
        return time.time() >= self.until


class Over(Exception):  # noqa: N818 - it is no error
    """This visit is over before its time."""


class Shopper:
    """`number` is this shopper's own, and the name of its account in the shop."""

    def __init__(
        self, number: int, plan: Plan, books: Books, converse: Callable[[Deliver], Conversation]
    ) -> None:
        self._number = number
        self._plan = plan
        self._books = books
        self._account = books.account
        self._line = Line(plan.port, plan.patience)
        self._talk = converse(self._deliver)
        self._random = Random(f"{plan.seed}/{number - plan.first}/pace")
        self._expected: dict[str, int] = {}
        self._doubtful: set[str] = set()
        self._begun = False
        self._logged_in = False
        self._last = ("", True)
        self._placed = 0
        self.acknowledged: list[str] = []
        self.unsure: list[str] = []

    # Requests.

    async def _deliver(self, make: Callable[[], Message], take: Callable[[Answer], None]) -> Answer:
        account, books = self._account, self._books
        for tries in range(1, self._plan.tries + 1):
            message = make()
            answer = await self._line.send(message)
            account.sent += 1
            books.traffic.sent += answer.sent
            books.traffic.received += answer.received
            books.traffic.state += message.state
            books.timeline.note(time.time(), failed=bool(answer.failure))
            if not answer.failure:
                account.answered += 1
                books.latencies.append(answer.seconds)
                take(answer)
                break
            account.failed += 1
            account.failures[answer.failure] = account.failures.get(answer.failure, 0) + 1
            if tries == self._plan.tries:
                account.given_up += 1
                break
            account.retried += 1
            await asyncio.sleep(self._plan.pause)
        return answer

    # Visits.

    async def shop(self, hours: Hours) -> None:
        """Visit the shop again and again while it is open, or as often as planned."""
        number = 0
        while not hours.over() and (not self._plan.visits or number < self._plan.visits):
            if await self._visit(number, hours):
                self._account.visits += 1
            number += 1

    async def _visit(self, number: int, hours: Hours) -> bool:
        """Whether it came to its end in time."""
        wants = list(visit(self._plan.seed, self._number - self._plan.first, number))
        begin = self._random.randrange(len(wants)) if self._plan.midway and not number else 0
        try:
            for want in wants[begin:]:
                if hours.over():
                    return False
                await self._get(want)
                if self._plan.think:
                    await asyncio.sleep(self._random.expovariate(1 / self._plan.think))
            if self._begun:
                await self._see_cart()
                self._end("left")
        except Over:
            pass
        self._leave()
        return True

    def _leave(self) -> None:
        self._talk.leave()
        self._expected.clear()
        self._doubtful.clear()
        self._logged_in = False

    def _end(self, how: str) -> None:
        """The cart's life is over."""
        if self._begun:
            self._begun = False
            setattr(self._account, how, getattr(self._account, how) + 1)

    async def _get(self, want: Want) -> None:
        match want:
            case Enter():
                await self._talk.enter()
            case Browse(page):
                await self._talk.browse(page)
            case Search(words):
                await self._talk.search(words)
            case Look(sku):
                self._last = (sku, bool(await self._talk.look(sku)))
            case Add(sku, quantity) if self._last == (sku, True):
                await self._add(sku, quantity)
            case SeeOrders() if self._logged_in:
                self._note(await self._see_orders())
            case _ if self._begun:
                await self._get_with_cart(want)

    async def _get_with_cart(self, want: Want) -> None:
        """What only those want who have something in their carts."""
        match want:
            case SeeCart():
                await self._see_cart()
            case Change(quantity):
                await self._change(quantity)
            case LogIn():
                await self._log_in()
            case Order():
                await self._order()

    # The cart.

    async def _add(self, sku: str, quantity: int) -> None:
        went = self._note(await self._talk.add(sku, quantity))
        if went is Went.DONE:
            if not self._begun:
                self._begun = True
                self._account.begun += 1
            self._expected[sku] = quantity
        elif went is Went.GIVEN_UP:
            self._doubtful.add(sku)
        elif went is Went.GONE:
            self._lose()

    async def _change(self, quantity: int) -> None:
        sku = next(reversed(self._expected), None)
        if sku is None:
            return
        went = self._note(await self._talk.change(sku, quantity))
        if went is Went.DONE:
            self._expected[sku] = quantity
        elif went is Went.GIVEN_UP:
            self._doubtful.add(sku)
        elif went is Went.GONE:
            self._lose()

    async def _see_cart(self) -> dict[str, int]:
        """Look whether all is there. Raises Over where the cart is lost."""
        shown = await self._talk.cart()
        if shown is Went.GIVEN_UP:
            self._end("unsure")
            raise Over
        if not isinstance(shown, dict):
            self._note(shown)
            self._lose()
            raise Over
        sure = {sku: count for sku, count in self._expected.items() if sku not in self._doubtful}
        if not sure.keys() <= shown.keys():
            self._lose()
            raise Over
        if {sku: count for sku, count in shown.items() if sku not in self._doubtful} != sure:
            self._account.wrong += 1
        self._expected = dict(shown)
        self._doubtful.clear()
        return shown

    def _lose(self) -> None:
        """The cart is gone, and with a session the log-in, too."""
        if self._begun:
            self._end("lost")
            self._books.timeline.disturb(time.time())
        if self._logged_in:
            self._log_out()
        raise Over

    # The account and the orders.

    async def _log_in(self) -> bool:
        name = f"shopper-{self._number}"
        went = self._note(await self._talk.log_in(name, f"glass-{self._number}"))
        if went is Went.GONE:  # the session; the next try begins a new one
            self._lose()
        if went is Went.DONE:
            self._account.logged_in += 1
            self._logged_in = True
        return self._logged_in

    def _log_out(self) -> None:
        self._logged_in = False
        self._account.logged_out += 1
        self._books.timeline.disturb(time.time())

    async def _order(self) -> None:
        if not self._logged_in or not await self._see_cart():
            return
        self._placed += 1
        reference = f"{self._number}-order-{self._placed}"
        went = self._note(await self._talk.order(reference))
        if went is Went.STRANGER:
            self._log_out()
            if await self._log_in():
                went = self._note(await self._talk.order(reference))
        if went is Went.DONE:
            self.acknowledged.append(reference)
            self._end("ordered")
        elif went is Went.GONE:
            self.unsure.append(reference)
            self._lose()
        else:
            self.unsure.append(reference)
            self._end("unsure")
        self._expected.clear()

    async def _see_orders(self) -> Went:
        listed = await self._talk.orders()
        return Went.DONE if isinstance(listed, list) else listed

    def _note(self, went: Went) -> Went:
        if went not in (Went.DONE, Went.GIVEN_UP):
            self._account.refused += 1
            kind = self._talk.problem or went.name.lower()
            self._account.refusals[kind] = self._account.refusals.get(kind, 0) + 1
        return went

    # The end.

    async def audit(self) -> None:
        """See whether the cart that is being filled is still there, and whether each order is listed once."""
        if self._begun:
            try:
                await self._see_cart()
                self._end("kept")
            except Over:
                pass
        listed: list[str] | None = None
        if self.acknowledged or self.unsure:
            self._leave()
            try:
                await self._log_in()
                found = await self._talk.orders()
                listed = found if isinstance(found, list) else None
            except Over:
                pass
        if not self.acknowledged and not self.unsure:
            listed = []
        self._account.reconcile(self.acknowledged, self.unsure, listed)

    def skip_audit(self) -> None:
        """Leave without looking: what has been begun stays unsure."""
        self._end("unsure")
        self._account.reconcile(self.acknowledged, self.unsure, None)

    def close(self) -> None:
        """Let go of the connection."""
        self._line.close()
