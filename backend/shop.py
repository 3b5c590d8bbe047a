"""The shop's own rules, pure: what fits in a cart, what it costs, what an order is.

None of this knows of HTTP messages or of where carts are kept: every style calls the same functions, which
is why a shopper can't tell the styles apart by what the shop does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backend.catalogue import Catalogue, Product
from backend.problems import Problem

MOST_LINES = 100
MOST_PIECES = 99
DELIVERY = 490
FREE_FROM = 6000


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of one product in a cart."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Cart:
    """What a shopper has chosen, in the order of choosing; at most one line per product."""

    lines: tuple[Line, ...] = ()

    @property
    def count(self) -> int:
        """How many pieces are in the cart."""
        return sum(line.quantity for line in self.lines)

    def quantity(self, sku: str) -> int:
        return next((line.quantity for line in self.lines if line.sku == sku), 0)


EMPTY = Cart()


@dataclass(frozen=True, slots=True)
class Item:
    """A line with its price, in cents, as it is billed."""

    sku: str
    name: str
    quantity: int
    price: int

    @property
    def sum(self) -> int:
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Bill:
    """What a cart costs, in cents."""

    items: tuple[Item, ...]
    subtotal: int
    delivery: int

    @property
    def total(self) -> int:
        return self.subtotal + self.delivery

    def item(self, sku: str) -> Item:
        """The billed line of this product; raises LookupError where there is none."""
        return {item.sku: item for item in self.items}[sku]


@dataclass(frozen=True, slots=True)
class Order:
    """A placed order; `account` is the customer's log-in name, `placed` in seconds since 1970.

    `reference` is the customer's own word for it: it is shown to them again and means nothing to the shop.
    """

    id: str
    account: str
    address: str
    placed: int
    bill: Bill
    reference: str = ""


def add(cart: Cart, product: Product, quantity: int) -> Cart:
    """The cart with so many more pieces; raises Problem("not-enough-stock" or "cart-full")."""
    return change(cart, product, cart.quantity(product.sku) + quantity)


def change(cart: Cart, product: Product, quantity: int) -> Cart:
    """The cart with exactly so many pieces of the product, 0 to have none; raises as `add`."""
    if quantity == 0:
        return Cart(tuple(line for line in cart.lines if line.sku != product.sku))
    if quantity > MOST_PIECES:
        raise Problem("cart-full", f"At most {MOST_PIECES} pieces of one product.", limit=MOST_PIECES)
    if quantity > product.stock:
        detail = f"There are {product.stock} of {product.name}." if product.stock else "It is sold out."
        raise Problem("not-enough-stock", detail, available=product.stock)
    line = Line(product.sku, quantity)
    if cart.quantity(product.sku):
        return Cart(tuple(line if each.sku == product.sku else each for each in cart.lines))
    if len(cart.lines) == MOST_LINES:
        raise Problem("cart-full", f"At most {MOST_LINES} different products.", limit=MOST_LINES)
    return Cart((*cart.lines, line))


def bill(cart: Cart, catalogue: Catalogue) -> Bill:
    """The cart's lines with prices; a line whose product is no longer sold is left out."""
    found = ((catalogue.product(line.sku), line.quantity) for line in cart.lines)
    return total(Item(p.sku, p.name, quantity, p.price) for p, quantity in found if p is not None)


def total(items: Iterable[Item]) -> Bill:
    billed = tuple(items)
    subtotal = sum(item.sum for item in billed)
    return Bill(billed, subtotal, 0 if subtotal >= FREE_FROM or not billed else DELIVERY)


def money(cents: int) -> dict[str, str]:
    """An amount as representations show it."""
    return {"amount": f"{cents // 100}.{cents % 100:02d}", "currency": "EUR"}
