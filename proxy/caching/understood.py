"""Which methods and status codes this cache understands well enough to store responses (RFC 9111 §3)."""

from __future__ import annotations

from proxy.caching.decision import Because
from proxy.caching.reasons import declare
from proxy.message.cache_control import Directives
from proxy.message.fields import Fields
from proxy.message.ranges import parse_content_range
from proxy.message.request import Request
from proxy.message.response import Response

METHOD = declare(
    "method", "RFC 9111 §3", "The definition of the request method lets no cache store its responses."
)
HEAD = declare(
    "head",
    "RFC 9110 §9.3.2",
    "A response to HEAD has no content to store; it can only update what is stored.",
)
POST = declare(
    "post",
    "RFC 9110 §9.3.3",
    "This cache stores no responses to POST, as no later POST could be answered with them.",
)
QUERY_CONTENT = declare(
    "query-content",
    "draft-ietf-httpbis-safe-method-w-body §2.7",
    "The content of the QUERY is part of the cache key, and isn't known.",
)
CONTENT_IN_GET = declare(
    "content-in-get",
    "RFC 9110 §9.3.1",
    "The request has content that means nothing in a GET, but may have changed the answer.",
)
INTERIM = declare("interim", "RFC 9111 §3", "Only final responses are stored.")
STATUS_INVALID = declare("status-invalid", "RFC 9110 §15", "The status code isn't one.")
NOT_MODIFIED = declare(
    "not-modified", "RFC 9111 §4.3.4", "A 304 updates what is stored; it isn't a response of its own."
)
OF_ONE_REQUEST = declare(
    "of-one-request",
    "RFC 9110 §15.5",
    "The status answers a condition, an expectation, a range or credentials of this request alone.",
)
NEVER_STORED_STATUS = declare(
    "never-stored-status", "RFC 6585 §3", "Responses with this status code must not be stored by a cache."
)
PARTIAL_NOT_UNDERSTOOD = declare(
    "partial-not-understood",
    "RFC 9111 §3.3",
    "A partial response is only stored where it holds one known range of bytes.",
)
STATUS_NOT_UNDERSTOOD = declare(
    "status-not-understood",
    "RFC 9111 §5.2.2.3",
    "must-understand keeps the response from a cache that doesn't know its status code.",
)

_OF_ONE_REQUEST = frozenset((407, 412, 416, 417))
_NEVER_STORED = frozenset((428, 429, 431, 511))  # RFC 6585 §3, §4, §5, §6
_DEFINED = frozenset(
    (*range(200, 207), *range(300, 306), 307, 308, *range(400, 418), 421, 422, 426, *range(500, 506))
)  # RFC 9110 §15


def method_forbids(request: Request) -> Because | None:
    """Why no response to this request is stored, judged by its method; None where it may be."""
    match request.method:
        case b"GET":
            return Because(CONTENT_IN_GET) if _has_content(request.fields) else None
        case b"QUERY":
            return Because(QUERY_CONTENT) if request.content_digest is None else None
        case b"HEAD":
            return Because(HEAD)
        case b"POST":
            return Because(POST)
        case method:
            return Because(METHOD, method[:40].decode("latin-1"))


def _has_content(fields: Fields) -> bool:
    return b"transfer-encoding" in fields or bool((fields.get(b"content-length") or b"").strip(b"0"))


def status_forbids(response: Response, directives: Directives) -> Because | None:
    """Why this response isn't stored, judged by its status code; None where it may be."""
    status = response.status
    reason = None
    if not 200 <= status <= 599:
        reason = INTERIM if 100 <= status <= 199 else STATUS_INVALID
    elif status == 304:
        reason = NOT_MODIFIED
    elif status in _OF_ONE_REQUEST:
        reason = OF_ONE_REQUEST
    elif status in _NEVER_STORED:
        reason = NEVER_STORED_STATUS
    elif status == 206 and not _one_range(response.fields):
        reason = PARTIAL_NOT_UNDERSTOOD
    elif b"must-understand" in directives and not understood(status):
        reason = STATUS_NOT_UNDERSTOOD
    return None if reason is None else Because(reason, str(status))


def understood(status: int) -> bool:
    """Whether all of the caching-related behaviour that is specified for a status code is implemented."""
    return status in _DEFINED


def _one_range(fields: Fields) -> bool:
    found = parse_content_range(fields.all(b"content-range"))
    return found is not None and found.extent is not None
