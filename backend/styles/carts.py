"""The `resources` style's carts as they are kept: found by URL, changed without losing anybody's change."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from backend.hypermedia import Action, Field
from backend.premises import Premises
from backend.problems import Problem
from backend.records import StoredCart
from backend.representation import tag
from backend.shop import Cart, Item
from backend.views import PIECES


class Carts:
    """Finds and changes stored carts."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def find(self, cart_id: str) -> StoredCart | None:
        return self._premises.records.cart(cart_id, self._premises.clock()) if cart_id else None

    def named(self, request: web.Request) -> StoredCart:
        """The cart that the request's URL names; raises Problem("no-such-cart")."""
        stored = self.find(request.match_info["cart"])
        if stored is None:
            raise Problem("no-such-cart")
        return stored

    def create(self, cart_id: str, cart: Cart) -> StoredCart:
        return self._premises.records.new_cart(cart_id, cart, self._premises.clock())

    def update(self, stored: StoredCart, change: Callable[[StoredCart], Cart]) -> StoredCart:
        """The cart as `change` makes it.

        Where another process was faster, `change` is asked again about what that one left, so it must check
        each time whatever it depends on.
        """
        while True:
            changed = self._premises.records.change_cart(stored, change(stored), self._premises.clock())
            if changed:
                return changed
            stored = self._again(stored)

    def drop(self, stored: StoredCart, check: Callable[[StoredCart], None]) -> None:
        """Deletes the cart; `check` is asked first, and again where another process was faster."""
        while True:
            check(stored)
            if self._premises.records.drop_cart(stored):
                return
            stored = self._again(stored)

    def _again(self, stored: StoredCart) -> StoredCart:
        found = self.find(stored.id)
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
