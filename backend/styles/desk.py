"""The `resources` style's accounts and orders: for those who say in each request who they are (RFC 7617).

They are under /accounts/ and /orders/ so that browsers send credentials there and not with catalogue pages.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from aiohttp import web

from backend.accounts import HINT, Account, authenticate
from backend.hypermedia import Link
from backend.intake import CartAsSeen, page_number, submission
from backend.premises import Premises
from backend.problems import Problem
from backend.records.contract import Once, StoredCart, as_order
from backend.representation import Terms, answer, wants_html
from backend.shop import Order
from backend.styles.once import performing, read_key, request_once
from backend.views import Views

PRIVATE = Terms("private, no-cache", vary="Accept, Authorization")
CHALLENGE = ("WWW-Authenticate", 'Basic realm="Pane & Prism", charset="UTF-8"')
LEAVING = "Your browser sends your name and password itself. To log out, have it forget them: close it."


class Desk:
    """Accounts, and orders that are made from carts."""

    def __init__(self, premises: Premises, views: Views) -> None:
        self._premises = premises
        self._views = views

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/accounts/", self.find_account),
            web.get("/accounts/{name}", self.get_account),
            web.get("/accounts/{name}/orders", self.get_orders),
            web.post("/orders/", self.place_order),
            web.get("/orders/{id}", self.get_order),
        )

    async def find_account(self, request: web.Request) -> web.Response:
        """Sends customers on to their own account's URL."""
        account = _customer(request)
        headers = {"Location": _url(account), "Cache-Control": "private, no-store", "Vary": "Authorization"}
        return web.Response(status=303, headers=headers)

    async def get_account(self, request: web.Request) -> web.Response:
        account = _owner(request)
        links = {"self": Link(_url(account), "Your account"), "orders": _orders(account)}
        return answer(request, self._views.account(account, links, {"note": LEAVING}), PRIVATE)

    async def get_orders(self, request: web.Request) -> web.Response:
        account, page = _owner(request), page_number(request)
        orders, more = await self._premises.records.orders(account.name, page)
        return answer(request, self._views.orders(orders, _orders(account).href, page, more), PRIVATE)

    async def get_order(self, request: web.Request) -> web.Response:
        account = _customer(request)
        order = await self._premises.records.order(request.match_info["id"], account.name)
        if order is None:
            raise Problem("no-such-order")
        return answer(request, self._views.order(order, {"orders": _orders(account)}), PRIVATE)

    async def place_order(self, request: web.Request) -> web.Response:
        """Makes an order of a cart as it was seen, and empties the cart.

        The same Idempotency-Key from the same customer for the same cart gives the same order again.
        """
        sent = await submission(request)
        account = _customer(request)
        key = read_key(sent.headers)
        if key is None:
            raise Problem("idempotency-key-missing")
        seen = sent.read(CartAsSeen)
        once = request_once(f"order {account.name}", key, seen)
        async with performing(self._premises, once) as earlier:
            order = as_order(earlier) if earlier else await self._place(account, seen, once)
        location = ("Location", f"/orders/{order.id}")
        if wants_html(request):
            return web.Response(status=303, headers=[location, ("Cache-Control", "no-store")])
        view = self._views.order(order, {"orders": _orders(account)})
        return answer(request, view, PRIVATE, status=201, headers=[location])

    async def _place(self, account: Account, seen: CartAsSeen, once: Once | None) -> Order:
        stored = await self._cart(seen)
        order = self._premises.new_order(account, stored.cart, seen.reference)
        return await self._premises.records.place(order, once=once, emptied=stored)

    async def _cart(self, seen: CartAsSeen) -> StoredCart:
        records = self._premises.records
        stored = await records.cart(seen.cart.removeprefix("/carts/"), self._premises.clock())
        if stored is None:
            raise Problem("invalid-fields", "No cart has the URL that `cart` names.")
        if stored.version != seen.version:
            raise Problem("cart-changed", link=Link(f"/carts/{stored.id}", "See the cart"))
        return stored


def _customer(request: web.Request) -> Account:
    """Who the request says it is from; raises Problem("credentials-needed") with a challenge (RFC 7617)."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    name, _, password = text.partition(":")
    account = authenticate(name, password) if scheme.lower() == "basic" else None
    if account is None:
        raise Problem("credentials-needed", HINT, headers=[CHALLENGE])
    return account


def _owner(request: web.Request) -> Account:
    """The customer, if the URL is their account's; another one's account is as good as not there."""
    account = _customer(request)
    if request.match_info["name"] != account.name:
        raise Problem("not-found")
    return account


def _url(account: Account) -> str:
    return f"/accounts/{account.name}"


def _orders(account: Account) -> Link:
    return Link(f"{_url(account)}/orders", "Your orders")
