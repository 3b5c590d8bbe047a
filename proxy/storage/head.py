"""What is known of a stored response, in one block of bytes that takes little memory."""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

Lines = tuple[tuple[int | bytes, bytes], ...]

_KEEP_BUILT = 512
_KEEP_BELOW = 4096


class _Head(msgspec.Struct, array_like=True, frozen=True, gc=False):
    method: bytes
    target: bytes
    request_lines: Lines
    request_version: tuple[int, int]
    scheme: bytes
    authority: bytes
    content_digest: bytes | None
    status: int
    response_lines: Lines
    reason: bytes
    response_version: tuple[int, int]
    request_time: float
    response_time: float
    length: int
    first: int
    complete_length: int | None
    invalidated: bool
    digest: str
    stale_from: float = math.inf  # blocks that were made before there was such a thing lack it


# Only to be added to at the end: blocks may outlive the process that made them.
_NAMES = (
    b"Accept", b"Accept-Encoding", b"Accept-Language", b"Accept-Ranges", b"Age", b"Allow", b"Authorization",
    b"Cache-Control", b"Cache-Groups", b"CDN-Cache-Control", b"Content-Disposition", b"Content-Encoding",
    b"Content-Language", b"Content-Length", b"Content-Location", b"Content-Range", b"Content-Security-Policy",
    b"Content-Type", b"Cookie", b"Date", b"ETag", b"Expires", b"Forwarded", b"Host", b"If-Match",
    b"If-Modified-Since", b"If-None-Match", b"Last-Modified", b"Link", b"Location", b"Origin", b"Pragma",
    b"Range", b"Referer", b"Referrer-Policy", b"Retry-After", b"Server", b"Set-Cookie",
    b"Strict-Transport-Security", b"Traceparent", b"Tracestate", b"User-Agent", b"Vary", b"Via", b"Warning",
    b"WWW-Authenticate", b"X-Content-Type-Options", b"X-Forwarded-For", b"X-Forwarded-Host",
    b"X-Forwarded-Proto", b"X-Frame-Options", b"X-Powered-By", b"X-Request-Id",
    b"Access-Control-Allow-Credentials", b"Access-Control-Allow-Headers", b"Access-Control-Allow-Methods",
    b"Access-Control-Allow-Origin", b"Access-Control-Expose-Headers", b"Access-Control-Max-Age",
    b"Cache-Tag", b"No-Vary-Search", b"Surrogate-Key", b"Xkey",
)  # fmt: skip
_NAME_OF = tuple(spelled for name in _NAMES for spelled in (name, name.lower()))
_CODE_OF = {name: code for code, name in enumerate(_NAME_OF)}

_encoder = msgspec.msgpack.Encoder()
_buffer = bytearray()
_decoder = msgspec.msgpack.Decoder(_Head)


def pack(stored: StoredResponse, digest: str) -> bytes:
    """`stored` and the digest of its content as one block (MessagePack)."""
    request, response = stored.request, stored.response
    head = _Head(
        request.method,
        request.target,
        _coded(request.fields),
        request.version,
        request.scheme,
        request.authority,
        request.content_digest,
        response.status,
        _coded(response.fields),
        response.reason,
        response.version,
        stored.request_time,
        stored.response_time,
        stored.length,
        stored.first,
        stored.complete_length,
        stored.invalidated,
        digest,
        math.inf if stored.stale_from is None else stored.stale_from,
    )
    # A block that was cut to its size would leave a gap behind it that nothing fits into.
    _encoder.encode_into(head, _buffer)
    return bytes(_buffer)


def unpack(block: bytes) -> tuple[StoredResponse, str]:
    """The stored response and the digest in a block that `pack` made. Raises msgspec.DecodeError.

    The last few are kept built, as what is asked for once is asked for again; a large one is not, so that
    what is kept beside the store's budget stays small.
    """
    return _built(block) if len(block) < _KEEP_BELOW else _build(block)


def _build(block: bytes) -> tuple[StoredResponse, str]:
    head = _decoder.decode(block)
    request = Request(
        head.method,
        head.target,
        _fields(head.request_lines),
        head.request_version,
        head.scheme,
        head.authority,
        head.content_digest,
    )
    stored = StoredResponse(
        request,
        Response(head.status, _fields(head.response_lines), head.reason, head.response_version),
        head.request_time,
        head.response_time,
        head.length,
        head.first,
        head.complete_length,
        head.invalidated,
        stale_from=None if head.stale_from == math.inf else head.stale_from,
    )
    return stored, head.digest


def soften(block: bytes, at: float) -> bytes:
    """The block of the same response after a soft purge at `at` (seconds since the epoch), of the same size.

    The same object where that changes nothing: see `StoredResponse.softened`.
    """
    stored, digest = unpack(block)
    softened = stored.softened(at)
    return block if softened is stored else pack(softened, digest)


def _coded(fields: Fields) -> Lines:
    """The lines with well-known names as numbers."""
    return tuple((_CODE_OF.get(name, name), value) for name, value in fields)


def _fields(lines: Lines) -> Fields:
    return Fields((_NAME_OF[name] if isinstance(name, int) else name, value) for name, value in lines)


_built = lru_cache(maxsize=_KEEP_BUILT)(_build)
