"""`resources`: whatever a shopper does becomes a resource with a URL of its own.

A cart is what its URL names, whoever asks: the URL is unguessable, and knowing it is the right to use it.
Who a customer is, each request says itself (HTTP authentication, RFC 7617). So any message can be
understood from itself, any replica with the same records can answer it, and pages that aren't about
anybody are for everybody.

A browser without scripts has no place to keep a cart's URL. For it alone, `POST /carts` by form remembers
the cart in a cookie that is limited to /carts: a bookmark, no session. No catalogue URL ever gets it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from functools import partial

from aiohttp import web

from backend import shop
from backend.catalogue import Product
from backend.cookies import set_cookie
from backend.hypermedia import Action, Field, Link, View
from backend.intake import FORM_TYPE, JSON_TYPES, Choice, Quantity, submission
from backend.problems import Problem
from backend.records import CART_LIFETIME, StoredCart
from backend.representation import Terms, answer, content, represent, require_match, tag, tags_of, wants_html
from backend.shop import Cart, Item
from backend.styles.contract import Style
from backend.styles.desk import Desk
from backend.views import PIECES, Menu

COOKIE = "cart"
PRIVATE = Terms("private, no-cache")
BOOKMARK = Terms("private, no-store", vary="Accept, Cookie", validators=False)
ITEM = Terms("private, no-cache", vary="")
CREATE = Action("Take a cart", "POST", "/carts")
NO_CART = "You have no cart yet: the first thing that you add to one makes it."


class Resources(Style):
    """Carts and their items; the desk has accounts and orders."""

    name = "resources"
    summary = (
        "State is in resources with URLs of their own; each message says which one it means, and who asks."
    )
    about = (
        "Your cart is a resource: POST /carts makes one, its URL names it, and with that URL any replica "
        "that has the shop's records can show or change it. Its entity tag says which state you saw, so "
        "nobody's change is lost (If-Match). Who you are, your requests to accounts and orders say "
        "themselves (HTTP Basic authentication); the server remembers no conversation with you, and "
        "logging out is forgetting your password. An order is placed with an Idempotency-Key, so a retry "
        "can't order twice. Pages that aren't about you say the same to everyone, with validators and "
        "lifetimes, and can be shared by caches. A browser without scripts can't keep a cart's URL: for "
        "it, the shop's forms leave a bookmark in a cookie that goes to /carts only."
    )
    menu = Menu(
        {"cart": Link("/carts", "Your cart"), "account": Link("/accounts/", "Your account")},
        {"create-cart": CREATE},
    )

    def show(self, request: web.Request, view: View, terms: Terms) -> web.Response:
        return answer(request, view, terms)

    def add_to_cart(self, product: Product) -> Action:
        return Action(
            "Add to cart", "POST", "/carts", (Field("sku", type="hidden", value=product.sku), PIECES)
        )

    def routes(self) -> Sequence[web.RouteDef]:
        item = "/carts/{cart}/items/{sku}"
        return (
            web.get("/carts", self.get_bookmark),
            web.post("/carts", self.create_cart),
            web.get("/carts/{cart}", self.get_cart),
            web.delete("/carts/{cart}", self.delete_cart),
            web.post("/carts/{cart}/items", self.add_item),
            web.get(item, self.get_item),
            web.put(item, self.put_item),
            web.patch(item, self.patch_item),
            web.delete(item, self.delete_item),
            web.post(item, self.change_by_form),
            *Desk(self.premises, self.views).routes(),
        )

    async def get_bookmark(self, request: web.Request) -> web.Response:
        stored = self._find(request.cookies.get(COOKIE, ""))
        if stored is None:
            view = self.views.view("no-cart", "Your cart", {"note": NO_CART}, actions={"create-cart": CREATE})
            return answer(request, view, BOOKMARK)
        return web.Response(
            status=303,
            headers={
                "Location": _url(stored),
                "Cache-Control": "private, no-store",
                "Vary": "Accept, Cookie",
            },
        )

    async def create_cart(self, request: web.Request) -> web.Response:
        """A new cart, with a first line if one is named; a form's line goes to the bookmarked cart if any."""
        sent = await submission(request)
        choice = sent.read(Choice) if sent.fields else None
        bookmarked = self._find(request.cookies.get(COOKIE, "")) if sent.by_form else None
        if bookmarked and choice:
            return self._shown(request, self._add(bookmarked, choice))
        cart = self._with(Cart(), choice) if choice else Cart()
        stored = self.premises.records.new_cart(secrets.token_urlsafe(16), cart, self.premises.clock())
        response = self._shown(request, stored, created=True)
        if sent.by_form:
            response.headers.add(*set_cookie(COOKIE, stored.id, path="/carts", max_age=int(CART_LIFETIME)))
        return response

    async def get_cart(self, request: web.Request) -> web.Response:
        return answer(request, self._view(self._cart(request)), PRIVATE)

    async def delete_cart(self, request: web.Request) -> web.Response:
        stored = self._cart(request)
        if wanted := request.headers.get("If-Match"):
            require_match(wanted, tags_of(self._view(stored)))
        if not self.premises.records.drop_cart(stored):
            raise Problem("precondition-failed")
        return web.Response(status=204)

    async def add_item(self, request: web.Request) -> web.Response:
        """Adds pieces to a line. What is added is added to whatever is there, so no If-Match is needed."""
        choice = (await submission(request)).read(Choice)
        return self._shown(request, self._add(self._cart(request), choice))

    async def get_item(self, request: web.Request) -> web.Response:
        stored, product = self._cart(request), self._product(request)
        return self._item_response(request, stored, product, entity_tag=_item_tag(stored, product.sku))

    async def put_item(self, request: web.Request) -> web.Response:
        """Creates a line, or replaces the one that If-Match names.

        The response has no ETag, because what is stored isn't the content as sent (RFC 9110 §9.3.4).
        """
        quantity = (await submission(request)).read(Quantity).quantity
        stored, product = self._cart(request), self._product(request)
        created = not stored.cart.quantity(product.sku)
        stored = self._replace(stored, product, quantity, request.headers)
        return self._item_response(request, stored, product, status=201 if created else 200)

    async def patch_item(self, request: web.Request) -> web.Response:
        """Changes the line that If-Match names, by a JSON merge patch (RFC 7396)."""
        patch = (await submission(request, types=JSON_TYPES)).read(Quantity)
        stored, product = self._cart(request), self._product(request)
        _existing(stored, product.sku)
        stored = self._replace(stored, product, patch.quantity, request.headers)
        return self._item_response(request, stored, product, entity_tag=_item_tag(stored, product.sku))

    async def delete_item(self, request: web.Request) -> web.Response:
        """Removes a line, whatever its quantity; If-Match is heeded where it is sent."""
        self._remove(self._cart(request), self._product(request), request.headers)
        return web.Response(status=204)

    async def change_by_form(self, request: web.Request) -> web.Response:
        """The same changes from an HTML form, whose content names the method and the tag."""
        sent = await submission(request, types=(FORM_TYPE,))
        stored, product = self._cart(request), self._product(request)
        if sent.headers.get("method") == "DELETE":
            self._remove(stored, product, sent.headers)
        elif sent.headers.get("method") == "PUT":
            self._replace(stored, product, sent.read(Quantity).quantity, sent.headers)
        else:
            raise Problem("invalid-fields", "A form says _method=PUT or _method=DELETE.")
        return web.Response(status=303, headers={"Location": _url(stored), "Cache-Control": "no-store"})

    def _find(self, cart_id: str) -> StoredCart | None:
        return self.premises.records.cart(cart_id, self.premises.clock()) if cart_id else None

    def _cart(self, request: web.Request) -> StoredCart:
        stored = self._find(request.match_info["cart"])
        if stored is None:
            raise Problem("no-such-cart")
        return stored

    def _product(self, request: web.Request) -> Product:
        return self.premises.product(request.match_info["sku"])

    def _with(self, cart: Cart, choice: Choice) -> Cart:
        return shop.add(cart, self.premises.product(choice.sku, otherwise="unknown-product"), choice.quantity)

    def _add(self, stored: StoredCart, choice: Choice) -> StoredCart:
        """Adding commutes with other changes, so it is tried again where another one was faster."""
        while True:
            changed = self.premises.records.change_cart(
                stored, self._with(stored.cart, choice), self.premises.clock()
            )
            if changed:
                return changed
            again = self._find(stored.id)
            if again is None:
                raise Problem("no-such-cart")
            stored = again

    def _replace(
        self, stored: StoredCart, product: Product, quantity: int, headers: Mapping[str, str]
    ) -> StoredCart:
        present = bool(stored.cart.quantity(product.sku))
        wanted = headers.get("If-Match")
        if present and headers.get("If-None-Match", "").strip() == "*":
            raise Problem("precondition-failed", "The cart has this line already.")
        if present and not wanted:
            raise Problem("precondition-required")
        if wanted:
            require_match(wanted, {_item_tag(stored, product.sku)} if present else set())
            if not present:
                raise Problem("precondition-failed")
        return self._changed(stored, shop.change(stored.cart, product, quantity))

    def _remove(self, stored: StoredCart, product: Product, headers: Mapping[str, str]) -> None:
        _existing(stored, product.sku)
        if wanted := headers.get("If-Match"):
            require_match(wanted, {_item_tag(stored, product.sku)})
        self._changed(stored, shop.change(stored.cart, product, 0))

    def _changed(self, stored: StoredCart, cart: Cart) -> StoredCart:
        changed = self.premises.records.change_cart(stored, cart, self.premises.clock())
        if changed is None:
            raise Problem("precondition-failed", "Somebody else changed the cart at the same moment.")
        return changed

    def _shown(self, request: web.Request, stored: StoredCart, *, created: bool = False) -> web.Response:
        url = _url(stored)
        if wants_html(request):
            return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
        headers = [("Location" if created else "Content-Location", url)]
        return answer(request, self._view(stored), PRIVATE, status=201 if created else 200, headers=headers)

    def _view(self, stored: StoredCart) -> View:
        url = _url(stored)
        actions = {"place-order": _place_order(stored), "discard": Action("Discard", "DELETE", url)}
        lines = partial(_line_actions, stored)
        return self.views.cart(stored.cart, url, lines, actions, {"version": stored.version})

    def _item_response(
        self,
        request: web.Request,
        stored: StoredCart,
        product: Product,
        *,
        status: int = 200,
        entity_tag: str = "",
    ) -> web.Response:
        _existing(stored, product.sku)
        item = shop.bill(stored.cart, self.premises.catalogue).item(product.sku)
        view = self.views.item(item, _url(stored), _line_actions(stored, item))
        body, media_type = represent(view, html=False)
        terms = ITEM if entity_tag else Terms(ITEM.cache_control, vary="", validators=False)
        return content(request, body, media_type, terms, status=status, entity_tag=entity_tag)


