"""What the tests of storage put into a store, and read back."""

from __future__ import annotations

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.contract import Entry, Store

NOW = 1_700_000_000.0
DIGEST = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


def response(length: int, *, target: bytes = b"/items", at: float = NOW, **others: object) -> StoredResponse:
    """A plain stored response with `length` bytes of content."""
    return StoredResponse(
        Request(b"GET", target, authority=b"api.example.org"),
        Response(200, Fields([(b"Content-Type", b"text/plain"), (b"ETag", b'"1"')]), b"OK"),
        at,
        at + 0.25,
        length,
        complete_length=length,
        **others,
    )


async def put(
    store: Store,
    key: bytes,
    content: bytes = b"content",
    *,
    labels: tuple[bytes, ...] = (),
    replaces: tuple[Entry, ...] = (),
    expires: float | None = None,
    at: float = NOW,
) -> Entry:
    """Store `content` under `key` in two pieces."""
    writer = store.begin(key, labels, replaces, len(content))
    assert writer is not None
    half = len(content) // 2
    assert writer.write(content[:half])
    assert writer.write(content[half:])
    entry = await writer.commit(response(len(content), at=at), DIGEST, expires)
    assert entry is not None
    return entry


async def read(entry: Entry, first: int = 0, last: int | None = None) -> bytes:
    """The content as `read` gives it, each piece within its bound."""
    pieces = [piece async for piece in entry.read(first, entry.stored.length - 1 if last is None else last)]
    assert all(0 < len(piece) <= 1 << 20 for piece in pieces)
    return b"".join(pieces)


async def contents(store: Store, key: bytes) -> list[bytes]:
    return sorted([await read(entry) for entry in await store.look_up(key)])
