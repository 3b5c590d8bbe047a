"""Cache keys (RFC 9111 §2): the method's class and the target URI, and for QUERY also the content."""

from __future__ import annotations

from proxy.message.request import Request
from proxy.message.uri import Uri, target_uri

CONTENT_METADATA = (b"content-type", b"content-encoding", b"content-language", b"content-location")

SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"QUERY", b"PRI", b"PROPFIND", b"REPORT", b"SEARCH"))
"""The methods that are registered as safe (RFC 9110 §9.2.1, §16.1); of all others nobody knows."""

RETRIEVALS = frozenset((b"GET", b"HEAD", b"QUERY"))
"""The methods whose requests a cache can answer from what it has stored (RFC 9110 §9.2.3)."""


def cache_key(request: Request) -> bytes:
    """The key under which a response to `request` is stored and found; one line per part of it.

    HEAD and POST share GET's key: their responses concern what GET would give (RFC 9110 §9.3.2, §9.3.3).
    A QUERY's key holds its content's digest and the metadata of that content (QUERY method §2.7).
    """
    return key_of(request, target_uri(request))


def key_of(request: Request, uri: Uri) -> bytes:
    """The key that `request` would have if its target URI were `uri`."""
    if request.method != b"QUERY":
        return get_key(uri)
    metadata = [request.fields.get(name) for name in CONTENT_METADATA]
    parts = [b"QUERY " + bytes(uri), (request.content_digest or b"").hex().encode()]
    parts += [b"-" if value is None else b"=" + value for value in metadata]
    return b"\n".join(parts)


def get_key(uri: Uri) -> bytes:
    """The key of responses that may satisfy a GET for `uri`."""
    return b"GET " + bytes(uri)


def uri_label(uri: Uri) -> bytes:
    """The label of all that is stored for `uri` under keys that the URI alone doesn't tell."""
    return b"uri:" + bytes(uri)
