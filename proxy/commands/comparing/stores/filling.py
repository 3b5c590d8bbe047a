"""Fills a store with many small responses, without a proxy: that is quicker."""

from __future__ import annotations

import asyncio
import time

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.contract import Store

_TOGETHER = 100
_CONTENT = b"x" * 100
_HEAD = Fields([(b"Cache-Control", b"max-age=3600"), (b"Content-Length", b"100")])


async def fill(store: Store, count: int, labels: tuple[bytes, ...]) -> None:
    """Store `count` responses of 100 bytes that carry `labels`, under http://h/0 and so on."""
    for start in range(0, count, _TOGETHER):
        numbers = range(start, min(start + _TOGETHER, count))
        await asyncio.gather(*(_put(store, number, labels) for number in numbers))


async def _put(store: Store, number: int, labels: tuple[bytes, ...]) -> None:
    now, target = time.time(), b"/%d" % number
    request = Request(b"GET", target, authority=b"h")
    stored = StoredResponse(request, Response(200, _HEAD), now, now, 100, complete_length=100)
    key = b"GET http://h" + target
    writer = store.begin(key, labels, await store.look_up(key), len(_CONTENT))
    assert writer is not None, "there is no room in the store"
    writer.write(_CONTENT)
    await writer.commit(stored, "")
