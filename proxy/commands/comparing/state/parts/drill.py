"""One customer at one replica, without a proxy: what a step weighs, and what it takes of the processor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.spread import spread
from proxy.commands.comparing.state.shopping.conversation import Went
from proxy.commands.comparing.state.shopping.line import Answer, Line, Message
from proxy.commands.comparing.state.shopping.process import CONVERSATIONS
from proxy.commands.comparing.state.stage.stage import Stage
from proxy.commands.comparing.state.variants import Variant

_T = TypeVar("_T")
_SET_COOKIE = "set-cookie"
_WARM = 4
_FIRST = 9_000_000
"""The number of the first customer: no shopper's."""


@dataclass(slots=True)
class Weighed:
    """Bytes on the wire; `given` are those of responses that give state to the client."""

    sent: int = 0
    received: int = 0
    state: int = 0
    given: int = 0
    requests: int = 0


def warm(stage: Stage) -> None:
    """Have a customer at each replica first: what a process does for the first time takes longer.

    Raises ComparisonError.
    """
    for number, replica in enumerate(stage.replicas):
        with Customer(stage.variant, replica.port) as customer:
            for time_ in range(_WARM):
                customer.buy(_FIRST + _WARM * number + time_, 2)


class Customer:
    """To be used with `with`. Every step raises ComparisonError where it doesn't succeed."""

    def __init__(self, variant: Variant, port: int) -> None:
        self._runner = asyncio.Runner()
        self._line = Line(port, 30.0)
        self._talk = CONVERSATIONS[variant.conversation](self._deliver)
        self._next = 0
        self.weighed = Weighed()
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _close(self) -> None:
        self._line.close()
        await asyncio.sleep(0)

    async def _deliver(self, make: Callable[[], Message], take: Callable[[Answer], None]) -> Answer:
        message = make()
        answer = await self._line.send(message)
        if answer.failure:
            raise ComparisonError("a replica doesn't answer", evidence=answer.failure)
        one = self.weighed
        one.requests += 1
        one.sent += answer.sent
        one.received += answer.received
        one.state += message.state
        one.given += sum(len(name) + len(value) + 4 for name, value in answer.fields if name == _SET_COOKIE)
        take(answer)
        return answer

    def _run(self, step: Coroutine[Any, Any, _T]) -> _T:
        return self._runner.run(step)

    async def _done(self, step: Awaitable[Went]) -> None:
        went = await step
        if went is not Went.DONE:
            raise ComparisonError("a step was refused", evidence=self._talk.problem or went.name)

    def weigh(self, step: Callable[[], None]) -> Weighed:
        """What one step puts on the wire."""
        self.weighed = Weighed()
        step()
        return self.weighed

    def fill(self, wanted: int) -> int:
        """Have so many lines in the cart; gives how many it took, fewer where no more fit."""
        return self._run(self._fill(wanted))

    async def _fill(self, wanted: int) -> int:
        while len(self.lines) < wanted:
            self._next += 1
            sku = f"P{self._next:04d}"
            went = await self._talk.add(sku, 1)
            if went is Went.DONE:
                self.lines.append(sku)
            elif self._talk.problem != "not-enough-stock":
                break
        return len(self.lines)

    def look(self) -> None:
        """See the page of a product, and nothing that goes with it."""
        self._run(self._done(self._looked()))

    async def _looked(self) -> Went:
        return self._talk.went(await self._talk.ask("GET", "/products/P0001"))

    def see_cart(self) -> None:
        """See the cart."""
        self._run(self._done(self._seen()))

    async def _seen(self) -> Went:
        shown = await self._talk.cart()
        return Went.DONE if isinstance(shown, dict) else shown

    def change(self, quantity: int = 2) -> None:
        """Have another number of pieces of the last line."""
        self._run(self._done(self._talk.change(self.lines[-1], quantity)))

    def buy(self, number: int, lines: int) -> int:
        """From the entrance to the placed order; gives how many lines it had."""
        return self._run(self._buy(number, lines))

    async def _buy(self, number: int, lines: int) -> int:
        self._talk.leave()
        self.lines, self._next = [], 0
        await self._done(self._talk.enter())
        while len(self.lines) < lines:
            had = len(self.lines)
            if not await self._talk.look(f"P{self._next + 1:04d}"):
                self._next += 1
            elif await self._fill(had + 1) == had:
                break
        name = f"shopper-{number}"
        await self._done(self._talk.log_in(name, f"glass-{number}"))
        await self._done(self._seen())
        await self._done(self._talk.order(f"{name}-drill-{lines}"))
        return len(self.lines)

    def repeat(self, step: Callable[[], None], count: int) -> float:
        """A step again and again; the median of the seconds that it takes."""
        took = []
        for _ in range(count):
            began = time.perf_counter()
            step()
            took.append(time.perf_counter() - began)
        return spread(took).median
