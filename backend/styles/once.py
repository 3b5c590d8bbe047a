"""Requests that happen once, however often they are sent (the Idempotency-Key header field draft).

The key, bounded by who may use it and for what, stands for the request's content: sent again with the same
content it gets the same answer, from any replica that has the same records; with other content, a refusal.
What has failed isn't remembered: the same key may then be used for another try.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from hashlib import sha256

from backend.premises import Premises
from backend.problems import Problem
from backend.records.contract import Once

FIELD = "Idempotency-Key"
KEY = re.compile(r'"((?:[ !\x23-\x5b\x5d-\x7e]|\\["\\]){1,128})"|([!\x23-\x5b\x5d-\x7e]{1,128})')
UNGUESSABLE = 16
"""How many characters a key has at least where nobody says who they are."""


def read_key(headers: Mapping[str, str]) -> str | None:
    """The key: a string as in RFC 9651 §3.3.3, or a word without the quotes; None where none is sent."""
    text = headers.get(FIELD, "").strip()
    if not text:
        return None
    found = KEY.fullmatch(text)
    if found is None:
        raise Problem(
            "idempotency-key-missing", "The Idempotency-Key is a string of 1 to 128 characters of ASCII."
        )
    return found[1] or found[2]


def request_once(scope: str, key: str | None, *content: object) -> Once | None:
    """The request as what happens once; `scope` keeps one's keys from standing for another's request."""
    if key is None:
        return None
    digest = sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()
    return Once(f"{scope} {key}", digest)


@asynccontextmanager
async def performing(premises: Premises, once: Once | None) -> AsyncIterator[bytes | None]:
    """Begins the request, and gives it up if it fails; what it gave earlier, or None if it is to be done."""
    if once is None:
        yield None
        return
    earlier = await premises.records.begin(once, premises.clock())
    try:
        yield earlier
    except BaseException:
        if earlier is None:
            with suppress(Problem):
                await premises.records.give_up(once)
        raise
