"""The seeded catalogue: pure, and the same in every process that is given the same seed.

A product depends on the seed and its own number only, never on how many products there are. What is sold
is restocked at once, so stock belongs to the catalogue and replicas agree about it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as combinations
from random import Random
from re import findall

from backend.wares import COLOURS, FINISHES, ORIGINS, WARES, Colour, Ware

PAGE_SIZE = 24
OPENED = 1_704_067_200
"""1 January 2024, 00:00 UTC, in seconds: no product was changed before."""
YEAR = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Product:
    """One product; `price` in cents, `updated` in seconds since 1970."""

    number: int
    sku: str
    name: str
    ware: Ware
    colour: Colour
    description: str
    price: int
    stock: int
    updated: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list: `number` counts from 1 to `pages`; `total` products are in the whole list."""

    products: tuple[Product, ...]
    number: int
    pages: int
    total: int

    @property
    def updated(self) -> int:
        """When the newest product on this page was changed, in seconds since 1970."""
        return max((product.updated for product in self.products), default=OPENED)


class Catalogue:
    """`size` products made from `seed`, in the order of their numbers."""

    def __init__(self, seed: int, size: int) -> None:
        names = [_names(seed, ware) for ware in WARES]
        self.seed = seed
        self.products = tuple(_product(seed, number, names) for number in range(1, size + 1))
        self._shelves = {"": self.products} | {
            ware.slug: tuple(product for product in self.products if product.ware is ware) for ware in WARES
        }
        self._by_sku = {product.sku: product for product in self.products}
        self._index = _index(self.products)
        self._words = sorted(self._index)

    def product(self, sku: str) -> Product | None:
        return self._by_sku.get(sku)

    def page(self, number: int, category: str = "") -> Page | None:
        """A page of the list, of one category only where one is named; None where there is no such page."""
        products = self._shelves.get(category)
        return None if products is None else _page(products, number)

    def search(self, query: str, number: int) -> Page | None:
        """A page of the products in which each word of the query begins some word; None as in `page`.

        Products whose name has all the words come first, then in the order of their numbers.
        """
        wanted = _words(query)
        found = [self._starting_with(word) for word in wanted]
        numbers = set.intersection(*found) if found else set()
        products = [self.products[number - 1] for number in sorted(numbers)]
        return _page(sorted(products, key=lambda product: not _named(product, wanted)), number)

    def shelf(self, category: str) -> tuple[Product, ...]:
        """All products of a category, in the order of their numbers."""
        return self._shelves[category]

    def _starting_with(self, prefix: str) -> set[int]:
        numbers: set[int] = set()
        for word in self._words[bisect_left(self._words, prefix) :]:
            if not word.startswith(prefix):
                break
            numbers |= self._index[word]
        return numbers


def _names(seed: int, ware: Ware) -> list[tuple[str, Colour, str]]:
    every = list(combinations(FINISHES, COLOURS, ware.nouns))
    Random(f"{seed}/{ware.slug}").shuffle(every)
    return every


def _product(seed: int, number: int, names: list[list[tuple[str, Colour, str]]]) -> Product:
    random = Random(f"{seed}/{number}")
    round_, shelf = divmod(number - 1, len(WARES))
    ware = WARES[shelf]
    series, place = divmod(round_, len(names[shelf]))
    finish, colour, noun = names[shelf][place]
    return Product(
        number=number,
        sku=f"P{number:04d}",
        name=f"{finish} {colour.name} {noun}" + (f" No. {series + 1}" if series else ""),
        ware=ware,
        colour=colour,
        description=f"{random.choice(ORIGINS)}. {ware.use}.",
        price=random.randrange(ware.low, ware.high, 50),
        stock=0 if random.random() < 0.06 else random.randint(5, 250),
        updated=OPENED + random.randrange(YEAR),
    )


def _page(products: Sequence[Product], number: int) -> Page | None:
    pages = max(1, -(-len(products) // PAGE_SIZE))
    if not 1 <= number <= pages:
        return None
    start = (number - 1) * PAGE_SIZE
    return Page(tuple(products[start : start + PAGE_SIZE]), number, pages, len(products))


def _words(text: str) -> list[str]:
    return findall(r"\w+", text.lower())


def _named(product: Product, wanted: list[str]) -> bool:
    words = _words(product.name)
    return all(any(word.startswith(prefix) for word in words) for prefix in wanted)


def _index(products: tuple[Product, ...]) -> dict[str, set[int]]:
    index: dict[str, set[int]] = {}
    for product in products:
        for word in _words(f"{product.name} {product.ware.title} {product.description} {product.sku}"):
            index.setdefault(word, set()).add(product.number)
    return index
