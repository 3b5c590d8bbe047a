"""Target URIs: taken apart, normalised and resolved (RFC 3986 §3, §5; RFC 9110 §4.2.3, §7.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote

from proxy.message.request import Request

_REFERENCE = re.compile(
    rb"(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL
)
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?]*)([^?]*)(?:\?(.*))?", re.DOTALL)
_PORT = re.compile(rb"(.*?)(?::([0-9]*))?", re.DOTALL)
_UNLIKE_URI = re.compile("[^\\x21-\\x7e\\udc80-\\udcff]+")
_DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI without its fragment; `query` is None where there is no `?`."""

    scheme: bytes
    authority: bytes
    path: bytes
    query: bytes | None = None

    def __bytes__(self) -> bytes:
        query = b"" if self.query is None else b"?" + self.query
        return self.scheme + b"://" + self.authority + self.path + query

    @property
    def origin(self) -> tuple[bytes, bytes, bytes]:
        """Scheme, host and port, normalised (RFC 9110 §4.3.1)."""
        host, port = _host_and_port(self.authority)
        scheme = self.scheme.lower()
        return scheme, host.lower(), port or _DEFAULT_PORTS.get(scheme, b"")

    def normalised(self) -> Uri:
        """With scheme and host in lower case, the default port left out and no empty path (RFC 9110 §4.2.3).

        Path and query stay as they are: to decode what is percent-encoded would be allowed, but a server that
        tells the two apart would then be misunderstood.
        """
        scheme, host, port = self.origin
        authority = host if port == _DEFAULT_PORTS.get(scheme, b"") else host + b":" + port
        return Uri(scheme, authority, self.path or b"/", self.query)


def _host_and_port(authority: bytes) -> tuple[bytes, bytes]:
    match = _PORT.fullmatch(authority)
    if match is None or match[2] is None:
        return authority, b""
    return match[1], match[2].lstrip(b"0") or (b"0" if match[2] else b"")


def target_uri(request: Request) -> Uri:
    """The request's target URI, normalised (RFC 9110 §7.1, RFC 9112 §3.3).

    A target in absolute form counts for more than what `scheme` and `authority` say (RFC 9112 §3.2.2).
    """
    if len(request.target) > 256:  # what is remembered stays small
        return _target_uri(request.target, request.scheme, request.authority)
    return _remembered(request.target, request.scheme, request.authority)


def _target_uri(target: bytes, scheme: bytes, authority: bytes) -> Uri:
    if target[:1] != b"/":
        match = _ABSOLUTE.fullmatch(target)
        if match is not None:
            return Uri(match[1], match[2], match[3], match[4]).normalised()
    path, mark, query = target.partition(b"?")
    return Uri(scheme, authority, path, query if mark else None).normalised()


_remembered = lru_cache(maxsize=4096)(_target_uri)


def resolve(reference: bytes, base: Uri) -> Uri | None:
    """The http(s) URI that `reference` means relative to `base`, normalised (RFC 3986 §5.2).

    None where it is of another scheme, or has user information (RFC 9110 §4.2.4) or no host.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    scheme, authority, path, query = match[1], match[2], match[3], match[4]
    if scheme is not None and authority is None:
        return None
    if authority is not None:
        found = Uri(scheme or base.scheme, authority, _without_dots(path), query)
    elif not path:
        found = replace(base, query=base.query if query is None else query)
    else:
        merged = path if path[:1] == b"/" else base.path.rpartition(b"/")[0] + b"/" + path
        found = Uri(base.scheme, base.authority, _without_dots(merged), query)
    found = found.normalised()
    known = found.scheme in _DEFAULT_PORTS and found.origin[1] and b"@" not in found.authority
    return found if known else None


def typed_uri(text: str) -> Uri | None:
    """The http(s) URI that a person typed, or a file lists, normalised; None where it isn't an absolute one.

    What a URI can't have is encoded as browsers do it (RFC 3987 §3.1). Only bytes that a request's target may
    have all the same, decoded by `surrogateescape`, stand for themselves.
    """
    encoded = _UNLIKE_URI.sub(lambda found: quote(found[0]), text).encode("ascii", "surrogateescape")
    return resolve(encoded, Uri(b"http", b"", b"/")) if b"://" in encoded[:8] else None


def resolve_for(reference: bytes, request: Request) -> Uri | None:
    """The http(s) URI that `reference` means in a response to `request`, named as clients would.

    That is what `resolve` gives for the target URI. But where the request was forwarded with another Host
    than the client's, the origin server knows itself by that: both authorities are of one origin then.
    """
    target = target_uri(request)
    found = resolve(reference, target)
    host = request.fields.get(b"host")
    if found is None or host is None or host == request.authority:
        return found
    if found.origin != Uri(found.scheme, host, b"/").origin:
        return found
    return replace(found, scheme=target.scheme, authority=target.authority)


def _without_dots(path: bytes) -> bytes:
    """Dot segments resolved (RFC 3986 §5.2.4), for a path that is empty or absolute."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments and segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"".join(b"/" + segment for segment in kept)
