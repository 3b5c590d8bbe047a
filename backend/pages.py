"""The HTML face: each view as a page that needs no scripts.

It knows nothing of styles, only of links and actions.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from backend.hypermedia import View
from backend.markup import Html, el, form, join

SHOP = "Pane & Prism"
STYLESHEET = Path(__file__).with_name("shop.css").read_bytes()
STYLESHEET_URL = f"/shop.{sha256(STYLESHEET).hexdigest()[:10]}.css"
ICON_URL = "/icon.svg"
ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M16 4l13 23H3z" fill="#1f6f78"/>'
    b'<path d="M16 11l7 13H9z" fill="#f6f3ec"/></svg>'
)


def render(view: View) -> str:
    """The view as an HTML document."""
    page = PAGES[view.kind](view)
    body = join(
        _header(view),
        el("main", page, _recently_seen(view.data.get("you")), class_=view.kind),
        _footer(view),
    )
    head = join(
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", SHOP if view.kind == "home" else f"{view.title} · {SHOP}"),
        el("link", rel="stylesheet", href=STYLESHEET_URL),
        el("link", rel="icon", href=ICON_URL, type="image/svg+xml"),
    )
    return "<!doctype html>\n" + el("html", el("head", head), el("body", body), lang="en")


def _header(view: View) -> Html:
    search = view.actions.get("search")
    names = [name for name in ("catalogue", "cart", "account") if name in view.links]
    navigation = (el("a", view.links[name].title, href=view.links[name].href) for name in names)
    return el(
        "header",
        el("a", SHOP, href="/", class_="brand"),
        form(search, compact=True, quiet=True) if search else None,
        el("nav", *navigation),
        _greeting(view.data.get("you")),
    )


def _greeting(you: Any) -> Html | None:
    if not you:
        return None
    items = "1 item" if you["items"] == 1 else f"{you['items']} items"
    return el("p", f"Hello {you['name'] or 'there'}, {items} in your cart", class_="greeting")


def _recently_seen(you: Any) -> Html | None:
    seen = (you or {}).get("recently_seen")
    if not seen:
        return None
    return el(
        "aside",
        el("h2", "You looked at"),
        el("ul", *(el("li", el("a", each["name"], href=each["href"])) for each in seen)),
    )


def _footer(view: View) -> Html:
    about = view.links.get("about")
    link = el("a", about.title, href=about.href) if about else None
    return el(
        "footer",
        el("p", f"{SHOP}: a small shop for things of glass. Nothing here is really for sale. ", link),
    )


def _price(amount: dict[str, str]) -> str:
    return f"€ {amount['amount']}"


def _picture(source: str, name: str) -> Html:
    return el("img", src=source, alt=name, width=320, height=240, loading="lazy")


def _card(product: dict[str, Any]) -> Html:
    return el(
        "li",
        el(
            "a",
            _picture(product["picture"], ""),
            el("span", product["name"], class_="name"),
            el("span", _price(product["price"]), class_="price"),
            None if product["in_stock"] else el("span", "sold out", class_="sold-out"),
            href=product["href"],
        ),
    )


def _home(view: View) -> Html:
    tiles = (
        el(
            "li",
            el(
                "a",
                _picture(each["picture"], ""),
                el("span", each["title"], class_="name"),
                el("span", f"{each['count']} to choose from", class_="note"),
                href=each["href"],
            ),
        )
        for each in view.data["categories"]
    )
    return join(
        el("section", el("h1", view.data["welcome"]), el("p", view.data["summary"]), class_="hero"),
        el("ul", *tiles, class_="shelf tiles"),
    )


def _about(view: View) -> Html:
    others = (el("li", el("strong", each["style"]), ": ", each["summary"]) for each in view.data["styles"])
    return el(
        "article",
        el("h1", view.title),
        el("p", view.data["about"]),
        el("h2", "The styles"),
        el("ul", *others),
    )


def _problems(view: View) -> Html:
    rows = (
        el(
            "section",
            el("h2", f"{each['title']} ({each['status']})"),
            el("p", each["meaning"]),
            id=each["name"],
        )
        for each in view.data["problems"]
    )
    return el("article", el("h1", view.title), *rows)


def _catalogue(view: View) -> Html:
    data = view.data
    where = f"{data['total']} products" + (
        f", page {data['page']} of {data['pages']}" if data["pages"] > 1 else ""
    )
    return join(
        el("h1", view.title),
        el("p", where, class_="note"),
        el("ul", *map(_card, data["products"]), class_="shelf")
        if data["products"]
        else el("p", "Nothing here goes by these words. Fewer words find more."),
        _turns(view),
    )


def _turns(view: View) -> Html:
    """Links to the pages before and after this one."""
    links = (
        el("a", view.links[name].title, href=view.links[name].href, rel=name)
        for name in ("prev", "next")
        if name in view.links
    )
    return el("nav", *links, class_="turns")


def _product(view: View) -> Html:
    data = view.data
    add = view.actions.get("add-to-cart")
    category = view.links["category"]
    return el(
        "article",
        _picture(data["picture"], data["name"]),
        el(
            "div",
            el("p", el("a", category.title, href=category.href), class_="note"),
            el("h1", data["name"]),
            el("p", _price(data["price"]), class_="price"),
            el("p", data["description"]),
            el("p", f"{data['stock']} in stock · {data['sku']}" if add else "Sold out", class_="note"),
            form(add) if add else None,
        ),
    )


def _rows(items: list[dict[str, Any]]) -> list[Html]:
    return [
        el(
            "tr",
            el("td", _picture(each["picture"], "") if "picture" in each else None, class_="thumb"),
            el("td", el("a", each["name"], href=each["href"])),
            el("td", _price(each["price"]), class_="number"),
            el("td", *_quantity(each)),
            el("td", _price(each["sum"]), class_="number"),
        )
        for each in items
    ]


def _quantity(item: dict[str, Any]) -> list[str]:
    actions = item.get("actions", {})
    if not actions:
        return [f"× {item['quantity']}"]
    return [form(actions[name], compact=True, quiet=True) for name in ("change", "remove")]


def _bill(data: Any) -> Html:
    free = data["delivery"]["amount"] == "0.00"
    sums = (
        ("Subtotal", "subtotal", _price(data["subtotal"])),
        ("Delivery", "delivery", "free" if free else _price(data["delivery"])),
        ("Total", "total", _price(data["total"])),
    )
    rows = (
        el("tr", el("th", label, colspan=4), el("td", amount, class_="number"), class_=name)
        for label, name, amount in sums
    )
    return el("table", el("tbody", *_rows(data["items"])), el("tfoot", *rows))


def _cart(view: View) -> Html:
    catalogue = view.links["catalogue"]
    browse = el("p", el("a", "Look around the shop", href=catalogue.href))
    if not view.data["items"]:
        return join(el("h1", view.title), el("p", "It is empty."), browse)
    order = view.actions.get("place-order")
    return join(el("h1", view.title), _bill(view.data), form(order) if order else None, browse)


def _no_cart(view: View) -> Html:
    link = el("a", "Look around the shop", href=view.links["catalogue"].href)
    return join(el("h1", view.title), el("p", view.data["note"]), el("p", link))


def _login(view: View) -> Html:
    return el(
        "article",
        el("h1", view.title),
        form(view.actions["log-in"]),
        el("p", view.data["hint"], class_="note"),
    )


def _account(view: View) -> Html:
    leave = view.actions.get("log-out")
    orders = view.links["orders"]
    return el(
        "article",
        el("h1", view.title),
        el("p", f"Your parcels go to {view.data['address']}."),
        el("p", el("a", orders.title, href=orders.href)),
        form(leave, quiet=True) if leave else el("p", view.data["note"], class_="note"),
    )


def _orders(view: View) -> Html:
    rows = (
        el(
            "tr",
            el("td", el("a", each["placed"].replace("T", ", ").removesuffix("Z"), href=each["href"])),
            el("td", each["reference"]),
            el("td", f"{each['count']} pieces" if each["count"] != 1 else "1 piece"),
            el("td", _price(each["total"]), class_="number"),
        )
        for each in view.data["orders"]
    )
    listing = el("table", el("tbody", *rows)) if view.data["orders"] else el("p", "You have not ordered yet.")
    return join(el("h1", view.title), listing, _turns(view))


def _order(view: View) -> Html:
    placed = view.data["placed"].replace("T", " at ").removesuffix("Z")
    orders = view.links["orders"]
    return join(
        el("h1", view.title),
        el("p", f"Placed on {placed} (UTC). It goes to {view.data['address']}."),
        el("p", f"Your reference: {view.data['reference']}") if view.data["reference"] else None,
        _bill(view.data),
        el("p", el("a", orders.title, href=orders.href)),
    )


def _problem(view: View) -> Html:
    link = view.data.get("link")
    return el(
        "article",
        el("h1", view.title),
        el("p", view.data["detail"]),
        el("p", el("a", link.title, href=link.href)) if link else None,
        el("p", f"{view.data['status']}", class_="note"),
    )


PAGES: dict[str, Callable[[View], Html]] = {
    "home": _home,
    "about": _about,
    "problems": _problems,
    "catalogue": _catalogue,
    "product": _product,
    "cart": _cart,
    "no-cart": _no_cart,
    "login": _login,
    "account": _account,
    "orders": _orders,
    "order": _order,
    "problem": _problem,
}
