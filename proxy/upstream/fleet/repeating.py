"""What it takes to send a request to a second server: its content held, and a word on its meaning."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from msgspec import Struct

from proxy.message.request import Request
from proxy.upstream.contract import Content
from proxy.upstream.planner import IDEMPOTENT


class Repeatable(Struct, frozen=True):
    """Whether a request means the same when it is sent twice, and why (not), in words for the record.

    `doubt` says what another server may lack to understand it, empty where the request brings all of that.
    """

    may: bool
    why: str
    doubt: str = ""


Judge = Callable[[Request], Repeatable]
"""Tells from a request alone whether it may be sent again."""


def by_method(request: Request) -> Repeatable:
    """What the method says (RFC 9110 §9.2.2)."""
    name = request.method.decode("latin-1")
    if request.method in IDEMPOTENT:
        return Repeatable(True, f"{name} is idempotent")
    return Repeatable(False, f"{name} is not idempotent, and may have been acted upon")


async def held(content: Content | None, limit: int) -> bytes | None:
    """The whole of a content of at most `limit` bytes; None where it's longer, or nobody knows how long.

    What it raises is what reading the content raises.
    """
    if content is None or content.length is None or content.length > limit:
        return None
    return b"".join([piece async for piece in content.pieces])


def afresh(content: Content | None, whole: bytes | None) -> Content | None:
    """The content, to be read from its beginning where the `whole` of it is held."""
    if content is None or whole is None:
        return content
    return replace(content, pieces=_once(whole))


async def _once(whole: bytes) -> AsyncIterator[bytes]:
    if whole:
        yield whole
