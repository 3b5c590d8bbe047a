"""What a response says of caching, as findings read it."""

from __future__ import annotations

from proxy.message.cache_control import Directives, parse_cache_control
from proxy.visibility.findings.signature import Signature


def directives(seen: Signature) -> Directives:
    """The directives of the response's Cache-Control."""
    return parse_cache_control([value.encode("latin-1", "replace") for value in seen.values("cache-control")])


def shared(seen: Signature) -> bool:
    """Whether the response says that caches may store and use it that users share."""
    said = directives(seen)
    if said.unqualified(b"private") or b"no-store" in said or said.unqualified(b"no-cache"):
        return False
    lasts = said.seconds(b"s-maxage")
    return b"public" in said or (said.seconds(b"max-age") if lasts is None else lasts or 0) not in (None, 0)


def varies_by(seen: Signature) -> frozenset[str]:
    """The names in Vary, in lower case; `*` stands for itself."""
    return frozenset(
        name.strip().lower() for value in seen.values("vary") for name in value.split(",") if name.strip()
    )


def media_type(seen: Signature) -> str:
    """The media type of the response in lower case, without parameters; empty where there is none."""
    values = seen.values("content-type")
    return values[0].partition(";")[0].strip().lower() if values else ""


def is_json(kind: str) -> bool:
    """Whether a media type is that of JSON, or built on it (RFC 6839 §3.1)."""
    return kind in ("application/json", "text/json") or kind.endswith("+json")
