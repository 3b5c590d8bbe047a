"""Cart, log-in and orders, with what Flask's session has in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from flask import Response, current_app, request, session
from multidict import CIMultiDict

from backend import faces, shop
from backend.accounts import Account, account, authenticate
from backend.flasks import sessions
from backend.flasks.pages import Route, shown
from backend.hypermedia import Link, View
from backend.intake import (
    Choice,
    Credentials,
    Nothing,
    QuantityOrNone,
    Reference,
    page_of,
    parse,
    query_value,
)
from backend.premises import Premises
from backend.problems import Problem
from backend.representation import prefers_html
from backend.shop import EMPTY
from backend.valkeys import at_once
from backend.views import Views

T = TypeVar("T")


class Counter:
    """Handlers and their routes."""

    def __init__(self, premises: Premises, views: Views) -> None:
        self._premises = premises
        self._views = views

    def routes(self) -> Sequence[Route]:
        return (
            ("/cart", "GET", self.get_cart),
            ("/cart/items", "POST", self.add_item),
            ("/cart/items/<sku>", "POST", self.change_item),
            ("/login", "GET", self.get_login),
            ("/login", "POST", self.log_in),
            ("/logout", "POST", self.log_out),
            ("/account", "GET", self.get_account),
            ("/orders", "GET", self.get_orders),
            ("/orders", "POST", self.place_order),
            ("/orders/<name>", "GET", self.get_order),
        )

    def get_cart(self) -> Response:
        return _private(self._cart())

    def add_item(self) -> Response:
        chosen = _sent(Choice)
        product = self._premises.product(chosen.sku, otherwise="unknown-product")
        sessions.keep_cart(shop.add(sessions.cart(), product, chosen.quantity))
        return _done(self._cart(), "/cart")

    def change_item(self, sku: str) -> Response:
        wanted = _sent(QuantityOrNone)
        product = self._premises.product(sku)
        cart = sessions.cart()
        if not cart.quantity(product.sku):
            raise Problem("not-in-cart")
        sessions.keep_cart(shop.change(cart, product, wanted.quantity))
        return _done(self._cart(), "/cart")

    def get_login(self) -> Response:
        return _private(self._views.login(faces.LOG_IN))

    def log_in(self) -> Response:
        credentials = _sent(Credentials)
        customer = authenticate(credentials.name, credentials.password)
        if customer is None:
            raise Problem("wrong-password", link=Link("/login", "Try again"))
        sessions.renew(current_app)
        session["account"] = customer.name
        return _done(faces.account(self._views, customer), "/account")

    def log_out(self) -> Response:
        _sent(Nothing)
        sessions.renew(current_app)
        session.pop("account", None)
        return _done(self._cart(), "/cart")

    def get_account(self) -> Response:
        return _private(faces.account(self._views, _customer()))

    def get_orders(self) -> Response:
        page = page_of(query_value("page", request.args.get("page", "")))
        orders, more = at_once(self._premises.records.orders(_customer().name, page))
        return _private(self._views.orders(orders, faces.ORDERS.href, page, more))

    def place_order(self) -> Response:
        reference = _sent(Reference).reference
        order = self._premises.new_order(_customer(), sessions.cart(), reference)
        at_once(self._premises.records.place(order))
        sessions.keep_cart(EMPTY)
        return _done(faces.order(self._views, order), f"/orders/{order.id}", created=True)

    def get_order(self, name: str) -> Response:
        order = at_once(self._premises.records.order(name, _customer().name))
        if order is None:
            raise Problem("no-such-order")
        return _private(faces.order(self._views, order))

    def _cart(self) -> View:
        return faces.cart(self._views, sessions.cart())


def _sent(expected: type[T]) -> T:
    headers = CIMultiDict(request.headers.items())
    return parse(request.get_data(), request.mimetype, headers).read(expected)


def _customer() -> Account:
    customer = account(session.get("account", ""))
    if customer is None:
        raise Problem("log-in-first", link=Link("/login", "Log in"))
    return customer


def _private(view: View, status: int = 200) -> Response:
    response = shown(view, status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _done(view: View, url: str, *, created: bool = False) -> Response:
    """The answer to a change: browsers go on to its result, other clients get it at once."""
    if prefers_html(request.headers.get("Accept", "")):
        return Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
    response = _private(view, 201 if created else 200)
    response.headers["Location" if created else "Content-Location"] = url
    return response
