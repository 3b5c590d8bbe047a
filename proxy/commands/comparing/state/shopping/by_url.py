"""Resources: the cart's URL names it, each request says who asks, and a key makes it safe to ask again."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

from proxy.commands.comparing.state.shopping.conversation import Conversation, Deliver, Went, pieces, step_key
from proxy.commands.comparing.state.shopping.line import Answer

_IN_PROGRESS = "idempotency-in-progress"
_TRIES, _AGAIN = 8, 0.5


class ByUrl(Conversation):
    """No cookie: what the shop has to know stands in each request."""

    def __init__(self, deliver: Deliver) -> None:
        super().__init__(deliver)
        self._cart = ""
        self._name = ""
        self._credentials = ""
        self._version = 0
        self._changes: dict[str, Any] = {}
        """What each line offers for its change, as it was seen last: it names the state that was seen."""

    def said(self, target: str) -> list[tuple[str, str]]:
        if self._credentials and target.startswith(("/accounts/", "/orders/")):
            return [("Authorization", f"Basic {self._credentials}")]
        return []

    def named(self, target: str, content: bytes) -> int:
        name = self._cart.rpartition("/")[2]
        if not name:
            return 0
        return len(name) * ((name in target) + (name.encode() in content))

    async def add(self, sku: str, quantity: int) -> Went:
        target = f"{self._cart}/items" if self._cart else "/carts"
        answer = await self._once(target, {"sku": sku, "quantity": quantity})
        if answer.status == 201 and not self._cart:
            self._cart = answer.field("location")
        self._see(answer)
        return self.went(answer)

    async def _once(self, target: str, content: dict[str, Any]) -> Answer:
        """A request that happens once, however often it has to be sent.

        Where the replica that had begun it was killed, the others take it for under way for a while.
        """
        fields = step_key()
        answer = await self.ask("POST", target, content, fields)
        for _ in range(_TRIES):
            if answer.problem != _IN_PROGRESS:
                break
            await asyncio.sleep(_AGAIN)
            answer = await self.ask("POST", target, content, fields)
        return answer

    def _see(self, answer: Answer) -> None:
        """Remember what a shown cart says of its state."""
        document: Any = answer.document()
        if answer.status in (200, 201) and "version" in document:
            self._version = int(document["version"])
            self._changes = {one["sku"]: one["actions"]["change"] for one in document["items"]}

    async def cart(self) -> dict[str, int] | Went:
        if not self._cart:
            return {}
        answer = await self.ask("GET", self._cart)
        went = self.went(answer)
        if went is not Went.DONE:
            return went
        self._see(answer)
        return pieces(answer)

    async def change(self, sku: str, quantity: int) -> Went:
        if sku not in self._changes:
            shown = await self.cart()
            if not isinstance(shown, dict):
                return shown
            if sku not in shown:
                return Went.GONE
        change = self._changes.pop(sku)
        answer = await self.ask("PUT", change["href"], {"quantity": quantity}, change["headers"])
        if answer.status == 412 and self.repeated:  # by the first try, whose answer did not come
            shown = await self.cart()
            return Went.DONE if isinstance(shown, dict) and shown.get(sku) == quantity else Went.REFUSED
        if answer.status == 200:
            document: Any = answer.document()
            self._changes[sku] = document["actions"]["change"]
        return self.went(answer)

    async def log_in(self, name: str, password: str) -> Went:
        self._name = name
        self._credentials = b64encode(f"{name}:{password}".encode()).decode()
        return self.went(await self.ask("GET", f"/accounts/{name}"))

    async def order(self, reference: str) -> Went:
        content = {"cart": self._cart, "version": self._version, "reference": reference}
        return self.went(await self._once("/orders/", content))

    async def orders(self) -> list[str] | Went:
        return await self.listed(f"/accounts/{self._name}/orders")

    def leave(self) -> None:
        super().leave()
        self._cart = self._name = self._credentials = ""
        self._changes = {}
