"""What logs don't hold although a verdict needs it: such a log is not self-descriptive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proxy.visibility.inspecting.report import Lacking
from proxy.visibility.observation import Held, Part

_NEEDED: tuple[tuple[str, Part, str], ...] = (
    ("when anything happened, and predictions", Part.TIME, "the time of each request"),
    (
        "what content depends on, and undeclared variance",
        Part.DIGEST,
        "a digest of the content, as in Content-Digest",
    ),
    ("the hit ratio", Part.OUTCOME, "whether the cache answered, as in Cache-Status"),
    (
        "why requests reached the origin",
        Part.REASONS,
        "the cache's reasons; they are derived where it can be",
    ),
    ("whether replicas answer alike", Part.UPSTREAM, "the server that was asked"),
    ("durations", Part.DURATION, "how long each exchange took"),
    ("bytes", Part.RESPONSE_BYTES, "the size of each response"),
)
_REQUEST = (
    ("cookie", "credentials, and what depends on them", "the request field Cookie (its values hashed)"),
    ("authorization", "what authentication keeps from caches", "the request field Authorization (hashed)"),
    ("accept-language", "variants by language", "the request field Accept-Language"),
)
_RESPONSE = (
    (
        "cache-control",
        "opacity, causes and predictions, which the rules decide",
        "the response field Cache-Control",
    ),
    ("vary", "whether variants are declared", "the response field Vary"),
    ("set-cookie", "who sets cookies", "the response field Set-Cookie (its values hashed)"),
    ("etag", "validation", "the response field ETag"),
)


def lacking(helds: Iterable[Held]) -> tuple[Lacking, ...]:
    """What can't be said for all of the logs, and what each line would have to hold for it."""
    found: dict[str, Lacking] = {}
    for held in helds:
        for one in _lacking(held):
            found.setdefault(one.verdict, one)
    return tuple(found.values())


def _lacking(held: Held) -> Iterator[Lacking]:
    for verdict, part, needs in _NEEDED:
        if part not in held.parts:
            yield Lacking(verdict, needs)
    for name, verdict, needs in _REQUEST:
        if not held.has_request_field(name):
            yield Lacking(verdict, needs)
    for name, verdict, needs in _RESPONSE:
        if not held.has_response_field(name):
            yield Lacking(verdict, needs)
