"""What a style is: where the shopper's state is, and what follows from that for every message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from aiohttp import web

from backend.catalogue import Product
from backend.hypermedia import Action, View
from backend.premises import Premises
from backend.representation import Terms
from backend.views import Menu, Views


class Style(ABC):
    """One way of keeping state; `summary` is one sentence about it, `about` a paragraph with its costs."""

    name: ClassVar[str]
    summary: ClassVar[str]
    about: ClassVar[str]
    menu: ClassVar[Menu]

    def __init__(self, premises: Premises) -> None:
        self.premises = premises
        self.views = Views(premises, self.menu)

    @abstractmethod
    async def show(self, request: web.Request, view: View, terms: Terms) -> web.Response:
        """A page of the shop that isn't about anybody; `terms` are what its content would permit."""

    @abstractmethod
    def add_to_cart(self, product: Product) -> Action:
        """What a product's page offers to do; must be the same for every shopper."""

    @abstractmethod
    def routes(self) -> Sequence[web.RouteDef]:
        """The style's own resources: cart, account, orders."""

    def reload(self) -> None:
        """Reads again what may change while the replica runs; raises BadKeys."""
        return

    async def fill(self, count: int) -> None:
        """Keeps state for so many shoppers, as if they had been here; nothing where a style keeps none."""
        return

    def held(self) -> int:
        """How many sessions are in this very process."""
        return 0

    async def close(self) -> None:
        """Lets go of what the style has opened for itself."""
        return
