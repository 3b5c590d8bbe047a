"""Answers made from a stored response: all of it, a part, or the word that it is unchanged (RFC 9111 §4)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from proxy.caching.age import current_age
from proxy.caching.decision import Because
from proxy.caching.effects import Content, Span
from proxy.caching.partial import asked, validators
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.message.conditions import Verdict, evaluate
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.ranges import Extent, content_range, multipart_byteranges
from proxy.message.request import Request
from proxy.message.response import Response

NOT_MODIFIED_FOR_CLIENT = declare(
    "client-up-to-date",
    "RFC 9111 §4.3.2",
    "The client's own copy is the same as the stored response, so it is told to use that.",
)
PARTS_FROM_STORED = declare(
    "range-from-stored",
    "RFC 9110 §14.2",
    "The ranges that the client asks for are taken from what is stored.",
)
UNSATISFIABLE = declare(
    "range-unsatisfiable",
    "RFC 9110 §15.5.17",
    "None of the ranges that the client asks for is in the content.",
)
RANGE_IGNORED = declare(
    "range-ignored",
    "RFC 9110 §14.2",
    "The Range can't or need not be followed, so the client gets everything.",
)

_WITHOUT_CONTENT = frozenset((204, 205, 304))
_REPRESENTATION = (
    b"content-type",
    b"content-encoding",
    b"content-language",
    b"content-length",
    b"content-range",
    b"last-modified",
)
"""Representation metadata that a 304, or a 206 to an If-Range, leaves out (RFC 9110 §15.3.7, §15.4.5)."""

_TO_BE_TOLD = frozenset((b"if-none-match", b"if-modified-since"))
"""By which a client asks to be told where its own copy is good (RFC 9110 §13.1.2, §13.1.3)."""

OF_CONTENT = (b"content-digest",)
"""What is worked out over the bytes of one message, and fits none with fewer of them (RFC 9530 §2)."""


def answer(
    request: Request, stored: StoredResponse, source: StoredResponse, now: float
) -> tuple[Response, Content, tuple[Because, ...]]:
    """The head and the content that answer `request` with `stored`, and what there is to say about it.

    `source` is where the content is read from: `stored` itself, or the entry that it is an update of. `now`
    is in seconds since the epoch. The request's own preconditions are evaluated here (RFC 9111 §4.3.2).
    """
    response = stored.response
    fields = with_age(response.fields.without(b"trailer"), stored, now)  # trailers are not stored
    asks = response.status in (200, 206) and request.fields.has_any(_TO_BE_TOLD)
    if asks and evaluate(request, validators(stored), now) is Verdict.NOT_MODIFIED:
        head = Response(304, not_modified_fields(fields), b"Not Modified", response.version)
        return head, (), (Because(NOT_MODIFIED_FOR_CLIENT),)
    if response.status in _WITHOUT_CONTENT:
        return Response(response.status, fields, response.reason, response.version), (), ()
    if response.status == 206:
        head = Response(206, fields, response.reason, response.version)
        return head, _all_of(source, stored.length), (Because(PARTS_FROM_STORED),)
    length = stored.complete_length
    extents = asked(request, stored, now)
    if extents is None or length is None:
        if length is not None and stored.request.method != b"HEAD":
            fields = fields.setting(b"Content-Length", b"%d" % length)
        if request.method == b"HEAD" and stored.request.method != b"HEAD":
            fields = fields.without(*OF_CONTENT)
        whole = Response(response.status, fields, response.reason, response.version)
        content = _all_of(source, length)
        ignored = request.method == b"GET" and b"range" in request.fields and response.status == 200
        said = (Because(RANGE_IGNORED),) if ignored else ()
        return whole, () if request.method == b"HEAD" else content, said
    if not extents:
        return unsatisfiable(length, now), (), (Because(UNSATISFIABLE),)
    head, pieces = _partial(request, stored, fields, extents, length)
    content = tuple(
        Span(source, piece.first, piece.last) if isinstance(piece, Extent) else piece for piece in pieces
    )
    return head, content, (Because(PARTS_FROM_STORED),)


def _all_of(source: StoredResponse, length: int | None) -> Content:
    if source.arriving:
        return (Span(source, 0, None),)
    return (Span(source, 0, length - 1),) if length else ()


def with_age(fields: Fields, stored: StoredResponse, now: float) -> Fields:
    """`fields` with the Age that a response from a cache has to have (RFC 9111 §4, §5.1), and a Date."""
    if b"date" not in fields:
        fields = fields.adding((b"Date", format_date(stored.response_time)))
    return fields.setting(b"Age", b"%d" % math.floor(current_age(stored, now)))


def not_modified_fields(fields: Fields) -> Fields:
    """What a 304 carries of a 200's fields (RFC 9110 §15.4.5).

    Last-Modified stays where there is no entity tag: it then guides the client's update.
    """
    kept = () if b"etag" in fields else (b"last-modified",)
    return fields.without(*OF_CONTENT, *(name for name in _REPRESENTATION if name not in kept))


def unsatisfiable(length: int, now: float) -> Response:
    """A 416 that tells the length of the representation (RFC 9110 §15.5.17)."""
    fields = Fields(
        [
            (b"Date", format_date(now)),
            (b"Content-Range", content_range(None, length)),
            (b"Content-Length", b"0"),
        ]
    )
    return Response(416, fields, b"Range Not Satisfiable")


def partial_head(
    request: Request, response: Response, fields: Fields, extent: Extent, length: int
) -> Response:
    """The head of a 206 with one part (RFC 9110 §15.3.7.1)."""
    fields = fields.without(*OF_CONTENT)
    if b"if-range" in request.fields:
        fields = fields.without(*_REPRESENTATION)
    fields = fields.setting(b"Content-Length", b"%d" % extent.length)
    fields = fields.setting(b"Content-Range", content_range(extent, length))
    return Response(206, fields, b"Partial Content", response.version)


def _partial(
    request: Request, stored: StoredResponse, fields: Fields, extents: Sequence[Extent], length: int
) -> tuple[Response, tuple[bytes | Extent, ...]]:
    if len(extents) == 1:
        return partial_head(request, stored.response, fields, extents[0], length), (extents[0],)
    boundary = _boundary(request, fields)
    content_type = stored.response.fields.get(b"content-type")
    line, pieces = multipart_byteranges(extents, length, content_type, boundary)
    if b"if-range" in request.fields:
        fields = fields.without(*_REPRESENTATION)
    total = sum(piece.length if isinstance(piece, Extent) else len(piece) for piece in pieces)
    fields = fields.without(b"content-range", *OF_CONTENT).setting(*line)
    fields = fields.setting(b"Content-Length", b"%d" % total)
    return Response(206, fields, b"Partial Content", stored.response.version), pieces


def _boundary(request: Request, fields: Fields) -> bytes:
    """A boundary that the content holds only by a chance of one to 2^128."""
    seed = repr((request.target, request.fields.get(b"range"), tuple(fields)))
    return hashlib.sha256(seed.encode()).hexdigest()[:32].encode()
