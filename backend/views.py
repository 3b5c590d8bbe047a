"""From what the shop knows to what is shown of it: data, links and actions, the same in every style."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from backend.accounts import HINT, Account
from backend.catalogue import Page, Product
from backend.hypermedia import Action, Field, Link, View
from backend.premises import Premises
from backend.problems import KINDS
from backend.shop import MOST_PIECES, Bill, Cart, Item, Order, bill, money
from backend.wares import WARES, Ware

WELCOME = "Things of glass, for light to go through."
SEARCH = Action("Search", "GET", "/search", (Field("q", type="search", label="Search the shop"),))
REFERENCE = Field("reference", label="Your own reference, if you like")
PIECES = Field("quantity", type="number", label="Pieces", value=1, min=1, max=MOST_PIECES)

LineActions = Callable[[Item], Mapping[str, Action]]


@dataclass(frozen=True, slots=True)
class Menu:
    """What a style puts on every page (`links`) and at the shop's entrance (`doors`)."""

    links: Mapping[str, Link]
    doors: Mapping[str, Action]


class Views:
    """Makes views with the style's menu on each."""

    def __init__(self, premises: Premises, menu: Menu) -> None:
        self._premises = premises
        self._doors = menu.doors
        self._links = {
            "home": Link("/", "Entrance"),
            "catalogue": Link("/catalogue", "Catalogue"),
            **menu.links,
            "about": Link("/about", "How this shop keeps state"),
        }

    def view(
        self,
        kind: str,
        title: str,
        data: Mapping[str, Any],
        links: Mapping[str, Link] | None = None,
        actions: Mapping[str, Action] | None = None,
        updated: int | None = None,
    ) -> View:
        return View(
            kind,
            title,
            data,
            {**self._links, **(links or {})},
            {"search": SEARCH, **(actions or {})},
            updated,
        )

    def home(self, style: str, summary: str) -> View:
        data = {
            "welcome": WELCOME,
            "style": style,
            "summary": summary,
            "categories": [
                self._category(ware) for ware in WARES if self._premises.catalogue.shelf(ware.slug)
            ],
        }
        return self.view(
            "home", "Pane & Prism", data, {"problems": Link("/problems", "Problems")}, self._doors
        )

    def _category(self, ware: Ware) -> dict[str, Any]:
        shelf = self._premises.catalogue.shelf(ware.slug)
        return {
            "slug": ware.slug,
            "title": ware.title,
            "count": len(shelf),
            "picture": self._premises.pictures.url(shelf[0]),
            "href": f"/catalogue?category={ware.slug}",
        }

    def about(self, style: str, about: str, summaries: Mapping[str, str]) -> View:
        styles = [{"style": name, "summary": summary} for name, summary in summaries.items()]
        return self.view(
            "about", "How this shop keeps state", {"style": style, "about": about, "styles": styles}
        )

    def problems(self) -> View:
        listed = [
            {"name": name, "status": kind.status, "title": kind.title, "meaning": kind.meaning}
            for name, kind in KINDS.items()
        ]
        return self.view("problems", "What can go wrong", {"problems": listed})

    def listing(self, title: str, path: str, query: Mapping[str, str], page: Page) -> View:
        """A page of the catalogue or of what a search found; `query` is the URL's query without the page."""

        def turn(number: int, text: str) -> Link:
            written = urlencode({**query, **({"page": number} if number > 1 else {})})
            return Link(f"{path}?{written}" if written else path, text)

        links = {"self": turn(page.number, title)}
        if page.number > 1:
            links["prev"] = turn(page.number - 1, "← Earlier")
        if page.number < page.pages:
            links["next"] = turn(page.number + 1, "Later →")
        data = {
            "total": page.total,
            "page": page.number,
            "pages": page.pages,
            "products": [self._card(product) for product in page.products],
        }
        return self.view("catalogue", title, data, links, updated=page.updated)

    def _card(self, product: Product) -> dict[str, Any]:
        return {
            "sku": product.sku,
            "name": product.name,
            "price": money(product.price),
            "in_stock": product.stock > 0,
            "picture": self._premises.pictures.url(product),
            "href": f"/products/{product.sku}",
        }

    def product(self, product: Product, add: Action) -> View:
        data = {
            **self._card(product),
            "category": product.ware.slug,
            "colour": product.colour.name,
            "description": product.description,
            "stock": product.stock,
        }
        links = {
            "self": Link(f"/products/{product.sku}", product.name),
            "category": Link(f"/catalogue?category={product.ware.slug}", product.ware.title),
            "offer": Link(f"/products/{product.sku}/offer", "Price and stock"),
        }
        actions = {"add-to-cart": add} if product.stock else {}
        return self.view("product", product.name, data, links, actions, product.updated)

    def offer(self, product: Product) -> View:
        data = {"sku": product.sku, "price": money(product.price), "stock": product.stock}
        links = {"product": Link(f"/products/{product.sku}", product.name)}
        return View("offer", product.name, data, links, updated=product.updated)

    def cart(
        self,
        cart: Cart,
        href: str,
        line_actions: LineActions,
        actions: Mapping[str, Action],
        extra: Mapping[str, Any] | None = None,
    ) -> View:
        """A cart at its URL, each line with its own actions; "place-order" is left out while it is empty."""
        billed = bill(cart, self._premises.catalogue)
        items = [{**self._item(item), "actions": line_actions(item)} for item in billed.items]
        add = Action("Add", "POST", f"{href}/items", (Field("sku", label="Product"), PIECES))
        offered = {name: each for name, each in actions.items() if items or name != "place-order"}
        data = {**(extra or {}), "count": cart.count, **self._sums(billed), "items": items}
        return self.view(
            "cart", "Your cart", data, {"self": Link(href, "Your cart")}, {"add-item": add, **offered}
        )

    def item(self, item: Item, cart: str, actions: Mapping[str, Action]) -> View:
        """One line of the cart at the URL `cart`."""
        links = {"cart": Link(cart, "Your cart"), "product": Link(f"/products/{item.sku}", item.name)}
        return View("item", item.name, self._item(item), links, actions)

    def _item(self, item: Item) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "sku": item.sku,
            "name": item.name,
            "quantity": item.quantity,
            "price": money(item.price),
            "sum": money(item.sum),
            "href": f"/products/{item.sku}",
        }
        product = self._premises.catalogue.product(item.sku)
        return shown | ({"picture": self._premises.pictures.url(product)} if product else {})

    def _sums(self, billed: Bill) -> dict[str, Any]:
        return {
            "subtotal": money(billed.subtotal),
            "delivery": money(billed.delivery),
            "total": money(billed.total),
        }

    def login(self, action: Action) -> View:
        return self.view("login", "Log in", {"hint": HINT}, actions={"log-in": action})

    def account(self, account: Account, links: Mapping[str, Link], extra: Mapping[str, Any]) -> View:
        data = {"name": account.name, "called": account.called, "address": account.address, **extra}
        return self.view("account", f"{account.called}'s account", data, links)

    def orders(self, orders: tuple[Order, ...], href: str, page: int, more: bool) -> View:
        """A page of somebody's orders at the URL `href`, from 1; `more`: there are older ones."""
        links = {"self": Link(href if page == 1 else f"{href}?page={page}", "Your orders")}
        if page > 1:
            links["prev"] = Link(href if page == 2 else f"{href}?page={page - 1}", "← Later")
        if more:
            links["next"] = Link(f"{href}?page={page + 1}", "Earlier →")
        listed = [
            {
                "id": order.id,
                "reference": order.reference,
                "placed": _moment(order.placed),
                "count": sum(item.quantity for item in order.bill.items),
                "total": money(order.bill.total),
                "href": f"/orders/{order.id}",
            }
            for order in orders
        ]
        return self.view("orders", "Your orders", {"orders": listed}, links)

    def order(self, order: Order, links: Mapping[str, Link]) -> View:
        data = {
            "id": order.id,
            "reference": order.reference,
            "placed": _moment(order.placed),
            "address": order.address,
            **self._sums(order.bill),
            "items": [self._item(item) for item in order.bill.items],
        }
        links = {"self": Link(f"/orders/{order.id}", "This order"), **links}
        return self.view("order", "Thank you for your order", data, links, updated=order.placed)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
