"""Responses that won't change while they are fresh (RFC 8246)."""

from __future__ import annotations

from proxy.caching.decision import Because
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import Effective
from proxy.message.cache_control import Directives

IMMUTABLE = declare(
    "immutable",
    "RFC 8246 §2.1",
    "The response won't change while it is fresh, so a mere reload doesn't make the cache validate it.",
)


def spares_validation(
    stored: StoredResponse, effective: Effective, request_directives: Directives, fresh: bool
) -> Because | None:
    """Why a fresh response need not be validated although the request limits its age; None where it must.

    To be asked where the request's max-age is all that stands against reuse: that is what the reload of a
    user agent sends. no-cache is the signal that a validation is necessary, and min-fresh asks for something
    that immutable does not promise. An incomplete response, a sign of corruption, has no such privilege
    (RFC 8246 §2.1, §3).
    """
    if b"immutable" not in effective.directives or not fresh or not stored.complete or stored.invalidated:
        return None
    if effective.directives.unqualified(b"no-cache"):
        return None
    if b"no-cache" in request_directives or b"min-fresh" in request_directives:
        return None
    return Because(IMMUTABLE)
