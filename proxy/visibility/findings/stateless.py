"""Whether a message can be understood without anything that is not in it."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.visibility.findings.finding import Finding, Part, Severity, declare
from proxy.visibility.findings.said import shared
from proxy.visibility.findings.signature import Signature
from proxy.visibility.sessions.kinds import Kind, Where

_FIELDING = "Fielding 2000 §5.1.3"

SESSION_KEY = declare(
    "session-key", Severity.MEDIUM, Part.STATELESS, _FIELDING,
    "What the request means depends on state that a server keeps: the request has only the key to it.",
    "Give the state a URI of its own, or let the client send it in each request, signed.",
)  # fmt: skip
SESSION_IN_URI = declare(
    "session-in-uri", Severity.HIGH, Part.STATELESS, "RFC 9110 §17.9",
    "The key to a session stands in the URI: it names a session instead of a thing, and gets into logs, "
    "histories and Referer.",
    "Send the key in a cookie or in Authorization; better, send the state itself.",
)  # fmt: skip
CREDENTIAL_IN_URI = declare(
    "credential-in-uri", Severity.MEDIUM, Part.STATELESS, "RFC 6750 §2.3",
    "A token stands in the URI: it gets into logs and Referer, and makes one thing many for caches.",
    "Send the token in Authorization.",
)  # fmt: skip
SESSION_GIVEN = declare(
    "session-given", Severity.MEDIUM, Part.STATELESS, "RFC 6265 §8.4",
    "The response begins a session: from now on a server has to remember this client.",
    "Begin none before something has to be remembered, and then let the client keep it.",
)  # fmt: skip
GIVEN_AGAIN = declare(
    "cookie-given-again", Severity.MEDIUM, Part.STATELESS, "RFC 9111 §7.3",
    "The response sets a cookie that the request has sent already: for that alone it can't be shared.",
    "Set a cookie only where it changes, or before it expires.",
)  # fmt: skip
COOKIE_ON_CACHEABLE = declare(
    "cookie-on-cacheable", Severity.HIGH, Part.STATELESS, "RFC 9111 §7.3",
    "The response may be stored by caches that users share, and sets a cookie: others would be given it too.",
    "Set the cookie in a response that isn't cached, or say `Cache-Control: private`.",
)  # fmt: skip
AFFINITY = declare(
    "affinity", Severity.MEDIUM, Part.STATELESS, _FIELDING,
    "The request has to reach one certain server, so state is held in that server alone.",
    "Keep the state where every server finds it, or in the request; then any server can answer.",
)  # fmt: skip
OF_THE_CONNECTION = declare(
    "of-the-connection", Severity.HIGH, Part.STATELESS, "RFC 9110 §3.3",
    "The credentials are valid for a connection, so that a request means something else on another one.",
    "Use an authentication scheme whose credentials stand in each request.",
)  # fmt: skip
UNSIGNED_STATE = declare(
    "unsigned-state", Severity.LOW, Part.STATELESS, "RFC 6265 §8.6",
    "The client keeps state that nothing protects: it may have been changed by anyone.",
    "Sign it, or expect anything in it.",
)  # fmt: skip
EXPIRED = declare(
    "expired-credential", Severity.LOW, Part.STATELESS, "RFC 7519 §4.1.4",
    "The credential had expired by itself when it was sent.",
    "Let the client renew it before, and answer 401 where it did not.",
)  # fmt: skip
PREFERENCE = declare(
    "preference-in-cookie", Severity.INFO, Part.STATELESS, "RFC 9110 §12.1",
    "A cookie says how the answer should be; caches don't know which answers it matters to.",
    "Put the choice into the URI, or negotiate it by Accept-Language and the like, with Vary.",
)  # fmt: skip


def stateless(seen: Signature) -> Iterator[Finding]:
    """The findings on what a message needs that is not in it."""
    yield from _sent(seen)
    yield from _given(seen)


def _sent(seen: Signature) -> Iterator[Finding]:
    for one in seen.sent:
        shown = str(one)
        if one.kind is Kind.SERVER_HELD:
            if one.scheme == "ntlm":
                yield OF_THE_CONNECTION.shown_by(shown)
            elif one.where in (Where.PATH, Where.QUERY):
                yield SESSION_IN_URI.shown_by(shown)
            else:
                yield SESSION_KEY.shown_by(shown)
        elif one.where is Where.QUERY and one.kind in (Kind.IDENTITY, Kind.CLIENT_HELD):
            yield CREDENTIAL_IN_URI.shown_by(shown)
        if one.kind is Kind.AFFINITY:
            yield AFFINITY.shown_by(shown)
        if one.kind is Kind.CLIENT_HELD and not one.signed and one.where is Where.COOKIE:
            yield UNSIGNED_STATE.shown_by(shown)
        if one.kind is Kind.PREFERENCE:
            yield PREFERENCE.shown_by(shown)
        if one.expired:
            yield EXPIRED.shown_by(shown)


def _given(seen: Signature) -> Iterator[Finding]:
    for one in seen.given:
        if one.where is not Where.COOKIE or one.removed:
            continue
        if one.again:
            yield GIVEN_AGAIN.shown_by(f"set-cookie: {one.name}")
        elif one.kind is Kind.SERVER_HELD:
            yield SESSION_GIVEN.shown_by(f"set-cookie: {one.name}")
    if seen.values("set-cookie") and shared(seen):
        yield COOKIE_ON_CACHEABLE.shown_by(f"cache-control: {', '.join(seen.values('cache-control'))}")
