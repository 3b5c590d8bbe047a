"""The `resources` style's accounts and orders: for those who say in each request who they are (RFC 7617).

They are under /accounts/ and /orders/ so that browsers send credentials there and not with catalogue pages.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from hashlib import sha256

from aiohttp import web

from backend import shop
from backend.accounts import HINT, Account, authenticate
from backend.hypermedia import Link
from backend.intake import CartAsSeen, submission
from backend.premises import Premises
from backend.problems import Problem
from backend.records import StoredCart
from backend.representation import Terms, answer, wants_html
from backend.shop import Order
from backend.views import Views

PRIVATE = Terms("private, no-cache", vary="Accept, Authorization")
CHALLENGE = ("WWW-Authenticate", 'Basic realm="Pane & Prism", charset="UTF-8"')
KEY = re.compile(r'"((?:[ !\x23-\x5b\x5d-\x7e]|\\["\\]){1,128})"|([!\x23-\x5b\x5d-\x7e]{1,128})')
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
        account = _owner(request)
        orders = self._premises.records.orders(account.name)
        return answer(request, self._views.orders(orders, {"self": _orders(account)}), PRIVATE)

    async def get_order(self, request: web.Request) -> web.Response:
        account = _customer(request)
        order = self._premises.records.order(request.match_info["id"], account.name)
        if order is None:
            raise Problem("no-such-order")
        return answer(request, self._views.order(order, {"orders": _orders(account)}), PRIVATE)

    async def place_order(self, request: web.Request) -> web.Response:
        """Makes an order of a cart as it was seen, and empties the cart.

        The same Idempotency-Key from the same customer for the same cart gives the same order again.
        """
        sent = await submission(request)
        account = _customer(request)
        key = f"{account.name} {_key(sent.headers.get('Idempotency-Key', ''))}"
        seen = sent.read(CartAsSeen)
        fingerprint = sha256(f"{seen.cart} {seen.version}".encode("utf-8", "surrogatepass")).hexdigest()
        order = self._premises.records.earlier(key, fingerprint)
        if order is None:
            stored = self._cart(seen)
            order = self._premises.records.place(
                self._order(account, stored), key=key, fingerprint=fingerprint, emptied=stored
            )
        location = ("Location", f"/orders/{order.id}")
        if wants_html(request):
            return web.Response(status=303, headers=[location, ("Cache-Control", "no-store")])
        view = self._views.order(order, {"orders": _orders(account)})
        return answer(request, view, PRIVATE, status=201, headers=[location])

    def _cart(self, seen: CartAsSeen) -> StoredCart:
        stored = self._premises.records.cart(seen.cart.removeprefix("/carts/"), self._premises.clock())
        if stored is None:
            raise Problem("invalid-fields", "No cart has the URL that `cart` names.")
        if stored.version != seen.version:
            raise Problem("cart-changed", link=Link(f"/carts/{stored.id}", "See the cart"))
        return stored

    def _order(self, account: Account, stored: StoredCart) -> Order:
        billed = shop.bill(stored.cart, self._premises.catalogue)
        if not billed.items:
            raise Problem("cart-empty")
        now = int(self._premises.clock())
        return Order(secrets.token_urlsafe(12), account.name, account.address, now, billed)


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


def _key(text: str) -> str:
    """An Idempotency-Key's value: a string as in RFC 9651 §3.3.3, or a word without the quotes."""
    if not text.strip():
        raise Problem("idempotency-key-missing")
    found = KEY.fullmatch(text.strip())
    if found is None:
        raise Problem(
            "idempotency-key-missing", "The Idempotency-Key is a string of 1 to 128 characters of ASCII."
        )
    return found[1] or found[2]


def _url(account: Account) -> str:
    return f"/accounts/{account.name}"


def _orders(account: Account) -> Link:
    return Link(f"{_url(account)}/orders", "Your orders")
