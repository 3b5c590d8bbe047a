"""The pages that aren't about anybody, the same in every style: entrance, catalogue, products, pictures."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from backend import pages, pictures
from backend.intake import page_number, query
from backend.premises import Premises
from backend.problems import Problem
from backend.representation import IMMUTABLE, JSON, Terms, content, public, represent
from backend.styles.contract import Style
from backend.wares import WARES

ENTRANCE = public(3_600, 86_400)
PRODUCT = public(300, 3_600)
OFFER = public(5, 30, vary="")
ICON = public(86_400, 604_800, vary="")
TITLES = {ware.slug: ware.title for ware in WARES}


def listing(*parameters: str) -> Terms:
    """For lists: only these query parameters mean anything, in whatever order (the No-Vary-Search draft)."""
    meaningful = " ".join(f'"{name}"' for name in parameters)
    terms = public(60, 600)
    return Terms(
        terms.cache_control, terms.vary, headers=(("No-Vary-Search", f"key-order, except=({meaningful})"),)
    )


CATALOGUE = listing("category", "page")
SEARCH = listing("q", "page")


class Shelves:
    """Handlers for a style; `summaries` are all styles' summaries by name."""

    def __init__(self, premises: Premises, style: Style, summaries: dict[str, str]) -> None:
        self._premises = premises
        self._style = style
        self._summaries = summaries

    def routes(self) -> Sequence[web.RouteDef]:
        return (
            web.get("/", self.get_home),
            web.get("/about", self.get_about),
            web.get("/problems", self.get_problems),
            web.get("/catalogue", self.get_catalogue),
            web.get("/search", self.get_search),
            web.get("/products/{sku}", self.get_product),
            web.get("/products/{sku}/offer", self.get_offer),
            web.get("/pictures/{name}", self.get_picture),
            web.get(pages.STYLESHEET_URL, self.get_stylesheet),
            web.get(pages.ICON_URL, self.get_icon),
        )

    async def get_home(self, request: web.Request) -> web.Response:
        style = self._style
        return await style.show(request, style.views.home(style.name, style.summary), ENTRANCE)

    async def get_about(self, request: web.Request) -> web.Response:
        style = self._style
        return await style.show(
            request, style.views.about(style.name, style.about, self._summaries), ENTRANCE
        )

    async def get_problems(self, request: web.Request) -> web.Response:
        return await self._style.show(request, self._style.views.problems(), ENTRANCE)

    async def get_catalogue(self, request: web.Request) -> web.Response:
        category = query(request, "category")
        page = self._premises.catalogue.page(page_number(request), category)
        if page is None:
            raise Problem("not-found", "The catalogue has no such page.")
        asked = {"category": category} if category else {}
        view = self._style.views.listing(TITLES.get(category, "Catalogue"), "/catalogue", asked, page)
        return await self._style.show(request, view, CATALOGUE)

    async def get_search(self, request: web.Request) -> web.Response:
        wanted = query(request, "q")
        page = self._premises.catalogue.search(wanted, page_number(request))
        if page is None:
            raise Problem("not-found", "The search has no such page.")
        title = f"Search: {wanted}" if wanted else "Search"
        return await self._style.show(
            request, self._style.views.listing(title, "/search", {"q": wanted}, page), SEARCH
        )

    async def get_product(self, request: web.Request) -> web.Response:
        product = self._premises.product(request.match_info["sku"])
        view = self._style.views.product(product, self._style.add_to_cart(product))
        return await self._style.show(request, view, PRODUCT)

    async def get_offer(self, request: web.Request) -> web.Response:
        """Price and stock, as JSON only: about nobody in any style."""
        product = self._premises.product(request.match_info["sku"])
        body, _ = represent(self._style.views.offer(product), html=False)
        return content(request, body, JSON, OFFER, updated=product.updated)

    async def get_picture(self, request: web.Request) -> web.Response:
        found = self._premises.pictures.find(request.path)
        if found is None:
            raise Problem("not-found")
        product, drawing = found
        return content(request, drawing, pictures.MEDIA_TYPE, IMMUTABLE, updated=product.updated)

    async def get_stylesheet(self, request: web.Request) -> web.Response:
        return content(request, pages.STYLESHEET, "text/css", IMMUTABLE)

    async def get_icon(self, request: web.Request) -> web.Response:
        return content(request, pages.ICON, pictures.MEDIA_TYPE, ICON)
