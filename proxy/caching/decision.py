"""A decision is a value: its outcome, every reason that led to it, and how long it holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct


class Reason(Struct, frozen=True, gc=False):
    """One entry of the catalogue in `reasons.py`: a slug, where it is written, and one sentence."""

    slug: str
    section: str
    sentence: str


class Because(Struct, frozen=True, gc=False):
    """A reason as it applied in one exchange, with the piece of the message that showed it."""

    reason: Reason
    evidence: str = ""


class Outcome(StrEnum):
    """How the client got its answer."""

    HIT = "hit"  # from the cache, fresh
    STALE = "stale"  # from the cache, stale, as HTTP permits
    VALIDATED = "validated"  # from the cache, after the origin said that it is still good
    FORWARDED = "forwarded"  # from the origin
    REFUSED = "refused"  # by ourselves, because the request forbade going forward, or could not be taken
    FAILED = "failed"  # by ourselves, because the origin gave no usable answer
    LOCAL = "local"  # by ourselves, as the method asks (TRACE, Max-Forwards)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the cache decided about one exchange, whole: everything else renders this value.

    `reasons` come in the order in which they were found; the first is the main one. `until` is the moment
    (seconds since the epoch) from which the same question would be answered differently, None where time
    alone changes nothing. `forward` is RFC 9211's reason for going forward (§2.2), `forward_status` the
    status code that came back (§2.3), `ttl` the remaining freshness lifetime in seconds, negative when
    stale (§2.4), `stored` whether the response was chosen to be stored (§2.5), `collapsed` as in §2.6.
    """

    outcome: Outcome
    reasons: tuple[Because, ...] = ()
    until: float | None = None
    forward: str | None = None
    forward_status: int | None = None
    ttl: int | None = None
    stored: bool | None = None
    collapsed: bool | None = None
