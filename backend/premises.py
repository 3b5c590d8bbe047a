"""What every style stands on: the catalogue, its pictures, the records and a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe

from backend.accounts import Account
from backend.catalogue import Catalogue, Product
from backend.pictures import Pictures
from backend.problems import Problem
from backend.records.contract import Records
from backend.records.opening import move_in, open_records
from backend.settings import Settings
from backend.shop import Cart, Order, bill


@dataclass(frozen=True, slots=True)
class Premises:
    """`clock` gives the time in seconds since 1970; only handlers read it."""

    settings: Settings
    catalogue: Catalogue
    pictures: Pictures
    records: Records
    clock: Callable[[], float]

    def product(self, sku: str, *, otherwise: str = "no-such-product") -> Product:
        """The product, or raises the Problem of the kind `otherwise`."""
        product = self.catalogue.product(sku)
        if product is None:
            raise Problem(otherwise)
        return product

    def new_order(self, account: Account, cart: Cart, reference: str) -> Order:
        """An order of what is in the cart, not yet placed; raises Problem("cart-empty")."""
        billed = bill(cart, self.catalogue)
        if not billed.items:
            raise Problem("cart-empty")
        placed = int(self.clock())
        return Order(token_urlsafe(12), account.name, account.address, placed, billed, reference)

    async def move_in(self) -> None:
        """Makes sure that the records can be used and are this shop's; raises CannotOpen."""
        await move_in(self.records, self.settings.shop)


def open_premises(settings: Settings, clock: Callable[[], float], *, threads: bool = False) -> Premises:
    """Builds the catalogue and opens the records; raises CannotOpen where their file can't be used."""
    catalogue = Catalogue(settings.seed, settings.products)
    records = open_records(settings.data, settings.record_limit, threads=threads)
    return Premises(settings, catalogue, Pictures(catalogue), records, clock)
