"""Everything that can be wrong with a request, declared once: problem types for RFC 9457 documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem type: the status code that it is answered with, its title, and what to do about it."""

    status: int
    title: str
    meaning: str


KINDS: dict[str, Kind] = {
    "malformed-body": Kind(
        400,
        "The body can't be read",
        "The content doesn't follow the syntax of the media type that it was sent as.",
    ),
    "malformed-query": Kind(
        400, "The query can't be read", "Page numbers are positive whole numbers; text is UTF-8."
    ),
    "idempotency-key-missing": Kind(
        400,
        "An Idempotency-Key is needed",
        "Placing an order needs an Idempotency-Key, so that a retry can't order twice.",
    ),
    "idempotency-key-weak": Kind(
        400,
        "This Idempotency-Key could be somebody else's",
        "Where nobody says who they are, a key has at least 16 characters that nobody guesses: a UUID.",
    ),
    "token-forged": Kind(
        400,
        "That token isn't one of ours",
        "The shop token was altered, cut short, or signed with another secret. It has been taken back.",
    ),
    "credentials-needed": Kind(
        401, "Please say who you are", "This resource needs a name and password (HTTP Basic authentication)."
    ),
    "log-in-first": Kind(403, "Please log in first", "Accounts and orders are for those who have logged in."),
    "wrong-password": Kind(
        403, "That name and password don't match", "No account has this name with this password."
    ),
    "session-unknown": Kind(
        403,
        "Your session isn't known here",
        "It ended, or another server holds it. Its cookie has been taken back: please try again.",
    ),
    "token-expired": Kind(
        403, "Your token has expired", "The shop token is past its time and has been taken back: start anew."
    ),
    "cross-site": Kind(
        403,
        "Sent from another site",
        "Requests that change something are only taken from the shop's own pages.",
    ),
    "not-found": Kind(404, "Nothing is here", "No resource has this URL."),
    "no-such-product": Kind(404, "There is no such product", "No product has this number."),
    "no-such-cart": Kind(
        404, "There is no such cart", "The cart was never there, or was left alone for too long."
    ),
    "no-such-order": Kind(404, "There is no such order", "You have no order with this name."),
    "not-in-cart": Kind(404, "That isn't in the cart", "The cart has no line for this product."),
    "method-not-allowed": Kind(
        405, "That can't be done here", "The Allow field lists the methods that this resource has."
    ),
    "cart-empty": Kind(409, "The cart is empty", "There is nothing to order."),
    "cart-changed": Kind(
        409,
        "The cart has changed",
        "It isn't as it was when the order was asked for: look at it again, then order.",
    ),
    "cart-ordered": Kind(
        409,
        "This cart was ordered already",
        "An old token was sent again. You have been given an empty cart.",
    ),
    "idempotency-in-progress": Kind(
        409,
        "The first request with this key hasn't ended",
        "It is being worked on, or was cut off: send it again after the time in Retry-After.",
    ),
    "not-enough-stock": Kind(409, "Not that many in stock", "Ask for no more than there are."),
    "cart-full": Kind(409, "The cart is full", "A cart holds at most 100 products, and 99 pieces of each."),
    "precondition-failed": Kind(
        412, "It has changed since you looked", "The If-Match tag names an older state: fetch it again."
    ),
    "cart-too-large-for-token": Kind(
        413,
        "The cart no longer fits into a token",
        "What a client keeps in a cookie has at most 4096 bytes: order what there is, or take something out.",
    ),
    "too-large": Kind(413, "The body is too large", "Nothing that the shop understands is this long."),
    "unsupported-media-type": Kind(
        415, "This media type isn't understood here", "The Accept field of this response says what is."
    ),
    "unknown-product": Kind(
        422, "There is no such product", "The request's content names a product we don't have."
    ),
    "invalid-fields": Kind(
        422, "Some fields can't be used as they are", "A field is missing, or of the wrong type or size."
    ),
    "idempotency-key-reused": Kind(
        422, "This Idempotency-Key was used before", "It stands for another request: make a new key."
    ),
    "precondition-required": Kind(
        428, "If-Match is needed", "Say which state you mean to replace, so that nobody's change is lost."
    ),
    "token-too-large": Kind(
        431,
        "The token is too large",
        "No token of the shop is this long. It has been taken back: start anew.",
    ),
    "internal": Kind(500, "Something went wrong on our side", "It isn't your fault, and it has been logged."),
    "store-unavailable": Kind(
        503,
        "The shop can't reach its store",
        "Nothing is known to have been changed; what was under way may have been. Try again in a moment.",
    ),
    "overloaded": Kind(503, "The shop is too busy", "So many were before you that you would wait too long."),
}


class ShopError(Exception):
    """The one root of the backend's own exceptions."""


class Problem(ShopError):  # noqa: N818 - RFC 9457's word
    """Anything that the shop answers a request with other than what was asked for.

    `kind` is one of `KINDS`, `detail` one sentence about this occurrence (never a credential), `members`
    are extension members of the problem document (RFC 9457 §3.2), `headers` go out with the response.
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        *,
        headers: Sequence[tuple[str, str]] = (),
        **members: Any,
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail or KINDS[kind].meaning
        self.headers = tuple(headers)
        self.members = members

    @property
    def status(self) -> int:
        return KINDS[self.kind].status

    def document(self) -> dict[str, Any]:
        """The problem document's members (RFC 9457 §3.1)."""
        return {
            "type": f"/problems#{self.kind}",
            "title": KINDS[self.kind].title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
