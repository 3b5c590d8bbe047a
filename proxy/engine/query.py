"""The content of a QUERY, which is part of its cache key."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

from proxy.engine.downstream import Downstream
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.contract import Content


async def with_content_in_key(client: Downstream, limit: int) -> tuple[Request, Content | None, bool]:
    """The request with its content's digest, that content again, and whether the cache is to be passed by.

    The QUERY method's specification makes the content part of the cache key, so it is read first. One of
    more than `limit` bytes is forwarded past the cache rather than held in memory. So is a GET or HEAD with
    content, which has no meaning of its own but may change what the origin answers (RFC 9110 §9.3.1).
    """
    request, content = client.request, client.content
    if request.method != b"QUERY" or content is None:
        present = content is not None and content.length != 0
        return request, content, present and request.method in (b"GET", b"HEAD")
    if b"expect" in request.fields:
        await client.interim(Response(100, reason=b"Continue"))
        request = replace(request, fields=request.fields.without(b"expect"))
    held = bytearray()
    async for piece in content.pieces:
        held += piece
        if len(held) > limit:
            return request, replace(content, pieces=_again(bytes(held), content.pieces)), True
    digest = hashlib.sha256(held, usedforsecurity=False).digest()
    return replace(request, content_digest=digest), replace(content, pieces=_again(bytes(held))), False


async def _again(held: bytes, rest: AsyncIterator[bytes] | None = None) -> AsyncIterator[bytes]:
    yield held
    if rest is not None:
        async for piece in rest:
            yield piece
