"""The `resources` style's carts as they are kept: found by URL, changed without losing anybody's change."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from backend.hypermedia import Action, Field
from backend.premises import Premises
from backend.problems import Problem
from backend.records.contract import Once, StoredCart
from backend.representation import tag
from backend.shop import Cart, Item
from backend.views import PIECES


class Carts:
    """Finds and changes stored carts."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    async def find(self, cart_id: str) -> StoredCart | None:
        return await self._premises.records.cart(cart_id, self._premises.clock()) if cart_id else None

    async def named(self, request: web.Request) -> StoredCart:
        """The cart that the request's URL names; raises Problem("no-such-cart")."""
        stored = await self.find(request.match_info["cart"])
        if stored is None:
            raise Problem("no-such-cart")
        return stored

    async def create(self, cart_id: str, cart: Cart, once: Once | None = None) -> StoredCart:
        return await self._premises.records.new_cart(cart_id, cart, self._premises.clock(), once)

    async def update(
        self, stored: StoredCart, change: Callable[[StoredCart], Cart], once: Once | None = None
    ) -> StoredCart:
        """The cart as `change` makes it, or as it was made when `once` happened before.

        Where another process was faster, `change` is asked again about what that one left, so it must check
        each time whatever it depends on.
        """
        while True:
            changed = await self._premises.records.change_cart(
                stored, change(stored), self._premises.clock(), once
            )
            if changed:
                return changed
            stored = await self._again(stored)

    async def drop(self, stored: StoredCart, check: Callable[[StoredCart], None]) -> None:
        """Deletes the cart; `check` is asked first, and again where another process was faster."""
        while True:
            check(stored)
            if await self._premises.records.drop_cart(stored):
                return
            stored = await self._again(stored)

    async def _again(self, stored: StoredCart) -> StoredCart:
        found = await self.find(stored.id)
        if found is None:
            raise Problem("no-such-cart")
        return found


def cart_url(stored: StoredCart) -> str:
    return f"/carts/{stored.id}"


def item_tag(stored: StoredCart, sku: str) -> str:
    """A line's entity tag: its representation is made from exactly these."""
    return tag(stored.id.encode(), sku.encode(), str(stored.cart.quantity(sku)).encode())


def line_actions(stored: StoredCart, item: Item) -> dict[str, Action]:
    """What can be done with a line, for those who saw it as it is now."""
    href = f"{cart_url(stored)}/items/{item.sku}"
    headers = {"If-Match": item_tag(stored, item.sku)}
    field = Field("quantity", "number", PIECES.label, item.quantity, PIECES.min, PIECES.max)
    return {
        "change": Action("Change", "PUT", href, (field,), headers),
        "remove": Action("Remove", "DELETE", href, (), headers),
    }
