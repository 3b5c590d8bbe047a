"""The pages that aren't about anybody, but for the greeting that a Flask shop's layout has on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response, request, session

from backend import faces, pages, pictures
from backend.flasks import sessions
from backend.hypermedia import View
from backend.intake import page_of, query_value
from backend.premises import Premises
from backend.problems import Problem
from backend.representation import HTML, IMMUTABLE, JSON, Terms, fields_of, prefers_html, represent
from backend.shelves import ICON, OFFER, TITLES
from backend.styles import FLASK, SUMMARIES
from backend.views import Views

ABOUT = (
    "This is the same shop in Flask, with the log-in as its documentation teaches it: session['account'] "
    "= name. By itself Flask writes the session into the cookie “session”, signed: the state is the "
    "client's, the server keeps none of it, any replica with the same SECRET_KEY can answer, and an old "
    "cookie that is sent again shows the old cart and log-in and orders it once more. With Flask-Session "
    "the same cookie is only a name, and the state is on the server, in its memory or in a store that "
    "replicas share. Neither can be seen in the program's text, and either way each page greets you, so "
    "that Flask says Vary: Cookie and no cache can share it."
)

Route = tuple[str, str, Callable[..., Response]]


class Pages:
    """Handlers and their routes."""

    def __init__(self, premises: Premises, views: Views) -> None:
        self._premises = premises
        self._views = views

    def routes(self) -> Sequence[Route]:
        return (
            ("/", "GET", self.home),
            ("/about", "GET", self.about),
            ("/problems", "GET", self.problems),
            ("/catalogue", "GET", self.catalogue),
            ("/search", "GET", self.search),
            ("/products/<sku>", "GET", self.product),
            ("/products/<sku>/offer", "GET", self.offer),
            ("/pictures/<name>", "GET", self.picture),
            (pages.STYLESHEET_URL, "GET", self.stylesheet),
            (pages.ICON_URL, "GET", self.icon),
        )

    def home(self) -> Response:
        return shown(self._views.home(FLASK, SUMMARIES[FLASK]))

    def about(self) -> Response:
        return shown(self._views.about(FLASK, ABOUT, SUMMARIES))

    def problems(self) -> Response:
        return shown(self._views.problems())

    def catalogue(self) -> Response:
        category = _query("category")
        page = self._premises.catalogue.page(page_of(_query("page")), category)
        if page is None:
            raise Problem("not-found", "The catalogue has no such page.")
        asked = {"category": category} if category else {}
        return shown(self._views.listing(TITLES.get(category, "Catalogue"), "/catalogue", asked, page))

    def search(self) -> Response:
        wanted = _query("q")
        page = self._premises.catalogue.search(wanted, page_of(_query("page")))
        if page is None:
            raise Problem("not-found", "The search has no such page.")
        title = f"Search: {wanted}" if wanted else "Search"
        return shown(self._views.listing(title, "/search", {"q": wanted}, page))

    def product(self, sku: str) -> Response:
        product = self._premises.product(sku)
        return shown(self._views.product(product, faces.add_to_cart(product)))

    def offer(self, sku: str) -> Response:
        product = self._premises.product(sku)
        body, _ = represent(self._views.offer(product), html=False)
        return _public(body, JSON, OFFER, product.updated)

    def picture(self, name: str) -> Response:
        found = self._premises.pictures.find(request.path)
        if found is None:
            raise Problem("not-found")
        product, drawing = found
        return _public(drawing, pictures.MEDIA_TYPE, IMMUTABLE, product.updated)

    def stylesheet(self) -> Response:
        return _public(pages.STYLESHEET, "text/css", IMMUTABLE)

    def icon(self) -> Response:
        return _public(pages.ICON, pictures.MEDIA_TYPE, ICON)


def shown(view: View, status: int = 200) -> Response:
    """The view with its greeting, in the representation that the client prefers; Flask adds Vary: Cookie."""
    view = faces.about_you(view, session.get("account", ""), sessions.cart())
    body, media_type = represent(view, html=prefers_html(request.headers.get("Accept", "")))
    return Response(body, status, {"Vary": "Accept"}, content_type=with_charset(media_type))


def with_charset(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type == HTML else media_type


def _public(body: bytes, media_type: str, terms: Terms, updated: int | None = None) -> Response:
    response = Response(body, headers=fields_of(terms, body, updated), content_type=media_type)
    response.make_conditional(request)
    return response


def _query(name: str) -> str:
    return query_value(name, request.args.get(name, ""))
