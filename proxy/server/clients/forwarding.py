"""A request as it is forwarded: what concerned the client's connection gone, the traces of this hop added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.message.errors import ConfigurationError
from proxy.message.fields import FieldLine, Fields
from proxy.message.grammar import is_token
from proxy.message.hops import (
    END_TO_END,
    HOP_BY_HOP,
    connection_options,
    decremented,
    forwarded_element,
    via,
    wants_trailers,
)
from proxy.message.request import Request
from proxy.message.target import parse_target

NOT_UPGRADED_TO = frozenset((b"h2c", b"http", b"tls"))
"""Protocols whose upgrades are not passed on (RFC 9110 §7.8 lets us): requests within would go unseen."""

_SET_ANEW = {
    "append": frozenset((b"x-forwarded-host", b"x-forwarded-proto")),
    "keep": frozenset[bytes](),
    "replace": frozenset(
        b"""forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix
        x-forwarded-server x-real-ip""".split()
    ),
}


_LISTS = frozenset((b"forwarded", b"x-forwarded-for"))
"""Fields that grow at every hop, in one line: who reads the first line only would see the client's alone."""

_NOT_PASSED_ON = {trust: HOP_BY_HOP | _LISTS | anew for trust, anew in _SET_ANEW.items()}


@dataclass(frozen=True, slots=True)
class Forwarding:
    """How requests are forwarded.

    `name` goes into `Via`. `authority` is the upstream's and takes the place of the client's Host, which
    stays where `authority` is empty. `trust` is as in `ServerSettings`: X-Forwarded-Host is never passed on
    unless it says `keep`, for it isn't part of any cache key and yet might find its way into a response.
    Raises `ConfigurationError` for values that can't be used.
    """

    name: str = "pellucid"
    authority: bytes = b""
    trust: str = "append"

    def __post_init__(self) -> None:
        if not is_token(self.name.encode("utf-8")):
            raise ConfigurationError("the name for Via must be a token (RFC 9110 §7.6.3)", evidence=self.name)
        if self.trust not in _SET_ANEW:
            raise ConfigurationError("trust is none of append, keep and replace", evidence=self.trust)


def forwarded(received: Request, client: str, rules: Forwarding) -> Request:
    """`received` as it may be forwarded for the client with the IP address `client` (RFC 9110 §7.6).

    The target is turned into origin-form (RFC 9112 §3.2.2) and its bytes are otherwise untouched. `scheme`
    and `authority` stay the client's, whatever Host is sent. Raises `MalformedMessage` where Max-Forwards
    forbids to forward, or can't be read.
    """
    fields = received.fields
    if received.method in (b"TRACE", b"OPTIONS"):
        fields = decremented(fields)
    target = received.target
    if target[:1] != b"/":
        target = parse_target(received.method, target).origin_form
    lines = [*_host(received, rules), *_kept(received, fields, rules)]
    lines += _traces(received, fields, client, rules)
    lines += _connection(received)
    return Request(received.method, target, Fields(lines), (1, 1), received.scheme, received.authority)


def _host(received: Request, rules: Forwarding) -> Iterator[FieldLine]:
    """Host goes first where it was not there: RFC 9110 §7.2 asks senders for that."""
    if b"host" not in received.fields:
        yield b"Host", rules.authority or received.authority


def _kept(received: Request, fields: Fields, rules: Forwarding) -> list[FieldLine]:
    gone = _NOT_PASSED_ON[rules.trust]
    if options := connection_options(fields):
        gone |= options - END_TO_END
    if received.version < (1, 1):
        # RFC 9110 §10.1.1: ignored in HTTP/1.0. An origin that saw it would answer with a 100 for nobody.
        gone |= {b"expect"}
    host = rules.authority or received.authority
    return [
        (name, host) if lowered == b"host" else (name, value)
        for name, value in fields
        if (lowered := name.lower()) not in gone
    ]


def _traces(received: Request, fields: Fields, client: str, rules: Forwarding) -> list[FieldLine]:
    """Via (RFC 9110 §7.6.3), Forwarded (RFC 7239) and its X- forerunners."""
    host, scheme = received.authority, received.scheme
    element = forwarded_element(client, host, scheme)
    address = client.encode("ascii", "replace") or b"unknown"
    if rules.trust != "replace":
        element = _appended(fields.get(b"forwarded"), element)
        address = _appended(fields.get(b"x-forwarded-for"), address)
    lines: list[FieldLine] = [
        (b"Via", via(received.version, rules.name)),
        (b"Forwarded", element),
        (b"X-Forwarded-For", address),
    ]
    anew = rules.trust != "keep"
    if anew or b"x-forwarded-proto" not in fields:
        lines.append((b"X-Forwarded-Proto", scheme))
    if host and (anew or b"x-forwarded-host" not in fields):
        lines.append((b"X-Forwarded-Host", host))
    return lines


def _appended(value: bytes | None, member: bytes) -> bytes:
    return value + b", " + member if value else member


def _connection(received: Request) -> list[FieldLine]:
    """What we ask of the next connection ourselves: an upgrade, and trailers (RFC 9110 §7.8, §10.1.4)."""
    if received.version < (1, 1):
        return []
    options: list[bytes] = []
    lines: list[FieldLine] = []
    if upgrade := _upgrade(received.fields):
        options.append(b"upgrade")
        lines.append((b"Upgrade", upgrade))
    if wants_trailers(received.fields):
        options.append(b"te")
        lines.append((b"TE", b"trailers"))
    if options:
        lines.insert(0, (b"Connection", b", ".join(options)))
    return lines


def _upgrade(fields: Fields) -> bytes:
    """The protocols that the client would switch to, as it wrote them, less those not passed on."""
    value = fields.get(b"upgrade")
    if value is None or b"upgrade" not in connection_options(fields):
        return b""
    protocols = [protocol.strip(b" \t") for protocol in value.split(b",")]
    known = [
        protocol
        for protocol in protocols
        if protocol and protocol.lower().partition(b"/")[0] not in NOT_UPGRADED_TO
    ]
    return b", ".join(known)