def _url(stored: StoredCart) -> str:
    return f"/carts/{stored.id}"


def _existing(stored: StoredCart, sku: str) -> None:
    if not stored.cart.quantity(sku):
        raise Problem("not-in-cart")


def _item_tag(stored: StoredCart, sku: str) -> str:
    """A line's entity tag: its representation is made from exactly these."""
    return tag(stored.id.encode(), sku.encode(), str(stored.cart.quantity(sku)).encode())


def _line_actions(stored: StoredCart, item: Item) -> dict[str, Action]:
    href = f"{_url(stored)}/items/{item.sku}"
    headers = {"If-Match": _item_tag(stored, item.sku)}
    field = Field("quantity", "number", PIECES.label, item.quantity, PIECES.min, PIECES.max)
    return {
        "change": Action("Change", "PUT", href, (field,), headers),
        "remove": Action("Remove", "DELETE", href, (), headers),
    }


def _place_order(stored: StoredCart) -> Action:
    """Ordering this cart in this state; clients may send an Idempotency-Key of their own instead."""
    fields = (
        Field("cart", type="hidden", value=_url(stored)),
        Field("version", type="hidden", value=stored.version),
    )
    key = {"Idempotency-Key": f'"{stored.id}.{stored.version}"'}
    return Action("Place the order", "POST", "/orders/", fields, key)
