"""Sessions, tokens and Flask's sessions: a cookie says, or stands for, what the fixed URLs mean."""

from __future__ import annotations

from typing import Any

from proxy.commands.comparing.state.shopping.conversation import Conversation, Went, pieces, step_key
from proxy.commands.comparing.state.shopping.line import Answer


class ByCookie(Conversation):
    """The conversation that servers with log-in forms expect. What the cookie holds is the shop's affair."""

    async def _post(self, target: str, content: dict[str, Any]) -> Answer:
        return await self.ask("POST", target, content)

    async def add(self, sku: str, quantity: int) -> Went:
        return self.went(await self._post("/cart/items", {"sku": sku, "quantity": quantity}))

    async def cart(self) -> dict[str, int] | Went:
        answer = await self.ask("GET", "/cart")
        went = self.went(answer)
        return pieces(answer) if went is Went.DONE else went

    async def change(self, sku: str, quantity: int) -> Went:
        went = self.went(await self._post(f"/cart/items/{sku}", {"quantity": quantity}))
        return Went.GONE if self.problem == "not-in-cart" else went

    async def log_in(self, name: str, password: str) -> Went:
        return self.went(await self._post("/login", {"name": name, "password": password}))

    async def order(self, reference: str) -> Went:
        return self.went(await self._post("/orders", {"reference": reference}))

    async def orders(self) -> list[str] | Went:
        return await self.listed("/orders")


class ByToken(ByCookie):
    """The same with tokens, of which each request may be sent again: it says so, with a key for each step.

    All that such a request means is in its token, and a cart's name in it stands for one order.
    """

    async def _post(self, target: str, content: dict[str, Any]) -> Answer:
        return await self.ask("POST", target, content, step_key())
