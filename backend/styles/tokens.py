"""`tokens`: the shopper's state travels with each message, signed or encrypted, and the server keeps none.

The token is a cookie rather than a field of its own because a browser without scripts hands back nothing
else. It holds the account's name, the cart, the cart's name and the moment it expires. Any replica with the
same keys understands it.

What that costs: each request grows with the cart. A token can't be taken back before it expires, so
whoever kept an old one can hand it in again (a replay): they see the old cart, and are logged in as it
says. Two changes at the same time begin with the same token, and of the two that come back the browser
keeps the last: the other change is lost. No server that keeps nothing can prevent either. An order can't be
placed twice in these ways, because a cart's name stands for one order in the shop's records (`--data`).
"""

from __future__ import annotations

import math
import secrets
from hashlib import sha256

import msgspec
from aiohttp import web

from backend.accounts import account
from backend.cookies import expire_cookie, set_cookie
from backend.hypermedia import View
from backend.premises import Premises
from backend.problems import Problem, ShopError
from backend.records.contract import Once
from backend.representation import Terms, answer
from backend.shop import Cart, Line, Order
from backend.styles.counter import Counter, Visit
from backend.tokens.contract import BadToken, Seal
from backend.tokens.keys import KeyRing
from backend.tokens.signed import Signed

COOKIE = "shop"
READABLE = 4_096
"""No token that a browser would have kept is longer."""


class Claims(msgspec.Struct, forbid_unknown_fields=True):
    """What a token says: who, which cart, what is in it, and until when in seconds since 1970."""

    u: str
    c: str
    i: dict[str, int]
    x: int


class Mint:
    """Visits as tokens and back; keeps nothing. `lifetime` in seconds, `largest` in characters."""

    def __init__(self, seal: Seal, lifetime: float, largest: int) -> None:
        self._seal = seal
        self._largest = largest
        self.lifetime = lifetime

    def write(self, visit: Visit, now: float) -> str:
        """A token for the visit, good for a lifetime from `now`.

        Raises Problem("cart-too-large-for-token").
        """
        items = {line.sku: line.quantity for line in visit.cart.lines}
        claims = Claims(visit.account, visit.key, items, math.ceil(now + self.lifetime))
        text = self._seal.write(msgspec.to_builtins(claims))
        if len(text) > self._largest:
            raise Problem("cart-too-large-for-token", size=len(text), limit=self._largest)
        return text

    def read(self, token: str, now: float) -> Visit:
        """The visit that a token stands for; raises Problem("token-forged", "-expired" or "-too-large")."""
        if len(token) > READABLE:
            raise Problem("token-too-large", headers=[expire_cookie(COOKIE)])
        try:
            claims = msgspec.convert(self._seal.read(token), Claims)
        except (BadToken, msgspec.ValidationError) as error:
            raise Problem("token-forged", headers=[expire_cookie(COOKIE)]) from error
        if claims.x <= now:
            raise Problem("token-expired", headers=[expire_cookie(COOKIE)])
        lines = tuple(Line(sku, quantity) for sku, quantity in claims.i.items())
        return Visit(claims.c, claims.u if account(claims.u) else "", Cart(lines))


class Tokens(Counter):
    """Only changes hand out tokens: pages that aren't about anybody set no cookie and can be shared."""

    name = "tokens"
    summary = "State travels with each message in a sealed, time-limited token; the server keeps none of it."
    about = (
        "Your log-in and your cart are not kept here at all: they are written into a token, signed or "
        "encrypted and good for a limited time, that your browser holds as the cookie “shop” and sends "
        "with each message. Any replica that has the same keys can answer, a restart forgets nobody, and "
        "each message says all that is needed to understand it. The price is that each message grows with "
        "the cart, up to what a cookie holds; that a token can't be revoked before it expires: an old "
        "token, sent again, shows the old cart and the old log-in; and that of two changes at the same "
        "time one is lost. Pages that aren't about you say the same to everyone and can be shared by "
        "caches. Placed orders are resources in the shop's records, which replicas share; each cart has a "
        "name of its own that stands for one order, so the same token can't order twice."
    )
    private = Terms("private, no-cache", vary="Accept, Cookie")

    def __init__(self, premises: Premises) -> None:
        super().__init__(premises)
        settings = premises.settings
        self._keys = KeyRing(settings.secrets, settings.key_file)
        seal = _seal(settings.tokens, self._keys, f"backend.tokens {settings.shop}")
        self._mint = Mint(seal, settings.token_lifetime, settings.token_limit)

    def reload(self) -> None:
        self._keys.reload()

    async def show(self, request: web.Request, view: View, terms: Terms) -> web.Response:
        return answer(request, view, terms)

    async def read(self, request: web.Request) -> Visit:
        token = request.cookies.get(COOKIE)
        if token is None:
            return Visit(_new_name())
        return self._mint.read(token, self.premises.clock())

    async def keep(self, response: web.Response, before: Visit, after: Visit) -> None:
        if after != before:
            token = self._mint.write(after, self.premises.clock())
            response.headers.add(*self._cookie(token))

    def renewed(self, visit: Visit) -> Visit:
        return visit

    def ordered(self, visit: Visit) -> Visit:
        return Visit(_new_name(), visit.account)

    async def place(self, visit: Visit, order: Order) -> Order:
        """Raises Problem("cart-ordered") where this cart stands for another order: it has changed since."""
        content = repr((order.account, [(line.sku, line.quantity) for line in visit.cart.lines]))
        once = Once(f"cart {visit.key}", sha256(content.encode()).hexdigest())
        try:
            return await self.premises.records.place(order, once=once)
        except Problem as problem:
            if problem.kind != "idempotency-key-reused":
                raise
            token = self._mint.write(self.ordered(visit), self.premises.clock())
            raise Problem("cart-ordered", headers=[self._cookie(token)]) from problem

    def _cookie(self, token: str) -> tuple[str, str]:
        return set_cookie(COOKIE, token, max_age=math.ceil(self._mint.lifetime))


def _seal(kind: str, keys: KeyRing, purpose: str) -> Seal:
    if kind == "signed":
        return Signed(keys, purpose)
    try:
        from backend.tokens.encrypted import Encrypted
    except ImportError as error:
        raise ShopError("encrypted tokens need joserfc: pip install 'pellucid[demo]'") from error
    return Encrypted(keys, purpose)


def _new_name() -> str:
    return secrets.token_urlsafe(9)
