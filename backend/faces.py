"""What a shop with one cart and one account at fixed URLs shows: the same in every style that has them.

The URLs are the same for everybody, so what they mean depends on the cookie that comes with the request.
"""

from __future__ import annotations

from dataclasses import replace

from backend.accounts import Account
from backend.accounts import account as find_account
from backend.catalogue import Product
from backend.hypermedia import Action, Field, Link, View
from backend.shop import Cart, Item, Order
from backend.views import PIECES, REFERENCE, Menu, Views

LOG_IN = Action(
    "Log in",
    "POST",
    "/login",
    (Field("name", label="Name"), Field("password", type="password", label="Password")),
)
LOG_OUT = Action("Log out", "POST", "/logout")
PLACE_ORDER = Action("Place the order", "POST", "/orders", (REFERENCE,))
ORDERS = Link("/orders", "Your orders")
MENU = Menu(
    {"cart": Link("/cart", "Your cart"), "account": Link("/account", "Your account")}, {"log-in": LOG_IN}
)


def add_to_cart(product: Product) -> Action:
    fields = (Field("sku", type="hidden", value=product.sku), PIECES)
    return Action("Add to cart", "POST", "/cart/items", fields)


def cart(views: Views, chosen: Cart) -> View:
    return views.cart(chosen, "/cart", _line_actions, {"place-order": PLACE_ORDER})


def account(views: Views, customer: Account) -> View:
    view = views.account(customer, {"self": Link("/account", "Your account"), "orders": ORDERS}, {})
    return replace(view, actions={**view.actions, "log-out": LOG_OUT})


def order(views: Views, placed: Order) -> View:
    return views.order(placed, {"orders": ORDERS})


def about_you(view: View, name: str, chosen: Cart) -> View:
    """The view with what it says to this shopper alone, which has no date of its own."""
    customer = find_account(name)
    you = {"name": customer.called if customer else None, "items": chosen.count}
    return replace(view, data={**view.data, "you": you}, updated=None)


def _line_actions(item: Item) -> dict[str, Action]:
    href = f"/cart/items/{item.sku}"
    quantity = Field("quantity", "number", PIECES.label, item.quantity, 0, PIECES.max)
    return {
        "change": Action("Change", "POST", href, (quantity,)),
        "remove": Action("Remove", "POST", href, (Field("quantity", type="hidden", value=0),)),
    }
