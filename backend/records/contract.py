"""What every book of records can do, whether it lives in this process, in a file or in a shared store.

An order is what the shop must remember to do its work, not a conversation with a client: every style
records its orders here. Each change is one step that happens wholly or not at all, whoever is killed when.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import msgspec

from backend.problems import Problem
from backend.shop import Cart, Line, Order

CART_LIFETIME = 86_400.0
"""How long an untouched cart is kept, in seconds; a key that isn't an order's is kept as long."""
LEASE = 2.0
"""For how many seconds a request that has begun keeps others with its key waiting."""
PAGE = 50
"""How many orders are on one page."""


@dataclass(frozen=True, slots=True)
class StoredCart:
    """A cart with a URL; `version` counts its changes."""

    id: str
    version: int
    cart: Cart


@dataclass(frozen=True, slots=True)
class Once:
    """A request that must happen once: its key with whatever bounds it, and a digest of its content."""

    key: str
    fingerprint: str


class Records(ABC):
    """`now` is in seconds since 1970. Every method may raise Problem("store-unavailable").

    Whatever takes a `once` does nothing where that was done before, and gives what it gave then. It raises
    Problem("idempotency-key-reused") where the key stands for other content.
    """

    where: str
    """Where the records are, as it may be shown: without credentials."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    async def belong_to(self, shop: str) -> str:
        """Marks new records as this shop's; gives whose they are."""

    @abstractmethod
    async def cart(self, cart_id: str, now: float) -> StoredCart | None: ...

    @abstractmethod
    async def new_cart(
        self, cart_id: str, cart: Cart, now: float, once: Once | None = None
    ) -> StoredCart: ...

    @abstractmethod
    async def change_cart(
        self, stored: StoredCart, cart: Cart, now: float, once: Once | None = None
    ) -> StoredCart | None:
        """Replaces the cart if it still has the version given; None where somebody else was faster."""

    @abstractmethod
    async def drop_cart(self, stored: StoredCart) -> bool:
        """Deletes the cart if it still has the version given; says whether it had."""

    @abstractmethod
    async def begin(self, once: Once, now: float) -> bytes | None:
        """What the request gave when it happened (for `as_cart` or `as_order`), None if it may go on now.

        Raises Problem("idempotency-in-progress") where another one with the key began less than LEASE ago
        and has not ended, and Problem("idempotency-key-reused"). That a request happens only once doesn't
        hang on this: what changes something looks at the key again in the same step.
        """

    @abstractmethod
    async def give_up(self, once: Once) -> None:
        """The request has failed: the next one with its key needn't wait."""

    @abstractmethod
    async def order(self, order_id: str, account: str) -> Order | None:
        """The order, if it is this account's."""

    @abstractmethod
    async def orders(self, account: str, page: int = 1) -> tuple[tuple[Order, ...], bool]:
        """PAGE of the account's orders, newest first, and whether there are older ones."""

    @abstractmethod
    async def every_order(self, first: int, most: int) -> tuple[Order, ...]:
        """At most so many of everybody's orders from the one at this place on, oldest first, from 0."""

    @abstractmethod
    async def place(
        self, order: Order, *, once: Once | None = None, emptied: StoredCart | None = None
    ) -> Order:
        """Records the order and empties its cart in one step; the earlier order where the key was used.

        Raises Problem("cart-changed") where the cart no longer has its version.
        """

    @abstractmethod
    async def held(self) -> tuple[int, int]:
        """How many carts and orders are held by this very process, in its memory or its file."""


def blob(cart: Cart) -> bytes:
    """A cart's lines as they are stored."""
    return msgspec.json.encode([(line.sku, line.quantity) for line in cart.lines])


def lines(stored: bytes) -> Cart:
    """The reverse of `blob`."""
    pairs = msgspec.json.decode(stored, type=list[tuple[str, int]])
    return Cart(tuple(Line(sku, quantity) for sku, quantity in pairs))


def written(result: StoredCart | Order) -> bytes:
    """What a request gave, as it is kept with its key."""
    return msgspec.json.encode(result)


def as_cart(result: bytes) -> StoredCart:
    return msgspec.json.decode(result, type=StoredCart)


def as_order(result: bytes) -> Order:
    return msgspec.json.decode(result, type=Order)


def check(kept: str, once: Once) -> None:
    """Raises Problem("idempotency-key-reused") where the key was kept with another fingerprint."""
    if kept != once.fingerprint:
        raise Problem("idempotency-key-reused")


def in_progress() -> Problem:
    return Problem("idempotency-in-progress", headers=[("Retry-After", "1")])


def unavailable() -> Problem:
    """The store can't be asked just now; which one it is, is nobody's business."""
    return Problem("store-unavailable", headers=[("Retry-After", "1")])
