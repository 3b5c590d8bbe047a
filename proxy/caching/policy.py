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

    `tags` lists the fields of responses that say by which tags they can be purged, in lower case. A tag is
    the same whatever host was asked for, unless `tags_by_origin` says that it belongs to its origin: for a
    proxy in front of several sites. `hide_tags` keeps these fields from clients, but for Cache-Groups.
    """

    name: str = "pellucid"
    heuristic_fraction: float = 0.1
    heuristic_limit: float = 86400.0
    stale_limit: float = 86400.0
    targeted: tuple[bytes, ...] = (b"cdn-cache-control",)
    key_in_status: bool = False
    tags: tuple[bytes, ...] = (b"cache-groups", b"surrogate-key", b"cache-tag")
    tags_by_origin: bool = False
    hide_tags: bool = False
