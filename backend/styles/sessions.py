"""`sessions`: the shopper's state is in this server's memory, behind an opaque cookie.

This is how most web frameworks do it, with what that costs left in plain sight. Each page greets its
reader, so no page can be shared; a GET of a product changes what the next page says; a request means
something only to the process that remembers its session.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace

from aiohttp import web

from backend.cookies import expire_cookie, set_cookie
from backend.hypermedia import View
from backend.premises import Premises
from backend.problems import Problem
from backend.representation import Terms, answer
from backend.shop import EMPTY, Cart, Order
from backend.styles.counter import Counter, Visit

COOKIE = "sid"
SEEN = 5
"""How many products a session remembers as recently seen."""
PAGE = Terms(None, vary="Accept, Cookie", validators=False)


@dataclass(frozen=True, slots=True)
class Session:
    """What is remembered of one shopper; `seen` are products' SKUs, the latest first; `used` in seconds."""

    used: float
    account: str = ""
    cart: Cart = EMPTY
    seen: tuple[str, ...] = ()


class SessionMemory:
    """At most `limit` sessions, each until `lifetime` seconds after its last use; the stalest leave first."""

    def __init__(self, limit: int, lifetime: float) -> None:
        self._limit = limit
        self._lifetime = lifetime
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, sid: str, now: float) -> Session | None:
        session = self._sessions.get(sid)
        if session is None or session.used + self._lifetime <= now:
            self._sessions.pop(sid, None)
            return None
        return session

    def store(self, sid: str, session: Session) -> None:
        self._sessions[sid] = session
        self._sessions.move_to_end(sid)
        while len(self._sessions) > self._limit or self._oldest().used + self._lifetime <= session.used:
            self._sessions.popitem(last=False)

    def drop(self, sid: str) -> None:
        self._sessions.pop(sid, None)

    def _oldest(self) -> Session:
        return next(iter(self._sessions.values()))


class Sessions(Counter):
    """Sessions begin with the first page; their names change at log-in and log-out, so none can be fixed."""

    name = "sessions"
    summary = "State is in this server's memory behind the cookie “sid”; no message says it all."
    about = (
        "Your log-in, your cart and what you looked at are kept in the memory of the one server process "
        "that you happened to reach first; your browser holds only the cookie “sid”, a random name for "
        "that piece of memory. Each message is short, but nobody between you and the server can tell what "
        "it means, and no other replica can answer it: it needs sticky routing, and a restart forgets "
        "everyone. Every page greets you, so no page may be shared by a cache; and looking at a product "
        "changes what the next page shows, so even reading has an effect. Only pictures, the stylesheet "
        "and prices (/products/{sku}/offer) are free of the session and can be cached. Orders are kept in "
        "the shop's records."
    )
    private = Terms("private, no-store", vary="Accept, Cookie", validators=False)

    def __init__(self, premises: Premises) -> None:
        super().__init__(premises)
        settings = premises.settings
        self.memory = SessionMemory(settings.session_limit, settings.session_lifetime)

    def show(self, request: web.Request, view: View, terms: Terms) -> web.Response:
        """The page with a greeting, for one reader: what its content would have permitted is lost by that."""
        now = self.premises.clock()
        sid = request.cookies.get(COOKIE, "")
        session = self.memory.find(sid, now)
        if session is None:
            sid, session = _new_sid(), Session(now)
        response = answer(
            request,
            self.about_you(view, Visit(sid, session.account, session.cart)),
            self.private if terms is self.private else PAGE,
        )
        if view.kind == "product":
            sku = view.data["sku"]
            seen = (sku, *(each for each in session.seen if each != sku))[:SEEN]
            session = replace(session, seen=seen)
        self.memory.store(sid, replace(session, used=now))
        if request.cookies.get(COOKIE) != sid:
            response.headers.add(*set_cookie(COOKIE, sid))
        return response

    def about_you(self, view: View, visit: Visit) -> View:
        view = super().about_you(view, visit)
        session = self.memory.find(visit.key, self.premises.clock())
        products = map(self.premises.catalogue.product, session.seen if session else ())
        seen = [{"name": p.name, "href": f"/products/{p.sku}"} for p in products if p]
        return replace(view, data={**view.data, "you": {**view.data["you"], "recently_seen": seen}})

    def read(self, request: web.Request) -> Visit:
        """Raises Problem("session-unknown") for a cookie that no session here belongs to."""
        sid = request.cookies.get(COOKIE)
        if sid is None:
            return Visit(_new_sid())
        session = self.memory.find(sid, self.premises.clock())
        if session is None:
            raise Problem("session-unknown", headers=[expire_cookie(COOKIE)])
        return Visit(sid, session.account, session.cart)

    def keep(self, response: web.Response, before: Visit, after: Visit) -> None:
        now = self.premises.clock()
        known = self.memory.find(before.key, now)
        session = known or Session(now)
        if after.key != before.key:
            self.memory.drop(before.key)
            session = Session(now)
        self.memory.store(after.key, replace(session, used=now, account=after.account, cart=after.cart))
        if known is None or after.key != before.key:
            response.headers.add(*set_cookie(COOKIE, after.key))

    def renewed(self, visit: Visit) -> Visit:
        return replace(visit, key=_new_sid())

    def ordered(self, visit: Visit) -> Visit:
        return replace(visit, cart=EMPTY)

    def place(self, visit: Visit, order: Order) -> Order:
        return self.premises.records.place(order)


def _new_sid() -> str:
    return secrets.token_urlsafe(18)
