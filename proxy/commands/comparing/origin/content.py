"""What the origin server answers: one target, one answer, the same each time but for its Date.

| target | content | may be stored |
|---|---|---|
| /hot | 1 KiB of JSON | for an hour |
| /item/N | 1 KiB of JSON | for an hour |
| /private/N | 1 KiB of JSON | no |
| /cold/N | 1 KiB of JSON, after 200 ms | for an hour |
| /large | 10 MiB | for an hour |
| /version/N | 1 KiB of JSON that begins with a number, one more each time | for an hour |
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

SMALL = 1024
LARGE = 10 << 20
COLD_SECONDS = 0.2
"""How long the origin thinks about a target under /cold/."""

HOT = "/hot"
ITEMS = 1000
"""How many different targets there are under /item/ and /private/."""


def item(number: int) -> str:
    """A target whose answer may be stored."""
    return f"/item/{number}"


def private(number: int) -> str:
    """A target whose answer must not be stored."""
    return f"/private/{number}"


def cold(number: int) -> str:
    """A target whose answer may be stored, once it comes."""
    return f"/cold/{number}"


def version(number: int) -> str:
    """A target whose answer may be stored, and is another one each time."""
    return f"/version/{number}"


def versioned(target: str, count: int) -> tuple[bytes, bytes]:
    """The `count`th answer to such a target, the head from after its Date, and the content."""
    body = b'{"version": %12d, "filling": "%b"}' % (count, b"-" * (SMALL - 40))
    lines = b'Content-Type: application/json\r\nCache-Control: max-age=3600\r\nETag: "%d"\r\n' % count
    return lines + b"Content-Length: %d\r\n\r\n" % len(body), body


def version_in(body: bytes) -> int:
    """Which one it was. Raises ValueError where it is something else."""
    return int(body[12:24])


@lru_cache(maxsize=4 * ITEMS)
def content(target: str) -> bytes | None:
    """The content of the answer to a target; None where there is no such target."""
    if target == "/large":
        return _large()
    room, _, number = target[1:].partition("/")
    if target != HOT and (room not in ("item", "private", "cold") or not number.isdecimal()):
        return None
    described = {"id": target, "name": f"What stands at {target}", "tags": ["an", "example"], "filling": ""}
    empty = len(json.dumps(described))
    described["filling"] = _filling(target, SMALL - empty)
    return json.dumps(described).encode()


@lru_cache(maxsize=4 * ITEMS)
def head(target: str) -> bytes:
    """The head of that answer, from after its Date to its end: what an API behind a proxy usually says."""
    body = content(target)
    if body is None:
        return b"Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
    stored = not target.startswith("/private/")
    lines = [
        "Server: origin",
        f"Content-Type: {'application/octet-stream' if target == '/large' else 'application/json'}",
        f"Content-Length: {len(body)}",
        f"Cache-Control: {'public, max-age=3600' if stored else 'no-store'}",
        f'ETag: "{hashlib.sha256(target.encode()).hexdigest()[:20]}"',
        "Last-Modified: Mon, 01 Sep 2025 08:00:00 GMT",
        "Vary: Accept-Encoding",
        "X-Content-Type-Options: nosniff",
        "Strict-Transport-Security: max-age=31536000",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def _filling(seed: str, length: int) -> str:
    """Letters that no compression and no accident would make the same for two targets."""
    pieces, size = [], 0
    while size < length:
        pieces.append(hashlib.sha256(f"{seed} {size}".encode()).hexdigest())
        size += 64
    return "".join(pieces)[:length]


@lru_cache(maxsize=1)
def _large() -> bytes:
    block = b"".join(hashlib.sha256(str(index).encode()).digest() for index in range(2048))
    return block * (LARGE // len(block))
