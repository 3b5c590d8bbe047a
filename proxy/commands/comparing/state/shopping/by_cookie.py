"""Sessions, tokens and Flask's sessions: a cookie says, or stands for, what the fixed URLs mean."""

from __future__ import annotations

from proxy.commands.comparing.state.shopping.conversation import Conversation, Went, pieces


class ByCookie(Conversation):
    """The conversation that servers with log-in forms expect. What the cookie holds is the shop's affair."""

    async def add(self, sku: str, quantity: int) -> Went:
        return self.went(await self.ask("POST", "/cart/items", {"sku": sku, "quantity": quantity}))

    async def cart(self) -> dict[str, int] | Went:
        answer = await self.ask("GET", "/cart")
        went = self.went(answer)
        return pieces(answer) if went is Went.DONE else went

    async def change(self, sku: str, quantity: int) -> Went:
        went = self.went(await self.ask("POST", f"/cart/items/{sku}", {"quantity": quantity}))
        return Went.GONE if self.problem == "not-in-cart" else went

    async def log_in(self, name: str, password: str) -> Went:
        return self.went(await self.ask("POST", "/login", {"name": name, "password": password}))

    async def order(self, reference: str) -> Went:
        return self.went(await self.ask("POST", "/orders", {"reference": reference}))

    async def orders(self) -> list[str] | Went:
        return await self.listed("/orders")
