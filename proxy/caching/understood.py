"""Which methods and status codes this cache understands well enough to store responses (RFC 9111 §3)."""

from __future__ import annotations

from proxy.caching.decision import Because
from proxy.caching.reasons import declare
from proxy.message.cache_control import Directives
from proxy.message.conditions import CONDITIONAL
from proxy.message.fields import Fields
from proxy.message.ranges import is_multipart, parse_content_range
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.uri import resolve_for, target_uri

METHOD = declare(
    "method", "RFC 9111 §3", "The definition of the request method lets no cache store its responses."
)
HEAD = declare(
    "head",
    "RFC 9110 §9.3.2",
    "A response to HEAD has no content to store; where a GET is stored it only updates that.",
)
POST = declare(
    "post",
    "RFC 9110 §9.3.3",
    "A response to POST is stored only with an explicit lifetime and where it is what a GET would give.",
)
POST_AS_GET = declare(
    "post-as-get",
    "RFC 9110 §9.3.3",
    "The response to POST is a representation of its target, so that a later GET can be answered with it.",
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
    "A partial response is only stored where it holds known ranges of bytes.",
)
STATUS_NOT_UNDERSTOOD = declare(
    "status-not-understood",
    "RFC 9111 §5.2.2.3",
    "must-understand keeps the response from a cache that doesn't know its status code.",
)

_OF_ONE_REQUEST = {
    407: frozenset((b"proxy-authorization",)),
    412: frozenset(CONDITIONAL),
    416: frozenset((b"range",)),
    417: frozenset((b"expect",)),
}
"""Status codes that answer a field of the request: without one they are stored like others."""

_NEVER_STORED = frozenset((428, 429, 431, 511))  # RFC 6585 §3, §4, §5, §6
_DEFINED = frozenset(
    (*range(200, 207), *range(300, 306), 307, 308, *range(400, 418), 421, 422, 426, *range(500, 506))
)  # RFC 9110 §15


def represents_target(request: Request, response: Response) -> bool:
    """Whether this is a response to POST that a GET would get too (RFC 9110 §8.7, §9.3.3)."""
    values = response.fields.all(b"content-location")
    if request.method != b"POST" or response.status not in (200, 203) or len(values) != 1:
        return False
    return resolve_for(values[0], request) == target_uri(request)


def method_forbids(request: Request) -> Because | None:
    """Why no response to this request is stored, judged by its method; None where it may be.

    Here a HEAD is judged as if no later HEAD had to be answered, and a POST as if `represents_target` did not
    hold for its response.
    """
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


def status_forbids(
    response: Response, directives: Directives, request: Request | None = None
) -> Because | None:
    """Why this response isn't stored, judged by its status code; None where it may be.

    `request` is what it answers: where that isn't known, the status may be about a field that it had.
    """
    status = response.status
    reason = None
    if not 200 <= status <= 599:
        reason = INTERIM if 100 <= status <= 199 else STATUS_INVALID
    elif status == 304:
        reason = NOT_MODIFIED
    elif _of_one_request(status, request):
        reason = OF_ONE_REQUEST
    elif status in _NEVER_STORED:
        reason = NEVER_STORED_STATUS
    elif status == 206 and not _ranges_of_bytes(response.fields):
        reason = PARTIAL_NOT_UNDERSTOOD
    elif b"must-understand" in directives and not understood(status):
        reason = STATUS_NOT_UNDERSTOOD
    return None if reason is None else Because(reason, str(status))


def _of_one_request(status: int, request: Request | None) -> bool:
    asked = _OF_ONE_REQUEST.get(status, frozenset())
    return bool(asked) if request is None else request.fields.has_any(asked)


def understood(status: int) -> bool:
    """Whether all of the caching-related behaviour that is specified for a status code is implemented."""
    return status in _DEFINED


def _ranges_of_bytes(fields: Fields) -> bool:
    values = fields.all(b"content-range")
    if not values:
        return is_multipart(fields)
    found = parse_content_range(values)
    return found is not None and found.extent is not None
