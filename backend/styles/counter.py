"""What the two styles with a cookie share: one cart, one account and one list of orders at fixed URLs.

The URLs are the same for everybody, so what they mean depends on the cookie that comes with the request.
"""

from __future__ import annotations

import secrets
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from aiohttp import web

from backend import shop
from backend.accounts import ACCOUNTS, Account, authenticate
from backend.catalogue import Product
from backend.hypermedia import Action, Field, Link, View
from backend.intake import Choice, Credentials, Nothing, QuantityOrNone, submission
from backend.problems import Problem
from backend.representation import Terms, answer, wants_html
from backend.shop import EMPTY, Cart, Item, Order
from backend.styles.contract import Style
from backend.views import PIECES, Menu

LOG_IN = Action(
    "Log in",
    "POST",
    "/login",
    (Field("name", label="Name"), Field("password", type="password", label="Password")),
)
LOG_OUT = Action("Log out", "POST", "/logout")
PLACE_ORDER = Action("Place the order", "POST", "/orders")
ORDERS = Link("/orders", "Your orders")


@dataclass(frozen=True, slots=True)
class Visit:
    """One shopper's state as a request finds it or leaves it; `key` is the style's own name for it."""

    key: str = ""
    account: str = ""
    cart: Cart = EMPTY


class Counter(Style):
    """The handlers; where a visit comes from and goes to is each style's own."""

    menu = Menu(
        {"cart": Link("/cart", "Your cart"), "account": Link("/account", "Your account")}, {"log-in": LOG_IN}
    )
    private: ClassVar[Terms]

    @abstractmethod
    def read(self, request: web.Request) -> Visit:
        """The visit that the request's cookie stands for, a new one without cookie; raises Problem."""

    @abstractmethod
    def keep(self, response: web.Response, before: Visit, after: Visit) -> None:
        """Keeps the visit, in the response where the style keeps it there."""

    @abstractmethod
    def renewed(self, visit: Visit) -> Visit:
        """The visit as it goes on when the shopper logs in or out."""

    @abstractmethod
    def ordered(self, visit: Visit) -> Visit:
        """The visit as it goes on when its cart has become an order."""

    @abstractmethod
    def place(self, visit: Visit, order: Order) -> Order:
        """Records the order of this visit's cart."""

    def add_to_cart(self, product: Product) -> Action:
        fields = (Field("sku", type="hidden", value=product.sku), PIECES)
        return Action("Add to cart", "POST", "/cart/items", fields)

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/cart", self.get_cart),
            web.post("/cart/items", self.add_item),
            web.post("/cart/items/{sku}", self.change_item),
            web.get("/login", self.get_login),
            web.post("/login", self.log_in),
            web.post("/logout", self.log_out),
            web.get("/account", self.get_account),
            web.get("/orders", self.get_orders),
            web.post("/orders", self.place_order),
            web.get("/orders/{id}", self.get_order),
        )

    async def get_cart(self, request: web.Request) -> web.Response:
        return self._private(request, self.read(request))

    async def add_item(self, request: web.Request) -> web.Response:
        chosen = (await submission(request)).read(Choice)
        visit = self.read(request)
        product = self.premises.product(chosen.sku, otherwise="unknown-product")
        return self._done(request, visit, replace(visit, cart=shop.add(visit.cart, product, chosen.quantity)))

    async def change_item(self, request: web.Request) -> web.Response:
        wanted = (await submission(request)).read(QuantityOrNone)
        visit = self.read(request)
        product = self.premises.product(request.match_info["sku"])
        if not visit.cart.quantity(product.sku):
            raise Problem("not-in-cart")
        return self._done(
            request, visit, replace(visit, cart=shop.change(visit.cart, product, wanted.quantity))
        )

    async def get_login(self, request: web.Request) -> web.Response:
        return self.show(request, self.views.login(LOG_IN), self.private)

    async def log_in(self, request: web.Request) -> web.Response:
        credentials = (await submission(request)).read(Credentials)
        visit = self.read(request)
        account = authenticate(credentials.name, credentials.password)
        if account is None:
            raise Problem("wrong-password", link=Link("/login", "Try again"))
        after = replace(self.renewed(visit), account=account.name)
        return self._done(request, visit, after, "/account", self._account_view(account))

    async def log_out(self, request: web.Request) -> web.Response:
        (await submission(request)).read(Nothing)
        visit = self.read(request)
        return self._done(request, visit, replace(self.renewed(visit), account=""), "/cart")

    async def get_account(self, request: web.Request) -> web.Response:
        visit = self.read(request)
        return self._private(request, visit, self._account_view(self._account(visit)))

    async def get_orders(self, request: web.Request) -> web.Response:
        visit = self.read(request)
        orders = self.premises.records.orders(self._account(visit).name)
        return self._private(request, visit, self.views.orders(orders, {"self": ORDERS}))

    async def place_order(self, request: web.Request) -> web.Response:
        (await submission(request)).read(Nothing)
        visit = self.read(request)
        account = self._account(visit)
        now = int(self.premises.clock())
        billed = shop.bill(visit.cart, self.premises.catalogue)
        if not billed.items:
            raise Problem("cart-empty")
        order = Order(secrets.token_urlsafe(12), account.name, account.address, now, billed)
        order = self.place(visit, order)
        url = f"/orders/{order.id}"
        return self._done(request, visit, self.ordered(visit), url, self._order_view(order), created=True)

    async def get_order(self, request: web.Request) -> web.Response:
        visit = self.read(request)
        order = self.premises.records.order(request.match_info["id"], self._account(visit).name)
        if order is None:
            raise Problem("no-such-order")
        return self._private(request, visit, self._order_view(order))

    def _account(self, visit: Visit) -> Account:
        if not visit.account:
            raise Problem("log-in-first", link=Link("/login", "Log in"))
        return ACCOUNTS[visit.account]

    def _private(self, request: web.Request, visit: Visit, view: View | None = None) -> web.Response:
        response = answer(request, self.about_you(view or self._cart_view(visit), visit), self.private)
        self.keep(response, visit, visit)
        return response

    def _done(
        self,
        request: web.Request,
        before: Visit,
        after: Visit,
        url: str = "/cart",
        view: View | None = None,
        *,
        created: bool = False,
    ) -> web.Response:
        """The answer to a change: browsers go on to its result, other clients get it at once."""
        if wants_html(request):
            response = web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
        else:
            shown = self.about_you(view or self._cart_view(after), after)
            field = ("Location" if created else "Content-Location", url)
            response = answer(request, shown, self.private, status=201 if created else 200, headers=[field])
        self.keep(response, before, after)
        return response

    def about_you(self, view: View, visit: Visit) -> View:
        """The view with what it says to this shopper alone, which has no date of its own."""
        account = ACCOUNTS.get(visit.account)
        you = {"name": account.called if account else None, "items": visit.cart.count}
        return replace(view, data={**view.data, "you": you}, updated=None)

    def _cart_view(self, visit: Visit) -> View:
        return self.views.cart(visit.cart, "/cart", _line_actions, {"place-order": PLACE_ORDER})

    def _account_view(self, account: Account) -> View:
        view = self.views.account(account, {"self": Link("/account", "Your account"), "orders": ORDERS}, {})
        return replace(view, actions={**view.actions, "log-out": LOG_OUT})

    def _order_view(self, order: Order) -> View:
        return self.views.order(order, {"orders": ORDERS})


def _line_actions(item: Item) -> dict[str, Action]:
    href = f"/cart/items/{item.sku}"
    quantity = Field("quantity", "number", PIECES.label, item.quantity, 0, PIECES.max)
    return {
        "change": Action("Change", "POST", href, (quantity,)),
        "remove": Action("Remove", "POST", href, (Field("quantity", type="hidden", value=0),)),
    }
