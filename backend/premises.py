"""What every style stands on: the catalogue, its pictures, the records and a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backend.catalogue import Catalogue, Product
from backend.pictures import Pictures
from backend.problems import Problem
from backend.records import Records
from backend.settings import Settings


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


def open_premises(settings: Settings, clock: Callable[[], float]) -> Premises:
    """Builds the catalogue and opens the records; raises sqlite3.Error where their file can't be used."""
    catalogue = Catalogue(settings.seed, settings.products)
    return Premises(settings, catalogue, Pictures(catalogue), Records(settings.data), clock)
