"""How a shopper does each thing it wants: what all styles have in common, and what each has to say."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto
from typing import Any
from urllib.parse import quote_plus

import msgspec

from proxy.commands.comparing.state.shopping.line import Answer, Message

Deliver = Callable[[Callable[[], Message], Callable[[Answer], None]], Awaitable[Answer]]
"""Sends what the first makes, again where that failed, and shows each whole answer to the second."""


class Went(Enum):
    """What became of a step."""

    DONE = auto()
    REFUSED = auto()
    GONE = auto()
    """The shop doesn't know the cart, or who this is."""
    STRANGER = auto()
    """Nobody is logged in."""
    GIVEN_UP = auto()


class Conversation(ABC):
    """One shopper's side of it. Cookies are kept as any user agent keeps them."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._seen: set[str] = set()
        self.jar: dict[str, str] = {}
        self.repeated = False
        """Whether the last step had to be asked for more than once."""
        self.problem = ""

    async def ask(
        self, method: str, target: str, content: Any = None, fields: Mapping[str, str] | None = None
    ) -> Answer:
        """One request, repeated where it fails."""
        tries = 0
        body = msgspec.json.encode(content) if content is not None else b""

        def make() -> Message:
            nonlocal tries
            tries += 1
            said = [*self.said(target), *(fields or {}).items()]
            if self.jar:
                said.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.jar.items())))
            state = sum(len(name) + len(value) + 4 for name, value in said) + self.named(target, body)
            return Message(method, target, said, body, state)

        answer = await self._deliver(make, self._take)
        self.repeated = tries > 1
        self.problem = answer.problem
        return answer

    def _take(self, answer: Answer) -> None:
        for name, value in answer.cookies().items():
            if value:
                self.jar[name] = value
            else:
                self.jar.pop(name, None)

    # What isn't about anybody, the same in every style.

    async def enter(self) -> Went:
        """See the entrance."""
        return self.went(await self.ask("GET", "/"))

    async def browse(self, page: int) -> Went:
        """See a page of the catalogue."""
        return self.went(await self.ask("GET", f"/catalogue?page={page}" if page > 1 else "/catalogue"))

    async def search(self, words: str) -> Went:
        """See what a search finds."""
        return self.went(await self.ask("GET", f"/search?q={quote_plus(words)}"))

    async def look(self, sku: str) -> bool | None:
        """See a product: whether it can be had, None where it can't be seen."""
        answer = await self.ask("GET", f"/products/{sku}")
        if answer.status != 200:
            return None
        document = answer.document()
        await self.ask("GET", f"/products/{sku}/offer")
        picture = str(document.get("picture") or "")
        if picture and picture not in self._seen:
            self._seen.add(picture)
            await self.ask("GET", picture)
        return bool(document.get("in_stock"))

    # What is about this shopper.

    def said(self, target: str) -> list[tuple[str, str]]:
        """The fields by which a request says who is asking."""
        return []

    def named(self, target: str, content: bytes) -> int:
        """How many bytes of target and content are there to name the shopper's state."""
        return 0

    @abstractmethod
    async def add(self, sku: str, quantity: int) -> Went:
        """Put a product into the cart."""

    @abstractmethod
    async def cart(self) -> dict[str, int] | Went:
        """What is in the cart: pieces by product. GONE where there is none of that name."""

    @abstractmethod
    async def change(self, sku: str, quantity: int) -> Went:
        """Have so many pieces of what is in the cart."""

    @abstractmethod
    async def log_in(self, name: str, password: str) -> Went:
        """Say who this is."""

    @abstractmethod
    async def order(self, reference: str) -> Went:
        """Order what is in the cart."""

    @abstractmethod
    async def orders(self) -> list[str] | Went:
        """The references of all of this customer's orders."""

    def leave(self) -> None:
        """Go, and come back as somebody whom the shop doesn't know."""
        self.jar.clear()

    def went(self, answer: Answer) -> Went:
        """What an answer means for a step."""
        if answer.failure:
            return Went.GIVEN_UP
        if 200 <= answer.status < 300:
            return Went.DONE
        if answer.problem in ("session-unknown", "no-such-cart", "token-forged", "token-expired"):
            return Went.GONE
        if answer.problem in ("log-in-first", "credentials-needed"):
            return Went.STRANGER
        return Went.REFUSED

    async def listed(self, target: str) -> list[str] | Went:
        """The references in a list of orders, page after page."""
        found: list[str] = []
        while target:
            answer = await self.ask("GET", target)
            if self.went(answer) is not Went.DONE:
                return self.went(answer)
            document: Any = answer.document()
            found += [str(one.get("reference", "")) for one in document["orders"]]
            target = document.get("links", {}).get("next", {}).get("href", "")
        return found


def pieces(answer: Answer) -> dict[str, int]:
    """What a shown cart holds."""
    document: Any = answer.document()
    return {str(one["sku"]): int(one["quantity"]) for one in document.get("items", ())}


def step_key() -> dict[str, str]:
    """The field that stands for one step, however often that has to be asked for."""
    return {"Idempotency-Key": f'"{secrets.token_hex(16)}"'}
