"""The four forms of a request target, and the authority that completes it (RFC 9112 §3.2, §3.3)."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from proxy.message.errors import MalformedMessage
from proxy.message.grammar import shortened

# A reg-name may hold a comma by RFC 3986 §3.2.2, but two Host lines joined into one look just like that.
_HOST = rb"(?:\[[0-9A-Fa-f:.]++\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})++)"
_authority = re.compile(_HOST + rb"(?::[0-9]{0,5})?")
_host_and_port = re.compile(_HOST + rb":[0-9]{1,5}")
_LONGEST = 255 + len(b":65535")
_absolute = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*+)://([^/?]*+)(.*+)", re.DOTALL)


class Form(StrEnum):
    """How a request target is written."""

    ORIGIN = "origin"
    ABSOLUTE = "absolute"
    AUTHORITY = "authority"
    ASTERISK = "asterisk"


class Target(NamedTuple):
    """A request target taken apart.

    `scheme` (in lower case) and `authority` are None where the target doesn't give them. `origin_form` is
    what a server is sent: absolute path and query as received, `*`, or empty in the authority form.
    """

    form: Form
    origin_form: bytes
    scheme: bytes | None = None
    authority: bytes | None = None


def is_authority(value: bytes) -> bool:
    """Whether `value` is a host with an optional port, and not empty (RFC 9110 §7.2, RFC 3986 §3.2).

    A name has 255 characters at most, as RFC 3986 §3.2.2 asks for: it is remembered in many places.
    """
    return _is_authority(value) if len(value) <= _LONGEST else False


@lru_cache(maxsize=256)
def _is_authority(value: bytes) -> bool:
    return _authority.fullmatch(value) is not None


def parse_target(method: bytes, target: bytes) -> Target:
    """Take a request target apart (RFC 9112 §3.2).

    `target` has neither white space nor control characters. Raises `MalformedMessage` where it has none of
    the four forms, where the form doesn't go with the method, and for a fragment or user information in it.
    """
    if b"#" in target:
        raise MalformedMessage("a fragment in the request target", evidence=_evidence(target))
    if method == b"CONNECT":
        if _host_and_port.fullmatch(target) is None:
            raise MalformedMessage("CONNECT needs a host and port as its target", evidence=_evidence(target))
        return Target(Form.AUTHORITY, b"", None, target)
    if target[:1] == b"/":
        return Target(Form.ORIGIN, target)
    if target == b"*":
        if method != b"OPTIONS":
            raise MalformedMessage("only OPTIONS may have the target *", evidence=shortened(method))
        return Target(Form.ASTERISK, target)
    return _absolute_form(method, target)


def _absolute_form(method: bytes, target: bytes) -> Target:
    match = _absolute.fullmatch(target)
    if match is None:
        raise MalformedMessage("the request target has no known form", evidence=_evidence(target))
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    if scheme not in (b"http", b"https"):
        raise MalformedMessage("the request target's scheme is not served here", evidence=shortened(scheme))
    if b"@" in authority:
        raise MalformedMessage("user information in the request target (RFC 9110 §4.2.4)")
    if not is_authority(authority):
        raise MalformedMessage("the request target's authority is not valid", evidence=shortened(authority))
    if not rest and method == b"OPTIONS":
        return Target(Form.ABSOLUTE, b"*", scheme, authority)
    origin_form = rest if rest[:1] == b"/" else b"/" + rest
    return Target(Form.ABSOLUTE, origin_form, scheme, authority)


def _evidence(target: bytes) -> str:
    """The path only: a query or user information may hold a credential."""
    path = re.split(rb"[?#]", target, maxsplit=1)[0]
    return shortened(path.rpartition(b"@")[2])
