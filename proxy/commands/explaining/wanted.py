"""What the command line asks to have explained: a URL, a method and fields, as one request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from proxy import __version__
from proxy.message.errors import ConfigurationError
from proxy.message.fields import FieldLine, Fields
from proxy.message.grammar import VALUE, is_token
from proxy.message.hops import HOP_BY_HOP
from proxy.message.request import Request
from proxy.message.target import is_authority
from proxy.upstream.address import Server, parse_server
from proxy.visibility.names import FRAMING

METHODS = ("GET", "HEAD", "OPTIONS")
"""Safe methods (RFC 9110 §9.2.1) whose requests need no content: to explain must not change anything."""

_URL = re.compile(r"([^/?#]*://[^/?#]*|[^/?#]*)([^#]*)(?:#.*)?", re.DOTALL)
_UNFIT = re.compile(r"[\x00-\x20\x7f]")
_value = re.compile(VALUE)
_REFUSED = HOP_BY_HOP | {b"content-length", b"expect", b"trailer"}
_PLAIN = FRAMING | frozenset(
    b"""
    accept-charset accept-language access-control-request-headers access-control-request-method
    cache-control if-match if-modified-since if-none-match if-range if-unmodified-since
    max-forwards origin pragma prefer priority range referer upgrade-insecure-requests
    """.split()
)
_BY_RULE = frozenset((b"authorization", b"cookie"))


def parse_url(url: str) -> tuple[Server, bytes]:
    """The server that a URL names and the target to ask it for; a fragment is for the client only.

    What isn't ASCII is percent-encoded as UTF-8 (RFC 3987 §3.1). Raises ConfigurationError, which tells of
    scheme and host only, as a path or query may hold a credential.
    """
    origin, rest = _split(url)
    try:
        server = parse_server(origin)
    except ConfigurationError as error:
        message = error.message.replace("an upstream URL", "a URL")
        raise ConfigurationError(message, evidence=error.evidence) from None
    if _UNFIT.search(rest):
        raise ConfigurationError("a URL holds no white space and no control characters", evidence=origin)
    target = b"".join(_octet(byte) for byte in rest.encode("utf-8", "surrogateescape"))
    return server, target if target[:1] == b"/" else b"/" + target


def _split(url: str) -> tuple[str, str]:
    match = _URL.fullmatch(url)
    if match is None or "://" not in match[1]:
        evidence = ascii(url.rpartition("@")[2][:40])
        raise ConfigurationError("a URL starts with http:// or https://", evidence=evidence)
    return match[1], match[2]


def _octet(byte: int) -> bytes:
    return bytes((byte,)) if byte < 0x80 else b"%%%02X" % byte


def parse_header(text: str) -> FieldLine:
    """A field line of the form `Name: value`. Raises ConfigurationError, which doesn't tell the value."""
    name, colon, value = text.encode("utf-8", "surrogateescape").partition(b":")
    if not colon:
        raise ConfigurationError("--header is not of the form 'Name: value'")
    if not is_token(name):
        raise ConfigurationError("--header begins with something that isn't a field name")
    shown = name.decode("ascii")
    value = value.strip(b" \t")
    if name.lower() in _REFUSED:
        raise ConfigurationError("--header can't say how the request itself is sent", evidence=shown)
    if _value.fullmatch(value) is None:
        raise ConfigurationError("--header has control characters in its value", evidence=shown)
    return name, value


def make_request(server: Server, target: bytes, method: str, given: Sequence[FieldLine]) -> Request:
    """The request to send. Fields that are given take the place of ours; an empty value leaves ours out.

    Raises ConfigurationError for a method that isn't one of `METHODS`, and a Host that isn't one host.
    """
    if method.upper() not in METHODS:
        raise ConfigurationError(f"explain asks with {', '.join(METHODS)} only", evidence=ascii(method))
    hosts = [value for name, value in given if name.lower() == b"host" and value]
    if len(hosts) > 1 or not all(map(is_authority, hosts)):
        raise ConfigurationError("--header Host is not one host with an optional port")
    authority = hosts[0] if hosts else server.authority
    ours: list[FieldLine] = [
        (b"Host", authority),
        (b"User-Agent", f"pellucid/{__version__}".encode()),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"gzip, deflate, br"),
    ]
    replaced = {name.lower() for name, _ in given} - {b"host"}
    lines = [line for line in ours if line[0].lower() not in replaced]
    lines += [line for line in given if line[1] and line[0].lower() != b"host"]
    scheme = server.scheme.encode("ascii")
    return Request(method.upper().encode("ascii"), target, Fields(lines), (1, 1), scheme, authority)


def perhaps_secret(given: Iterable[FieldLine]) -> tuple[str, ...]:
    """The names of given fields whose value may be a credential for all that anybody knows of them."""
    names = {name.lower() for name, _ in given}
    return tuple(sorted(name.decode("ascii") for name in names - _PLAIN - _BY_RULE))
