"""Whether a response says how it may be cached, how it can be validated, and by what it varies."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.caching.freshness import HEURISTICALLY_CACHEABLE
from proxy.visibility.findings.finding import Finding, Part, Severity, declare
from proxy.visibility.findings.said import directives, is_json, media_type, shared, varies_by
from proxy.visibility.findings.signature import Signature
from proxy.visibility.sessions.kinds import Kind, Where

FRESHNESS_MISSING = declare(
    "freshness-missing", Severity.MEDIUM, Part.EXPLICIT, "RFC 9111 §4.2.2",
    "The response doesn't say whether and for how long it may be used again: caches have to guess.",
    "Say `Cache-Control: max-age=N`, or `no-cache` where it has to be validated each time.",
)  # fmt: skip
AUDIENCE_MISSING = declare(
    "audience-missing", Severity.MEDIUM, Part.EXPLICIT, "RFC 9111 §7.3",
    "The request told who asks by a cookie, and the response doesn't say whether others may be given it too.",
    "Say `private` or `no-store` where it is for one user, `public` with a lifetime where it isn't.",
)  # fmt: skip
SHARED_WITH_SESSION = declare(
    "shared-with-session", Severity.HIGH, Part.EXPLICIT, "RFC 9111 §5.2.2.7",
    "The request told who asks by a cookie, and the response says that everybody may be given it.",
    "Say `private` where it is for one user; else let such requests go without the cookie.",
)  # fmt: skip
VALIDATOR_MISSING = declare(
    "validator-missing", Severity.LOW, Part.EXPLICIT, "RFC 9110 §8.8",
    "Nobody can ask whether the response is still good: it has to be sent again whole.",
    "Send ETag or Last-Modified.",
)  # fmt: skip
CONTRADICTION = declare(
    "contradicting-directives", Severity.MEDIUM, Part.EXPLICIT, "RFC 9111 §5.2.2",
    "What Cache-Control says contradicts itself, so that the stricter holds.",
    "Say only what is meant.",
)  # fmt: skip
PRAGMA = declare(
    "pragma-alone", Severity.LOW, Part.EXPLICIT, "RFC 9111 §5.4",
    "Pragma means nothing in a response.",
    "Say `Cache-Control: no-cache`, or `no-store`.",
)  # fmt: skip
VARY_ALL = declare(
    "vary-all", Severity.MEDIUM, Part.EXPLICIT, "RFC 9110 §12.5.5",
    "The response varies by something that isn't in the request, so no other request can have it.",
    "Name the fields that it varies by.",
)  # fmt: skip
VARY_WIDE = declare(
    "vary-wide", Severity.LOW, Part.EXPLICIT, "RFC 9110 §12.5.5",
    "The response varies by a field that nearly every client sends another value of.",
    "Vary by a field that has few values, or give each variant a URI of its own.",
)  # fmt: skip
CODING_UNDECLARED = declare(
    "coding-undeclared", Severity.MEDIUM, Part.EXPLICIT, "RFC 9110 §12.5.5",
    "The content is encoded, and the response doesn't say that this depends on Accept-Encoding.",
    "Add Accept-Encoding to Vary.",
)  # fmt: skip
LANGUAGE_UNDECLARED = declare(
    "language-undeclared", Severity.LOW, Part.EXPLICIT, "RFC 9110 §12.5.5",
    "The content is in one language, and the response doesn't say whether that depends on Accept-Language.",
    "Add Accept-Language to Vary, or give each language a URI of its own.",
)  # fmt: skip
ORIGIN_UNDECLARED = declare(
    "origin-undeclared", Severity.MEDIUM, Part.EXPLICIT, "Fetch §3.2",
    "The response is for pages of one origin, and doesn't say that this depends on Origin.",
    "Add Origin to Vary, or say `Access-Control-Allow-Origin: *`.",
)  # fmt: skip
DATE_MISSING = declare(
    "date-missing", Severity.INFO, Part.EXPLICIT, "RFC 9110 §6.6.1",
    "The response doesn't say when it was made, so that its age has to be guessed.",
    "Send Date.",
)  # fmt: skip

_WIDE = frozenset(("user-agent", "cookie", "referer", "x-forwarded-for", "x-real-ip", "x-request-id", "date"))
_LEADING = frozenset(("GET", "HEAD"))
_LASTING = (b"max-age", b"s-maxage")


def explicit(seen: Signature) -> Iterator[Finding]:
    """The findings on caching, validation and variance."""
    if seen.status != 304:
        yield from _caching(seen)
    yield from _cache_control(seen)
    yield from _variance(seen)
    if seen.status < 500 and seen.lacks("date"):
        yield DATE_MISSING.shown_by()


def _caching(seen: Signature) -> Iterator[Finding]:
    """What a response that may be stored should say."""
    if seen.method not in _LEADING or seen.status not in HEURISTICALLY_CACHEABLE:
        return
    unsaid = seen.lacks("cache-control", "expires")
    personal = _personal(seen)
    if unsaid and personal:
        yield AUDIENCE_MISSING.shown_by(personal)
    if unsaid:
        dated = bool(seen.values("last-modified"))
        yield FRESHNESS_MISSING.shown_by(
            f"{seen.status} with Last-Modified alone"
            if dated
            else f"{seen.status} without Cache-Control and Expires"
        )
    if personal and shared(seen) and "cookie" not in varies_by(seen) and _made(seen):
        yield SHARED_WITH_SESSION.shown_by(f"{personal}; cache-control: {_said(seen)}")
    if seen.status == 200 and seen.lacks("etag", "last-modified") and b"no-store" not in directives(seen):
        yield VALIDATOR_MISSING.shown_by(str(seen.status))


def _personal(seen: Signature) -> str:
    """The cookie that tells who asks; empty where there is none."""
    kinds = (Kind.SERVER_HELD, Kind.CLIENT_HELD, Kind.IDENTITY)
    return next((str(one) for one in seen.sent if one.where is Where.COOKIE and one.kind in kinds), "")


def _made(seen: Signature) -> bool:
    """Whether the content is of a kind that servers make for a user: a page or data."""
    kind = media_type(seen)
    return kind in ("text/html", "application/xhtml+xml") or is_json(kind)


def _said(seen: Signature) -> str:
    return ", ".join(seen.values("cache-control"))


def _cache_control(seen: Signature) -> Iterator[Finding]:
    said = directives(seen)
    lasts = any((said.seconds(name) or 0) > 0 for name in _LASTING)
    both = b"public" in said and said.unqualified(b"private")
    if both or (b"no-store" in said and (b"public" in said or lasts)):
        yield CONTRADICTION.shown_by(f"cache-control: {_said(seen)}")
    if seen.values("pragma") and seen.lacks("cache-control"):
        yield PRAGMA.shown_by(f"pragma: {seen.values('pragma')[0]}")


def _variance(seen: Signature) -> Iterator[Finding]:
    names = varies_by(seen)
    if seen.method not in _LEADING:
        return
    if "*" in names:
        yield VARY_ALL.shown_by("vary: *")
        return
    for name in sorted(names & _WIDE):
        yield VARY_WIDE.shown_by(f"vary: {name}")
    if not seen.held.has_response_field("vary") or b"no-store" in directives(seen):
        return
    if seen.values("content-encoding") and "accept-encoding" not in names:
        yield CODING_UNDECLARED.shown_by(f"content-encoding: {seen.values('content-encoding')[0]}")
    language = seen.values("content-language")
    if language and "accept-language" in seen.asked and "accept-language" not in names:
        yield LANGUAGE_UNDECLARED.shown_by(f"content-language: {language[0]}")
    origin = seen.values("access-control-allow-origin")
    if origin and origin[0] not in ("*", "null") and "origin" not in names:
        yield ORIGIN_UNDECLARED.shown_by("access-control-allow-origin: one origin")
