"""Whether method, status and media type mean what they say."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPMethod, HTTPStatus

from proxy.visibility.findings.finding import Finding, Part, Severity, declare
from proxy.visibility.findings.said import is_json, media_type
from proxy.visibility.findings.signature import CHANGING, LOGIN, READING, TUNNELS, WRITING, Signature
from proxy.visibility.sessions.kinds import Kind

METHOD_UNKNOWN = declare(
    "method-unknown", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §16.1.1",
    "The method isn't registered: nobody on the way knows whether it is safe, or can be repeated.",
    "Use a registered method.",
)  # fmt: skip
METHOD_OVERRIDDEN = declare(
    "method-overridden", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §9.1",
    "The request means another method than it has: whoever doesn't know of that takes it for the wrong one.",
    "Use the method that is meant.",
)  # fmt: skip
GET_WITH_CONTENT = declare(
    "get-with-content", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §9.3.1",
    "Content in a GET or HEAD has no meaning, but is sent.",
    "Put what is asked for into the URI, or use QUERY.",
)  # fmt: skip
POST_READS = declare(
    "post-reads", Severity.LOW, Part.STANDARD, "RFC 9110 §9.2.1",
    "By its name the POST only reads: neither caches nor clients can know that it may be repeated.",
    "Use GET, or QUERY where the question is too long for a URI.",
)  # fmt: skip
OPERATION_IN_CONTENT = declare(
    "operation-in-content", Severity.LOW, Part.STANDARD, "Fielding 2000 §5.1.5",
    "What is done stands only in the content of the POST: nobody on the way knows whether it only reads.",
    "Give what is read URIs of its own, asked for with GET; or use QUERY for what reads.",
)  # fmt: skip
SAFE_CHANGES = declare(
    "safe-method-changes", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §9.2.1",
    "By its name the request changes something, but its method is safe: programs send such requests at will.",
    "Use POST, PUT, PATCH or DELETE.",
)  # fmt: skip
SAFE_ENDS_SESSION = declare(
    "safe-method-ends-session", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §9.2.1",
    "A request with a safe method ended a session.",
    "End sessions by POST or DELETE.",
)  # fmt: skip
STATUS_UNKNOWN = declare(
    "status-unknown", Severity.LOW, Part.STANDARD, "RFC 9110 §16.2.1",
    "The status code isn't registered: it is taken for the x00 of its class.",
    "Use the registered status code that fits, and say the rest in the content.",
)  # fmt: skip
ERROR_IN_SUCCESS = declare(
    "error-in-success", Severity.HIGH, Part.STANDARD, "RFC 9110 §15",
    "The content tells of an error, but the status of success: caches, clients and monitors take it for one.",
    "Answer with a status of the 4xx or 5xx class; RFC 9457 has a media type for the details.",
)  # fmt: skip
TYPE_MISSING = declare(
    "media-type-missing", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §8.3",
    "The response has content, but doesn't say what it is.",
    "Send Content-Type.",
)  # fmt: skip
TYPE_GENERIC = declare(
    "media-type-generic", Severity.INFO, Part.STANDARD, "RFC 9110 §8.3",
    "The media type says only that there are bytes.",
    "Send the media type of what it is.",
)  # fmt: skip
JSON_ILL_FORMED = declare(
    "json-ill-formed", Severity.HIGH, Part.STANDARD, "RFC 8259 §2",
    "The media type says that the content is JSON, which it isn't.",
    "Send JSON, or the media type of what it is.",
)  # fmt: skip
JSON_UNDECLARED = declare(
    "json-undeclared", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §8.3",
    "The content is JSON, and the media type says something else.",
    "Say `Content-Type: application/json`, or a more particular type.",
)  # fmt: skip
CREATED_WITHOUT_LOCATION = declare(
    "created-without-location", Severity.LOW, Part.STANDARD, "RFC 9110 §15.3.2",
    "The status says that something was created, but not where; so it is taken to be at the target URI.",
    "Send Location.",
)  # fmt: skip
REDIRECT_WITHOUT_LOCATION = declare(
    "redirect-without-location", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §15.4",
    "The status redirects, but no Location says where to.",
    "Send Location.",
)  # fmt: skip
LOGIN_BY_REDIRECT = declare(
    "login-by-redirect", Severity.LOW, Part.STANDARD, "RFC 9110 §15.5.2",
    "Who isn't logged in is sent elsewhere instead of being told so: programs take the form for the answer.",
    "Answer programs with 401 and WWW-Authenticate.",
)  # fmt: skip
CHALLENGE_MISSING = declare(
    "challenge-missing", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §15.5.2",
    "The status asks for authentication, but the response doesn't say by which scheme.",
    "Send WWW-Authenticate with 401, and Proxy-Authenticate with 407.",
)  # fmt: skip
ALLOW_MISSING = declare(
    "allow-missing", Severity.LOW, Part.STANDARD, "RFC 9110 §15.5.6",
    "The status says that the method isn't allowed, but not which ones are.",
    "Send Allow with 405.",
)  # fmt: skip
UPGRADE_MISSING = declare(
    "upgrade-missing", Severity.LOW, Part.STANDARD, "RFC 9110 §15.5.22",
    "The status asks for another protocol, but doesn't say which.",
    "Send Upgrade with 426.",
)  # fmt: skip
RANGE_MISSING = declare(
    "content-range-missing", Severity.MEDIUM, Part.STANDARD, "RFC 9110 §15.3.7",
    "The status says that the content is a part, but not which.",
    "Send Content-Range with 206, or the media type multipart/byteranges.",
)  # fmt: skip

_METHODS = frozenset(str(method) for method in HTTPMethod) | frozenset(
    """
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL
    MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PRI PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH UNBIND
    UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL
    """.split()  # noqa: SIM905
)
"""The methods that IANA registers."""

_STATUSES = frozenset(int(status) for status in HTTPStatus) - {418}
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_OVERRIDES = frozenset(("x-http-method", "x-http-method-override", "x-method-override"))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_SHOWN = 40


def standard(seen: Signature) -> Iterator[Finding]:
    """The findings on method, status and media type."""
    yield from _method(seen)
    yield from _status(seen)
    yield from _required(seen)
    yield from _media_type(seen)


def _method(seen: Signature) -> Iterator[Finding]:
    method = seen.method
    if method not in _METHODS:
        yield METHOD_UNKNOWN.shown_by(method[:_SHOWN])
    for name in sorted((seen.asked & _OVERRIDES) | seen.parameters):
        yield METHOD_OVERRIDDEN.shown_by(f"{method[:_SHOWN]} with {name}")
    if method in ("GET", "HEAD") and seen.sent_content:
        yield GET_WITH_CONTENT.shown_by(method)
    if method == "POST" and seen.status == 200 and seen.words & READING and not seen.words & WRITING:
        yield POST_READS.shown_by(f"POST to a path with {_listed(seen.words & READING)}")
    if method == "POST" and seen.words & TUNNELS:
        yield OPERATION_IN_CONTENT.shown_by(f"POST to a path with {_listed(seen.words & TUNNELS)}")
    if method in ("GET", "HEAD") and seen.words & CHANGING and _done(seen):
        yield SAFE_CHANGES.shown_by(f"{method} of a path with {_listed(seen.words & CHANGING)}")
    if method in _SAFE:
        ended = (
            one for one in seen.given if one.removed and one.kind in (Kind.SERVER_HELD, Kind.CLIENT_HELD)
        )
        for one in ended:
            yield SAFE_ENDS_SESSION.shown_by(f"{method} removes {one}")


def _done(seen: Signature) -> bool:
    """Whether the answer is that to something done, and not a page that asks whether to do it."""
    if seen.status == 200:
        return is_json(media_type(seen))
    return 200 < seen.status < 400 and seen.status != 304


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))


def _status(seen: Signature) -> Iterator[Finding]:
    if seen.status not in _STATUSES:
        yield STATUS_UNKNOWN.shown_by(str(seen.status))
    content = seen.content
    if 200 <= seen.status < 300 and content is not None and content.error:
        yield ERROR_IN_SUCCESS.shown_by(f"{seen.status}, and in the content {content.error}")
    if seen.status in (302, 303) and seen.words.isdisjoint(LOGIN) and seen.leads & LOGIN:
        yield LOGIN_BY_REDIRECT.shown_by(f"{seen.status} to a login")


_NEEDS = (
    (frozenset((401,)), ("www-authenticate",), CHALLENGE_MISSING),
    (frozenset((407,)), ("proxy-authenticate",), CHALLENGE_MISSING),
    (frozenset((405,)), ("allow",), ALLOW_MISSING),
    (frozenset((426,)), ("upgrade",), UPGRADE_MISSING),
    (_REDIRECTS, ("location",), REDIRECT_WITHOUT_LOCATION),
)


def _required(seen: Signature) -> Iterator[Finding]:
    """Fields that a status calls for."""
    for statuses, names, entry in _NEEDS:
        if seen.status in statuses and seen.lacks(*names):
            yield entry.shown_by(str(seen.status))
    if seen.status == 201 and seen.method == "POST" and seen.lacks("location"):
        yield CREATED_WITHOUT_LOCATION.shown_by("201")
    partial = seen.status == 206 and seen.lacks("content-range")
    if partial and media_type(seen) != "multipart/byteranges":
        yield RANGE_MISSING.shown_by("206")


def _media_type(seen: Signature) -> Iterator[Finding]:
    if seen.method == "HEAD" or seen.status in (204, 304) or seen.status < 200:
        return
    kind = media_type(seen)
    if not kind:
        if seen.has_content and seen.lacks("content-type"):
            yield TYPE_MISSING.shown_by(str(seen.status))
        return
    shown = f"content-type: {kind[:_SHOWN]}"
    if kind in ("application/octet-stream", "binary/octet-stream") and seen.has_content is not False:
        yield TYPE_GENERIC.shown_by(shown)
    content = seen.content
    if content is None or seen.values("content-encoding"):
        return
    if is_json(kind) and content.parses is False:
        looks = "HTML" if content.looks == "html" else "something else"
        yield JSON_ILL_FORMED.shown_by(f"{shown}, and the content is {looks}")
    elif content.looks == "json" and content.parses and kind in ("text/html", "text/plain", "text/xml"):
        yield JSON_UNDECLARED.shown_by(shown)
