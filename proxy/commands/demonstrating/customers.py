"""Three customers of the shop, each with a conversation of its own, who try again where something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from proxy.commands.comparing.state.shopping.conversation import Conversation, Went
from proxy.commands.comparing.state.shopping.line import Answer, Line, Message
from proxy.commands.comparing.state.shopping.process import CONVERSATIONS
from proxy.commands.comparing.state.shopping.wants import PASSWORDS

_T = TypeVar("_T")
_TRIES = 8
_PAUSE = 0.25


class Customer:
    """One of them, by the name in the shop."""

    def __init__(self, name: str, conversation: str, port: int) -> None:
        self.name = name
        self.title = name.capitalize()
        self._line = Line(port, 5.0)
        self.talk: Conversation = CONVERSATIONS[conversation](self._deliver)
        self.requests = 0
        self.failed = 0
        self.expected: dict[str, int] = {}

    async def _deliver(self, make: Callable[[], Message], take: Callable[[Answer], None]) -> Answer:
        for _ in range(_TRIES):
            answer = await self._line.send(make())
            self.requests += 1
            if not answer.failure:
                take(answer)
                return answer
            self.failed += 1
            await asyncio.sleep(_PAUSE)
        return answer

    async def add(self, sku: str, quantity: int) -> bool:
        """Look at a product and put it into the cart; whether that went well."""
        await self.talk.look(sku)
        went = await self.talk.add(sku, quantity)
        if went is Went.DONE:
            self.expected[sku] = quantity
        return went is Went.DONE

    async def log_in(self) -> bool:
        """Say who this is."""
        return await self.talk.log_in(self.name, PASSWORDS[self.name]) is Went.DONE

    async def cart(self) -> dict[str, int]:
        """What is in the cart; nothing where the shop doesn't know it."""
        found = await self.talk.cart()
        return found if isinstance(found, dict) else {}

    async def order(self) -> Went:
        """Order what is in the cart."""
        return await self.talk.order(f"demo-{self.name}")

    async def orders(self) -> int | None:
        """How often this order is listed; None where nobody says."""
        found = await self.talk.orders()
        return found.count(f"demo-{self.name}") if isinstance(found, list) else None

    async def close(self) -> None:
        """Let go of the connection."""
        self._line.close()
        await asyncio.sleep(0)


class Customers:
    """All three, and the loop that their steps run in; to be used with `with`."""

    def __init__(self, conversation: str, port: int) -> None:
        self._runner = asyncio.Runner()
        self.all = [Customer(name, conversation, port) for name in PASSWORDS]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.all:
            self._runner.run(one.close())
        self._runner.close()

    def run(self, step: Coroutine[Any, Any, _T]) -> _T:
        """Do one step to its end."""
        return self._runner.run(step)
