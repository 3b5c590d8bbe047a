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
from collections.abc import Sequence
from functools import partial

from aiohttp import web

from backend import shop
from backend.catalogue import Product
from backend.cookies import set_cookie
from backend.hypermedia import Action, Field, Link, View
from backend.intake import Choice, submission
from backend.premises import Premises
from backend.problems import Problem
from backend.records.contract import CART_LIFETIME, Once, StoredCart, as_cart
from backend.representation import Terms, answer, require_match, tags_of, wants_html
from backend.shop import EMPTY, Cart, Line
from backend.styles.carts import Carts, cart_url, line_actions
from backend.styles.contract import Style
from backend.styles.desk import Desk
from backend.styles.items import Items
from backend.styles.once import UNGUESSABLE, performing, read_key, request_once
from backend.views import PIECES, REFERENCE, Menu

COOKIE = "cart"
PRIVATE = Terms("private, no-cache")
BOOKMARK = Terms("private, no-store", vary="Accept, Cookie", validators=False)
CREATE = Action("Take a cart", "POST", "/carts")
NO_CART = "You have no cart yet: the first thing that you add to one makes it."


class Resources(Style):
    """Carts; their lines, and accounts with orders, are in files of their own."""

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

    def __init__(self, premises: Premises) -> None:
        super().__init__(premises)
        self._carts = Carts(premises)

    async def show(self, request: web.Request, view: View, terms: Terms) -> web.Response:
        return answer(request, view, terms)

    def add_to_cart(self, product: Product) -> Action:
        return Action(
            "Add to cart", "POST", "/carts", (Field("sku", type="hidden", value=product.sku), PIECES)
        )

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/carts", self.get_bookmark),
            web.post("/carts", self.create_cart),
            web.get("/carts/{cart}", self.get_cart),
            web.delete("/carts/{cart}", self.delete_cart),
            web.post("/carts/{cart}/items", self.add_item),
            *Items(self.premises, self.views).routes(),
            *Desk(self.premises, self.views).routes(),
        )

    async def get_bookmark(self, request: web.Request) -> web.Response:
        """Leads a browser to the cart that its bookmark names."""
        stored = await self._carts.find(request.cookies.get(COOKIE, ""))
        if stored is None:
            view = self.views.view("no-cart", "Your cart", {"note": NO_CART}, actions={"create-cart": CREATE})
            return answer(request, view, BOOKMARK)
        headers = {
            "Location": cart_url(stored),
            "Cache-Control": "private, no-store",
            "Vary": BOOKMARK.vary,
        }
        return web.Response(status=303, headers=headers)

    async def create_cart(self, request: web.Request) -> web.Response:
        """A new cart, with a first line if one is named; a form's line goes to the bookmarked cart if any."""
        sent = await submission(request)
        choice = sent.read(Choice) if sent.fields else None
        bookmarked = await self._carts.find(request.cookies.get(COOKIE, "")) if sent.by_form else None
        if bookmarked and choice:
            return self._shown(request, await self._add(bookmarked, choice))
        key = read_key(sent.headers)
        if key is not None and len(key) < UNGUESSABLE:
            raise Problem("idempotency-key-weak")
        once = request_once("carts", key, choice)
        async with performing(self.premises, once) as earlier:
            cart = self._with(EMPTY, choice) if choice else EMPTY
            name = secrets.token_urlsafe(16)
            stored = as_cart(earlier) if earlier else await self._carts.create(name, cart, once)
        response = self._shown(request, stored, created=True)
        if sent.by_form:
            response.headers.add(*set_cookie(COOKIE, stored.id, path="/carts", max_age=int(CART_LIFETIME)))
        return response

    async def get_cart(self, request: web.Request) -> web.Response:
        return answer(request, self._view(await self._carts.named(request)), PRIVATE)

    async def delete_cart(self, request: web.Request) -> web.Response:
        """Discards the cart, whatever is in it; If-Match is heeded where it is sent."""
        wanted = request.headers.get("If-Match")

        def check(stored: StoredCart) -> None:
            if wanted:
                require_match(wanted, tags_of(self._view(stored)))

        await self._carts.drop(await self._carts.named(request), check)
        return web.Response(status=204)

    async def add_item(self, request: web.Request) -> web.Response:
        """Adds pieces to a line. What is added is added to whatever is there, so no If-Match is needed.

        It isn't idempotent, so a client that means to try again sends an Idempotency-Key.
        """
        sent = await submission(request)
        choice = sent.read(Choice)
        stored = await self._carts.named(request)
        once = request_once(f"cart {stored.id}", read_key(sent.headers), choice)
        async with performing(self.premises, once) as earlier:
            changed = as_cart(earlier) if earlier else await self._add(stored, choice, once)
        return self._shown(request, changed)

    async def _add(self, stored: StoredCart, choice: Choice, once: Once | None = None) -> StoredCart:
        return await self._carts.update(stored, lambda found: self._with(found.cart, choice), once)

    def _with(self, cart: Cart, choice: Choice) -> Cart:
        return shop.add(cart, self.premises.product(choice.sku, otherwise="unknown-product"), choice.quantity)

    async def fill(self, count: int) -> None:
        """Keeps so many small carts, as if their shoppers had been here."""
        lines = tuple(Line(each.sku, 1) for each in self.premises.catalogue.products[:3])
        for _ in range(count):
            await self._carts.create(secrets.token_urlsafe(16), Cart(lines))

    def _shown(self, request: web.Request, stored: StoredCart, *, created: bool = False) -> web.Response:
        url = cart_url(stored)
        if wants_html(request):
            return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
        headers = [("Location" if created else "Content-Location", url)]
        return answer(request, self._view(stored), PRIVATE, status=201 if created else 200, headers=headers)

    def _view(self, stored: StoredCart) -> View:
        url = cart_url(stored)
        actions = {"place-order": _place_order(stored), "discard": Action("Discard", "DELETE", url)}
        lines = partial(line_actions, stored)
        return self.views.cart(stored.cart, url, lines, actions, {"version": stored.version})


def _place_order(stored: StoredCart) -> Action:
    """Ordering this cart in this state; clients may send an Idempotency-Key of their own instead."""
    fields = (
        Field("cart", type="hidden", value=cart_url(stored)),
        Field("version", type="hidden", value=stored.version),
        REFERENCE,
    )
    key = {"Idempotency-Key": f'"{stored.id}.{stored.version}"'}
    return Action("Place the order", "POST", "/orders/", fields, key)
