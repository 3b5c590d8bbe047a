"""What shoppers want, whatever the style: a seeded mix of browsing, searching, carts and orders.

A visit is a list of wants. It is made from a seed, the shopper's number and the visit's, so that every style
is asked for the same, in the same order, by the same shoppers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

WORDS = ("cobalt", "amber", "green", "vase", "lamp", "bowl", "lant", "frosted", "clear", "blown")
PRODUCTS = 200
"""How many products the shop is told to have."""

ORDERING = 0.6
"""The share of the visits that end in an order; the others leave their cart where it is."""


@dataclass(frozen=True, slots=True)
class Enter:
    """See the entrance."""


@dataclass(frozen=True, slots=True)
class Browse:
    """See a page of the catalogue."""

    page: int


@dataclass(frozen=True, slots=True)
class Search:
    """Look for words."""

    words: str


@dataclass(frozen=True, slots=True)
class Look:
    """See a product, its price and stock, and its picture where it has not been seen yet."""

    sku: str


@dataclass(frozen=True, slots=True)
class Add:
    """Put so many pieces of the product that was looked at last into the cart, where it is in stock."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SeeCart:
    """See what is in the cart."""


@dataclass(frozen=True, slots=True)
class Change:
    """Have another number of pieces of what was added last."""

    quantity: int


@dataclass(frozen=True, slots=True)
class LogIn:
    """Say who one is."""

    name: str


@dataclass(frozen=True, slots=True)
class Order:
    """See the cart, and order what is in it."""


@dataclass(frozen=True, slots=True)
class SeeOrders:
    """See one's orders."""


Want = Enter | Browse | Search | Look | Add | SeeCart | Change | LogIn | Order | SeeOrders

PASSWORDS = {"ann": "apple", "ben": "birch", "cleo": "cedar"}
"""The sample shop's customers."""


def visit(seed: int, shopper: int, number: int) -> Iterator[Want]:
    """The wants of a shopper's visit; products differ within a visit, and the popular ones come often."""
    random = Random(f"{seed}/{shopper}/{number}")
    yield Enter()
    chosen: list[str] = []
    for _ in range(random.randint(2, 4)):
        if random.random() < 0.5:
            yield Browse(random.randint(1, 4))
        else:
            yield Search(random.choice(WORDS))
        for _ in range(random.randint(1, 3)):
            sku = popular(random)
            if sku in chosen:
                continue
            yield Look(sku)
            if random.random() < 0.6:
                chosen.append(sku)
                yield Add(sku, random.randint(1, 2))
        if chosen and random.random() < 0.5:
            yield SeeCart()
    if chosen and random.random() < 0.3:
        yield Change(random.randint(3, 4))
    if chosen and random.random() < ORDERING:
        yield LogIn(random.choice(sorted(PASSWORDS)))
        yield Order()
        if random.random() < 0.5:
            yield SeeOrders()


def popular(random: Random) -> str:
    """A product's number; the first are asked for most, roughly as Zipf has it."""
    return f"P{min(PRODUCTS, int(PRODUCTS ** random.random())):04d}"
