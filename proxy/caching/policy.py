"""What a user may set of the caching rules; every default is the RFCs' own or the careful choice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings that the rules read. All durations are in seconds.

    `name` identifies this cache in `Cache-Status` and `Via`. `heuristic_fraction` and `heuristic_limit`
    bound heuristic freshness (RFC 9111 §4.2.2). `stale_limit` bounds how long past its freshness lifetime a
    response may be served when the origin can't be reached (§4.2.4). `targeted` lists the targeted fields
    in order of precedence, in lower case (RFC 9213 §2.2). `key_in_status` says whether `Cache-Status` shows
    the cache key (RFC 9211 §2.7).
    """

    name: str = "pellucid"
    heuristic_fraction: float = 0.1
    heuristic_limit: float = 86400.0
    stale_limit: float = 86400.0
    targeted: tuple[bytes, ...] = (b"cdn-cache-control",)
    key_in_status: bool = False
