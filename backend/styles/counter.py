"""What the two styles with a cookie share: one cart, one account and one list of orders at fixed URLs.

The URLs are the same for everybody, so what they mean depends on the cookie that comes with the request.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from aiohttp import web

from backend import faces, shop
from backend.accounts import Account, account, authenticate
from backend.catalogue import Product
from backend.hypermedia import Action, Link, View
from backend.intake import Choice, Credentials, Nothing, QuantityOrNone, Reference, page_number, submission
from backend.problems import Problem
from backend.representation import Terms, answer, wants_html
from backend.shop import EMPTY, Cart, Order
from backend.styles.contract import Style


@dataclass(frozen=True, slots=True)
class Visit:
    """One shopper's state as a request finds it or leaves it; `key` is the style's own name for it."""

    key: str = ""
    account: str = ""
    cart: Cart = EMPTY


class Counter(Style):
    """The handlers; where a visit comes from and goes to is each style's own."""

    menu = faces.MENU
    private: ClassVar[Terms]

    @abstractmethod
    async def read(self, request: web.Request) -> Visit:
        """The visit that the request's cookie stands for, a new one without cookie; raises Problem."""

    @abstractmethod
    async def keep(self, response: web.Response, before: Visit, after: Visit) -> None:
        """Keeps the visit, in the response where the style keeps it there."""

    @abstractmethod
    def renewed(self, visit: Visit) -> Visit:
        """The visit as it goes on when the shopper logs in or out."""

    @abstractmethod
    def ordered(self, visit: Visit) -> Visit:
        """The visit as it goes on when its cart has become an order."""

    @abstractmethod
    async def place(self, visit: Visit, order: Order) -> Order:
        """Records the order of this visit's cart."""

    def add_to_cart(self, product: Product) -> Action:
        return faces.add_to_cart(product)

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
        return await self._private(request, await self.read(request))

    async def add_item(self, request: web.Request) -> web.Response:
        chosen = (await submission(request)).read(Choice)
        visit = await self.read(request)
        product = self.premises.product(chosen.sku, otherwise="unknown-product")
        return await self._done(
            request, visit, replace(visit, cart=shop.add(visit.cart, product, chosen.quantity))
        )

    async def change_item(self, request: web.Request) -> web.Response:
        wanted = (await submission(request)).read(QuantityOrNone)
        visit = await self.read(request)
        product = self.premises.product(request.match_info["sku"])
        if not visit.cart.quantity(product.sku):
            raise Problem("not-in-cart")
        return await self._done(
            request, visit, replace(visit, cart=shop.change(visit.cart, product, wanted.quantity))
        )

    async def get_login(self, request: web.Request) -> web.Response:
        return await self.show(request, self.views.login(faces.LOG_IN), self.private)

    async def log_in(self, request: web.Request) -> web.Response:
        credentials = (await submission(request)).read(Credentials)
        visit = await self.read(request)
        customer = authenticate(credentials.name, credentials.password)
        if customer is None:
            raise Problem("wrong-password", link=Link("/login", "Try again"))
        after = replace(self.renewed(visit), account=customer.name)
        return await self._done(request, visit, after, "/account", faces.account(self.views, customer))

    async def log_out(self, request: web.Request) -> web.Response:
        (await submission(request)).read(Nothing)
        visit = await self.read(request)
        return await self._done(request, visit, replace(self.renewed(visit), account=""), "/cart")

    async def get_account(self, request: web.Request) -> web.Response:
        visit = await self.read(request)
        return await self._private(request, visit, faces.account(self.views, self._account(visit)))

    async def get_orders(self, request: web.Request) -> web.Response:
        visit = await self.read(request)
        page = page_number(request)
        orders, more = await self.premises.records.orders(self._account(visit).name, page)
        return await self._private(request, visit, self.views.orders(orders, faces.ORDERS.href, page, more))

    async def place_order(self, request: web.Request) -> web.Response:
        reference = (await submission(request)).read(Reference).reference
        visit = await self.read(request)
        order = self.premises.new_order(self._account(visit), visit.cart, reference)
        order = await self.place(visit, order)
        url = f"/orders/{order.id}"
        return await self._done(
            request, visit, self.ordered(visit), url, faces.order(self.views, order), created=True
        )

    async def get_order(self, request: web.Request) -> web.Response:
        visit = await self.read(request)
        order = await self.premises.records.order(request.match_info["id"], self._account(visit).name)
        if order is None:
            raise Problem("no-such-order")
        return await self._private(request, visit, faces.order(self.views, order))

    def _account(self, visit: Visit) -> Account:
        customer = account(visit.account)
        if customer is None:
            raise Problem("log-in-first", link=Link("/login", "Log in"))
        return customer

    async def _private(self, request: web.Request, visit: Visit, view: View | None = None) -> web.Response:
        response = answer(request, self.about_you(view or self._cart_view(visit), visit), self.private)
        await self.keep(response, visit, visit)
        return response

    async def _done(
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
        await self.keep(response, before, after)
        return response

    def about_you(self, view: View, visit: Visit) -> View:
        return faces.about_you(view, visit.account, visit.cart)

    def _cart_view(self, visit: Visit) -> View:
        return faces.cart(self.views, visit.cart)
