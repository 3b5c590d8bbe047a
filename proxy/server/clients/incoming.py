"""What a client's connection yields: a request whose head has been read, or one that must be refused."""

from __future__ import annotations

import re
from typing import NamedTuple

from proxy.message.chunked import ChunkedDecoder
from proxy.message.errors import PellucidError
from proxy.message.framing import Framing
from proxy.message.head import ParsedRequest
from proxy.message.request import Request
from proxy.message.target import parse_target

RAW_LIMIT = 256
"""How many bytes are kept of what could not be read."""

_credential_field = re.compile(
    rb"(?im)^((?:proxy-)?authorization|cookie|[^:\r\n]*(?:token|secret|key))(\s*:).*"
)
_credential_parameter = re.compile(rb"(?i)([?&][^=&\s]*(?:token|secret|key|password)[^=&\s]*=)[^&\s]*")


class Refusal(PellucidError):  # noqa: N818
    """A request that is understood well enough to say that it can't be taken: the status says why."""


class Arrival(NamedTuple):
    """When the first byte of a message was read: seconds since the epoch, and by `time.perf_counter`.

    The event loop's own clock counts whole milliseconds.
    """

    started: float
    clock: float


class Incoming(NamedTuple):
    """A request as parsed, how its content is framed, and what takes the content apart if it is chunked."""

    head: ParsedRequest
    framing: Framing
    arrival: Arrival
    decoder: ChunkedDecoder | None = None


class Refused(NamedTuple):
    """A request that is not to be served: why, and what is known of it (`raw` without credentials)."""

    error: PellucidError
    arrival: Arrival
    head: ParsedRequest | None = None
    raw: bytes = b""


def first_bytes(data: bytes) -> bytes:
    """The beginning of what could not be read, the values of credentials blotted out."""
    blotted = _credential_field.sub(rb"\1\2 ***", data[: 4 * RAW_LIMIT])
    return _credential_parameter.sub(rb"\1***", blotted)[:RAW_LIMIT]


def received_request(head: ParsedRequest) -> Request:
    """The request as it arrived (RFC 9112 §3.3).

    Scheme and authority are the target's where it has them; else `http`, for the connection is not secured,
    and what `Host` says, which may be nothing.
    """
    scheme = b"http"
    authority = head.fields.get(b"host") or b""
    if head.target[:1] != b"/":
        target = parse_target(head.method, head.target)
        scheme = target.scheme or scheme
        authority = target.authority or authority
    return Request(head.method, head.target, head.fields, head.version, scheme, authority)
