"""`tokens`: the shopper's state travels with each message, signed, and the server keeps none of it.

The token is a cookie rather than a field of its own because a browser without scripts hands back nothing
else. It holds the account's name, the cart, the cart's name and the moment it expires; anybody may read
it, nobody can change it unnoticed. Any replica with the same secret understands it.

What that costs: each request grows with the cart. A token can't be taken back before it expires, so
whoever kept an old one can hand it in again (a replay): they see the old cart, and are logged in as it
says. An order can't be placed twice in that way, because a cart's name stands for one order in the shop's
records.
"""

from __future__ import annotations

import hashlib
import math
import secrets

import msgspec
from aiohttp import web
from itsdangerous import BadData, URLSafeSerializer

from backend.accounts import ACCOUNTS
from backend.cookies import expire_cookie, set_cookie
from backend.hypermedia import View
from backend.premises import Premises
from backend.problems import Problem
from backend.representation import Terms, answer
from backend.shop import Cart, Line, Order
from backend.styles.counter import Counter, Visit

COOKIE = "shop"
LARGEST = 3_800
"""How many characters a token may have; browsers drop cookies of more than 4096 bytes (RFC 6265 §6.1)."""


class Claims(msgspec.Struct, forbid_unknown_fields=True):
    """What a token says: who, which cart, what is in it, and until when in seconds since 1970."""

    u: str
    c: str
    i: dict[str, int]
    x: int


class Signer:
    """Writes and reads tokens with one secret; keeps nothing."""

    def __init__(self, secret: str, lifetime: float) -> None:
        self._serializer: URLSafeSerializer = URLSafeSerializer(
            secret,
            salt="backend.styles.tokens",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        self.lifetime = lifetime

    def write(self, visit: Visit, now: float) -> str:
        """A token for the visit, good for a lifetime from `now`; raises Problem("cart-full") if too long."""
        items = {line.sku: line.quantity for line in visit.cart.lines}
        claims = Claims(visit.account, visit.key, items, math.ceil(now + self.lifetime))
        token = self._serializer.dumps(msgspec.to_builtins(claims))
        text = token if isinstance(token, str) else token.decode("ascii")
        if len(text) > LARGEST:
            raise Problem("cart-full", "What is in the cart no longer fits into a token.")
        return text

    def read(self, token: str, now: float) -> Visit:
        """The visit that a token stands for; raises Problem("token-forged" or "token-expired")."""
        try:
            claims = msgspec.convert(self._serializer.loads(token), Claims)
        except (BadData, msgspec.ValidationError) as error:
            raise Problem("token-forged", headers=[expire_cookie(COOKIE)]) from error
        if claims.x <= now:
            raise Problem("token-expired", headers=[expire_cookie(COOKIE)])
        lines = tuple(Line(sku, quantity) for sku, quantity in claims.i.items())
        return Visit(claims.c, claims.u if claims.u in ACCOUNTS else "", Cart(lines))


class Tokens(Counter):
    """Only changes hand out tokens: pages that aren't about anybody set no cookie and can be shared."""

    name = "tokens"
    summary = "State travels with each message in a signed, time-limited token; the server keeps none of it."
    about = (
        "Your log-in and your cart are not kept here at all: they are written into a token, signed and "
        "good for a limited time, that your browser holds as the cookie “shop” and sends with each "
        "message. Any replica that has the same secret can answer, a restart forgets nobody, and each "
        "message says all that is needed to understand it. The price is that each message grows with the "
        "cart, and that a token can't be revoked before it expires: an old token, sent again, shows the "
        "old cart and the old log-in. Pages that aren't about you say the same to everyone and can be "
        "shared by caches. Placed orders are resources in the shop's records; each cart has a name of its "
        "own that stands for one order, so the same token can't order twice."
    )
    private = Terms("private, no-cache", vary="Accept, Cookie")

    def __init__(self, premises: Premises) -> None:
        super().__init__(premises)
        settings = premises.settings
        self._signer = Signer(settings.secret or secrets.token_urlsafe(32), settings.token_lifetime)

    def show(self, request: web.Request, view: View, terms: Terms) -> web.Response:
        return answer(request, view, terms)

    def read(self, request: web.Request) -> Visit:
        token = request.cookies.get(COOKIE)
        if token is None:
            return Visit(_new_name())
        return self._signer.read(token, self.premises.clock())

    def keep(self, response: web.Response, before: Visit, after: Visit) -> None:
        if after != before:
            token = self._signer.write(after, self.premises.clock())
            response.headers.add(*self._cookie(token))

    def renewed(self, visit: Visit) -> Visit:
        return visit

    def ordered(self, visit: Visit) -> Visit:
        return Visit(_new_name(), visit.account)

    def place(self, visit: Visit, order: Order) -> Order:
        """Raises Problem("cart-ordered") where this cart stands for another order: it has changed since."""
        fingerprint = repr([(line.sku, line.quantity) for line in visit.cart.lines])
        try:
            return self.premises.records.place(
                order, key=f"{order.account} {visit.key}", fingerprint=fingerprint
            )
        except Problem as problem:
            token = self._signer.write(self.ordered(visit), self.premises.clock())
            raise Problem("cart-ordered", headers=[self._cookie(token)]) from problem

    def _cookie(self, token: str) -> tuple[str, str]:
        return set_cookie(COOKIE, token, max_age=math.ceil(self._signer.lifetime))


def _new_name() -> str:
    return secrets.token_urlsafe(9)
