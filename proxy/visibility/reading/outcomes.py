"""What the words of caches say: where an answer came from (RFC 9211 §2)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from proxy.visibility.observation import Lines

Outcome = tuple[str, str, bool | None]
"""`outcome`, `forward` and `from_cache` of an observation."""

UNKNOWN: Outcome = ("", "", None)
HIT: Outcome = ("hit", "", True)
STALE: Outcome = ("stale", "", True)
VALIDATED: Outcome = ("validated", "stale", False)
REFUSED: Outcome = ("refused", "", None)
FAILED: Outcome = ("failed", "", False)
LOCAL: Outcome = ("local", "", None)


def forwarded(why: str) -> Outcome:
    """The request went to the origin, and why (RFC 9211 §2.2); empty: not said."""
    return "forwarded", why, False


WORDS: dict[str, Outcome] = {
    "hit": HIT,
    "hitstale": STALE,
    "stale": STALE,
    "updating": STALE,
    "revalidated": VALIDATED,
    "refreshhit": VALIDATED,
    "miss": forwarded("miss"),
    "hitmiss": forwarded("miss"),
    "hitpass": forwarded("bypass"),
    "expired": forwarded("stale"),
    "refreshmiss": forwarded("stale"),
    "bypass": forwarded("bypass"),
    "dynamic": forwarded("bypass"),
    "none": UNKNOWN,
    "pass": forwarded("bypass"),
    "uncacheable": forwarded("bypass"),
    "pipe": forwarded("bypass"),
    "synth": LOCAL,
    "error": FAILED,
}
"""Of nginx ($upstream_cache_status), Varnish, Cloudflare, CloudFront and others; in lower case."""

_SQUID = re.compile(r"(?:TCP|NONE|UDP|ICP)(?:_[A-Z]+)*")
_SQUID_WORDS: tuple[tuple[str, Outcome], ...] = (
    ("REFRESH_UNMODIFIED", VALIDATED),
    ("REFRESH_HIT", VALIDATED),
    ("REFRESH_FAIL", STALE),
    ("REFRESH_MODIFIED", forwarded("stale")),
    ("REFRESH_MISS", forwarded("stale")),
    ("CLIENT_REFRESH", forwarded("request")),
    ("REFRESH", forwarded("stale")),
    ("SWAPFAIL", forwarded("miss")),
    ("HIT", HIT),
    ("MISS", forwarded("miss")),
    ("TUNNEL", forwarded("bypass")),
    ("DENIED", REFUSED),
    ("REDIRECT", LOCAL),
)
RESULT_FIELDS = ("cache-status", "x-cache", "cf-cache-status", "x-cache-status", "x-proxy-cache")
_FORWARD = re.compile(r";\s*fwd=([a-z-]+)")


def word(text: str) -> Outcome:
    """One word such as `HIT`, also `HIT from cache.example` or `Hit from cloudfront`."""
    first = text.strip().split(" ", 1)[0].strip('",;').lower()
    return WORDS.get(first.replace("-", "").replace("_", ""), UNKNOWN)


def squid(text: str) -> Outcome:
    """Squid's result code, such as `TCP_MEM_HIT`."""
    if not _SQUID.fullmatch(text):
        return UNKNOWN
    if text.startswith("NONE"):
        return UNKNOWN
    return next((outcome for part, outcome in _SQUID_WORDS if part in text), UNKNOWN)


def told(lines: Lines) -> Outcome:
    """What the fields of a response say of the caches on its way; a hit in any of them is one."""
    found = UNKNOWN
    for name, value in lines:
        lowered = name.lower()
        if lowered not in RESULT_FIELDS:
            continue
        for outcome in _members(lowered, value):
            if outcome[2]:
                return outcome
            if found is UNKNOWN:
                found = outcome
    return found


def _members(name: str, value: str) -> Iterable[Outcome]:
    for member in value.split(","):
        if name != "cache-status":
            yield squid(member.strip().split(" ")[0]) if "TCP_" in member else word(member)
        elif re.search(r";\s*hit(?![\w-])", member):
            yield HIT
        elif (why := _FORWARD.search(member)) is not None:
            yield forwarded(why[1])
