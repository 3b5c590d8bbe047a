"""What concerns one connection only, and the traces that intermediaries leave (RFC 9110 §7.6, RFC 7239)."""

from __future__ import annotations

import re
from functools import lru_cache

from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.grammar import is_token, list_members, shortened

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
        # For the next proxy only, and a gateway is none to its clients (§11.7); no origin should see them.
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-authentication-info",
    )
)
"""Fields that are removed whether `Connection` lists them or not (RFC 9110 §7.6.1, §11.7)."""

END_TO_END = frozenset(
    b"""
    accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control
    cache-status cdn-cache-control content-digest content-disposition content-encoding content-language
    content-length content-location content-range content-security-policy content-type cookie date etag expect
    expires forwarded from host if-match if-modified-since if-none-match if-range if-unmodified-since
    last-modified location max-forwards origin pragma proxy-status range referer repr-digest retry-after
    server set-cookie strict-transport-security trailer user-agent vary via warning www-authenticate
    x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip
    """.split()
)
"""Fields that `Connection` can't remove: no sender may list them (§7.6.1), and without them the message would
mean something else, to a cache above all."""

NOT_IN_TRAILERS = HOP_BY_HOP | frozenset(
    b"""
    age authorization cache-control cache-status cdn-cache-control content-encoding content-length
    content-range content-type cookie expect expires forwarded host if-match if-modified-since
    if-none-match if-range if-unmodified-since location max-forwards pragma range retry-after set-cookie te
    trailer vary via
    www-authenticate
    """.split()
)
"""Fields that mean nothing or do harm after the content: framing, routing, authentication, request modifiers,
response controls and content format (RFC 9110 §6.5.1)."""

_number = re.compile(rb"[0-9]{1,10}")
_MOST_FORWARDS = 2**31 - 1


def connection_options(fields: Fields) -> frozenset[bytes]:
    """The options that `Connection` lists, in lower case (RFC 9110 §7.6.1)."""
    value = fields.get(b"connection")
    if value is None:
        return frozenset()
    return _options(value) if len(value) <= 64 else frozenset(list_members(value))


@lru_cache(maxsize=256)
def _options(value: bytes) -> frozenset[bytes]:
    return frozenset(list_members(value))


def strip_hop_by_hop(fields: Fields) -> Fields:
    """`fields` without those that are meant for the next hop only (RFC 9110 §7.6.1).

    That is `HOP_BY_HOP` and what `Connection` lists, except `END_TO_END`. `Trailer` stays: it speaks of the
    message, not of the connection (§6.6.2).
    """
    present = HOP_BY_HOP.intersection(fields.names())
    if not present:
        return fields
    if b"connection" in present:
        present |= connection_options(fields) - END_TO_END
    return fields.without_any(present)


def forwardable_trailers(trailers: Fields, header: Fields) -> Fields:
    """The trailer fields that may go on; `header` is the section that they came with (§6.5.1, §7.6.1)."""
    if not trailers:
        return trailers
    return trailers.without(*(NOT_IN_TRAILERS | connection_options(header)))


def wants_trailers(fields: Fields) -> bool:
    """Whether a request says that trailer fields will not be dropped on the way back (RFC 9110 §10.1.4)."""
    value = fields.get(b"te")
    return value is not None and b"trailers" in list_members(value)


def with_via(fields: Fields, version: tuple[int, int], name: str) -> Fields:
    """`fields` with one more `Via` line: received as HTTP `version` by `name` (RFC 9110 §7.6.3)."""
    return fields.adding((b"Via", via(version, name)))


@lru_cache(maxsize=64)
def via(version: tuple[int, int], name: str) -> bytes:
    """The member of `Via` that says so."""
    return b"%d.%d %b" % (*version, name.encode("ascii"))


def times_via(fields: Fields, name: str) -> int:
    """How often a message has passed `name` already: it goes in circles when this grows (RFC 9110 §7.6.3)."""
    value = fields.get(b"via")
    if value is None:
        return 0
    wanted = name.lower().encode("ascii")
    return sum(member.split()[1:2] == [wanted] for member in list_members(value))


def max_forwards(fields: Fields) -> int | None:
    """How many more times a request may be forwarded, None where it doesn't say (RFC 9110 §7.6.2).

    Raises `MalformedMessage` where the field isn't one number.
    """
    value = fields.get(b"max-forwards")
    if value is None:
        return None
    if _number.fullmatch(value) is None:
        raise MalformedMessage("Max-Forwards is not a number (RFC 9110 §7.6.2)", evidence=shortened(value))
    return int(value)


def decremented(fields: Fields) -> Fields:
    """`fields` with `Max-Forwards` as it has to be forwarded (RFC 9110 §7.6.2), or as they are without it.

    Raises `MalformedMessage` where it isn't one number, or zero: such a request must not be forwarded.
    """
    value = max_forwards(fields)
    if value is None:
        return fields
    if value == 0:
        raise MalformedMessage("a request that must not be forwarded any more", evidence="Max-Forwards: 0")
    return fields.setting(b"Max-Forwards", b"%d" % min(value - 1, _MOST_FORWARDS))


@lru_cache(maxsize=1024)
def forwarded_element(client: str, host: bytes, scheme: bytes) -> bytes:
    """One element of `Forwarded` (RFC 7239 §4): `client` is an IP address, or empty where it is unknown."""
    node = f"[{client}]" if ":" in client else client or "unknown"
    pairs = [b"for=" + _quoted(node.encode("ascii", "replace"))]
    if host:
        pairs.append(b"host=" + _quoted(host))
    pairs.append(b"proto=" + scheme)
    return b";".join(pairs)


def _quoted(value: bytes) -> bytes:
    if is_token(value):
        return value
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
