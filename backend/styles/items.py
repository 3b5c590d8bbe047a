"""The `resources` style's items: each line of a cart is a resource with an entity tag, as JSON only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from backend import shop
from backend.catalogue import Product
from backend.intake import FORM_TYPE, JSON_TYPES, Quantity, submission
from backend.premises import Premises
from backend.problems import Problem
from backend.records.contract import StoredCart
from backend.representation import Terms, content, represent, require_match
from backend.shop import Cart
from backend.styles.carts import Carts, cart_url, item_tag, line_actions
from backend.views import Views

URL = "/carts/{cart}/items/{sku}"
TERMS = Terms("private, no-cache", vary="")
WITHOUT_VALIDATOR = Terms("private, no-cache", vary="", validators=False)

Headers = Mapping[str, str]


class Items:
    """The handlers of one line of a cart."""

    def __init__(self, premises: Premises, views: Views) -> None:
        self._premises = premises
        self._carts = Carts(premises)
        self._views = views

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get(URL, self.get),
            web.put(URL, self.put),
            web.patch(URL, self.patch),
            web.delete(URL, self.delete),
            web.post(URL, self.change_by_form),
        )

    async def get(self, request: web.Request) -> web.Response:
        return self._shown(request, await self._carts.named(request), self._product(request))

    async def put(self, request: web.Request) -> web.Response:
        """Creates a line, or replaces the one that If-Match names.

        The response has no ETag, because what is stored isn't the content as sent (RFC 9110 §9.3.4).
        """
        quantity = (await submission(request)).read(Quantity).quantity
        stored, product = await self._carts.named(request), self._product(request)
        status = 201

        def change(found: StoredCart) -> Cart:
            nonlocal status
            status = 200 if found.cart.quantity(product.sku) else 201
            return _replaced(found, product, quantity, request.headers)

        changed = await self._carts.update(stored, change)
        return self._shown(request, changed, product, WITHOUT_VALIDATOR, status=status)

    async def patch(self, request: web.Request) -> web.Response:
        """Changes the line that If-Match names, by a JSON merge patch (RFC 7396)."""
        quantity = (await submission(request, types=JSON_TYPES)).read(Quantity).quantity
        stored, product = await self._carts.named(request), self._product(request)

        def change(found: StoredCart) -> Cart:
            _require(found, product.sku)
            return _replaced(found, product, quantity, request.headers)

        return self._shown(request, await self._carts.update(stored, change), product)

    async def delete(self, request: web.Request) -> web.Response:
        """Removes a line, whatever its quantity; If-Match is heeded where it is sent."""
        stored, product = await self._carts.named(request), self._product(request)
        await self._carts.update(stored, lambda found: _removed(found, product, request.headers))
        return web.Response(status=204)

    async def change_by_form(self, request: web.Request) -> web.Response:
        """The same changes from an HTML form, whose content names the method and the tag."""
        sent = await submission(request, types=(FORM_TYPE,))
        stored, product = await self._carts.named(request), self._product(request)
        if sent.headers.get("method") == "DELETE":
            await self._carts.update(stored, lambda found: _removed(found, product, sent.headers))
        elif sent.headers.get("method") == "PUT":
            quantity = sent.read(Quantity).quantity
            await self._carts.update(stored, lambda found: _replaced(found, product, quantity, sent.headers))
        else:
            raise Problem("invalid-fields", "A form says _method=PUT or _method=DELETE.")
        return web.Response(status=303, headers={"Location": cart_url(stored), "Cache-Control": "no-store"})

    def _product(self, request: web.Request) -> Product:
        return self._premises.product(request.match_info["sku"])

    def _shown(
        self,
        request: web.Request,
        stored: StoredCart,
        product: Product,
        terms: Terms = TERMS,
        *,
        status: int = 200,
    ) -> web.Response:
        _require(stored, product.sku)
        item = shop.bill(stored.cart, self._premises.catalogue).item(product.sku)
        view = self._views.item(item, cart_url(stored), line_actions(stored, item))
        body, media_type = represent(view, html=False)
        entity_tag = item_tag(stored, product.sku)
        return content(request, body, media_type, terms, status=status, entity_tag=entity_tag)


def _require(stored: StoredCart, sku: str) -> None:
    if not stored.cart.quantity(sku):
        raise Problem("not-in-cart")


def _replaced(stored: StoredCart, product: Product, quantity: int, headers: Headers) -> Cart:
    """The cart with the line as wanted, if the preconditions hold (RFC 9110 §13.1, RFC 6585 §3)."""
    present = bool(stored.cart.quantity(product.sku))
    wanted = headers.get("If-Match")
    if present and headers.get("If-None-Match", "").strip() == "*":
        raise Problem("precondition-failed", "The cart has this line already.")
    if present and not wanted:
        raise Problem("precondition-required")
    if wanted and not present:
        raise Problem("precondition-failed", "The cart doesn't have this line.")
    if wanted:
        require_match(wanted, {item_tag(stored, product.sku)})
    return shop.change(stored.cart, product, quantity)


def _removed(stored: StoredCart, product: Product, headers: Headers) -> Cart:
    _require(stored, product.sku)
    if wanted := headers.get("If-Match"):
        require_match(wanted, {item_tag(stored, product.sku)})
    return shop.change(stored.cart, product, 0)
