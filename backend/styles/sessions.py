"""`sessions`: the shopper's state is in this server's memory, or in a store that replicas share, behind an
opaque cookie.

This is how most web frameworks do it, with what that costs left in plain sight. Each page greets its
reader, so no page can be shared; a GET of a product changes what the next page says; a request means
something only to those who remember its session.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from aiohttp import web

from backend.cookies import expire_cookie, set_cookie
from backend.hypermedia import View
from backend.premises import Premises
from backend.problems import Problem
from backend.representation import Terms, answer
from backend.shop import EMPTY, Cart, Line, Order
from backend.styles.counter import Counter, Visit
from backend.styles.remembering import Session, SessionMemory, SessionStore, SharedSessions
from backend.valkeys import LoopLine

COOKIE = "sid"
SEEN = 5
"""How many products a session remembers as recently seen."""
PAGE = Terms(None, vary="Accept, Cookie", validators=False)


@dataclass(frozen=True, slots=True)
class Remembered(Visit):
    """A visit as it was loaded; `known`: it is in the store under its key."""

    seen: tuple[str, ...] = ()
    known: bool = False


class Sessions(Counter):
    """Sessions begin with the first page; their names change at log-in and log-out, so none can be fixed."""

    name = "sessions"
    summary = "State is on the server behind the cookie “sid”; no message says it all."
    about = (
        "Your log-in, your cart and what you looked at are kept in the memory of the one server process "
        "that you happened to reach first, or in a store that all servers ask for each request; your "
        "browser holds only the cookie “sid”, a random name for that piece of memory. Each message is "
        "short, but nobody between you and the server can tell what it means. In one process's memory it "
        "needs sticky routing, and a restart forgets everyone; in a shared store, whoever writes last "
        "wins. Every page greets you, so no page may be shared by a cache; and looking at a product "
        "changes what the next page shows, so even reading has an effect. Only pictures, the stylesheet "
        "and prices (/products/{sku}/offer) are free of the session and can be cached. Orders are kept in "
        "the shop's records."
    )
    private = Terms("private, no-store", vary="Accept, Cookie", validators=False)

    def __init__(self, premises: Premises) -> None:
        super().__init__(premises)
        settings = premises.settings
        self.memory: SessionStore = (
            SharedSessions(LoopLine(settings.state), settings.session_lifetime)
            if settings.state
            else SessionMemory(settings.session_limit, settings.session_lifetime)
        )

    async def close(self) -> None:
        await self.memory.close()

    async def show(self, request: web.Request, view: View, terms: Terms) -> web.Response:
        """The page with a greeting, for one reader: what its content would have permitted is lost by that."""
        visit = await self._find(request) or self.renewed(Remembered())
        response = answer(
            request, self.about_you(view, visit), self.private if terms is self.private else PAGE
        )
        if view.kind == "product":
            sku = view.data["sku"]
            visit = replace(visit, seen=(sku, *(each for each in visit.seen if each != sku))[:SEEN])
        await self.keep(response, visit, visit)
        return response

    def about_you(self, view: View, visit: Visit) -> View:
        view = super().about_you(view, visit)
        products = map(self.premises.catalogue.product, _remembered(visit).seen)
        seen = [{"name": p.name, "href": f"/products/{p.sku}"} for p in products if p]
        return replace(view, data={**view.data, "you": {**view.data["you"], "recently_seen": seen}})

    async def read(self, request: web.Request) -> Visit:
        """Raises Problem("session-unknown") for a cookie that no session here belongs to."""
        if request.cookies.get(COOKIE) is None:
            return self.renewed(Remembered())
        visit = await self._find(request)
        if visit is None:
            raise Problem("session-unknown", headers=[expire_cookie(COOKIE)])
        return visit

    async def _find(self, request: web.Request) -> Remembered | None:
        sid = request.cookies.get(COOKIE, "")
        session = await self.memory.find(sid, self.premises.clock()) if sid else None
        if session is None:
            return None
        return Remembered(sid, session.account, session.cart, session.seen, known=True)

    async def keep(self, response: web.Response, before: Visit, after: Visit) -> None:
        kept = _remembered(after)
        session = Session(self.premises.clock(), kept.account, kept.cart, kept.seen)
        await self.memory.store(kept.key, session)
        if kept.key != before.key and _remembered(before).known:
            await self.memory.drop(before.key)
        if not kept.known:
            response.headers.add(*set_cookie(COOKIE, kept.key))

    def renewed(self, visit: Visit) -> Remembered:
        """Under a name of its own, without what was looked at before."""
        return Remembered(secrets.token_urlsafe(18), visit.account, visit.cart)

    def ordered(self, visit: Visit) -> Visit:
        return replace(visit, cart=EMPTY)

    async def place(self, visit: Visit, order: Order) -> Order:
        return await self.premises.records.place(order)

    async def fill(self, count: int) -> None:
        """Remembers so many shoppers with a small cart each, as if they had been here."""
        lines = tuple(Line(each.sku, 1) for each in self.premises.catalogue.products[:3])
        for number in range(1, count + 1):
            session = Session(self.premises.clock(), f"shopper-{number}", Cart(lines), (lines[0].sku,))
            await self.memory.store(secrets.token_urlsafe(18), session)

    def held(self) -> int:
        return len(self.memory)


def _remembered(visit: Visit) -> Remembered:
    assert isinstance(visit, Remembered)
    return visit
