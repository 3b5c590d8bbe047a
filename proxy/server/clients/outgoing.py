"""How a response leaves: its framing and its connection fields (RFC 9112 §6, §9)."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from proxy.message.fields import FieldLine, Fields
from proxy.message.framing import Kind, persistent
from proxy.message.hops import strip_hop_by_hop, via, with_via
from proxy.message.request import Request
from proxy.message.response import Response


class Outgoing(NamedTuple):
    """A final response's head as it is sent, how its content is framed, and whether the connection stays."""

    head: Response
    kind: Kind
    length: int | None
    persistent: bool


def outgoing(
    response: Response, length: int | None, request: Request, *, stays: bool, name: str | None
) -> Outgoing:
    """The response to `request` with content of `length` bytes (None: unknown).

    Fields keep their order, case and repetitions; only what concerns the connection changes, and
    Content-Length where it isn't there or isn't right. `stays` says whether we for our part would keep the
    connection; `name` is what goes into `Via`, None for an answer of our own.
    """
    fields = strip_hop_by_hop(response.fields)
    kind = _kind(response.status, length, request)
    added: list[FieldLine] = []
    if name is not None:
        added.append((b"Via", via(response.version, name)))
    if kind is Kind.NONE:
        length = 0
        if response.status == 204:
            fields = fields.without(b"content-length")
    elif kind is Kind.LENGTH:
        exact = b"%d" % (length or 0)
        if b"content-length" not in fields:
            added.append((b"Content-Length", exact))
        elif fields.all(b"content-length") != (exact,):
            fields = fields.setting(b"Content-Length", exact)
    else:
        fields = fields.without(b"content-length")
        if kind is Kind.CHUNKED:
            added.append((b"Transfer-Encoding", b"chunked"))
    stays = stays and kind is not Kind.CLOSE and persistent(request.version, request.fields)
    if not stays:
        added.append((b"Connection", b"close"))
    elif request.version < (1, 1):
        added.append((b"Connection", b"keep-alive"))
    head = Response(response.status, fields.adding(*added), response.reason, response.version)
    return Outgoing(head, kind, length, stays)


def interim_head(response: Response) -> Response:
    """A 1xx response as it is passed on: without what frames content or concerns the connection."""
    fields = strip_hop_by_hop(response.fields).without(b"content-length")
    return replace(response, fields=fields)


def switching_head(response: Response, name: str) -> Response:
    """A 101 as it is passed on, with the protocol that the connection switches to (RFC 9110 §7.8)."""
    fields = with_via(strip_hop_by_hop(response.fields).without(b"content-length"), response.version, name)
    upgrade = response.fields.get(b"upgrade")
    lines = [(b"Connection", b"Upgrade")]
    if upgrade is not None:
        lines.append((b"Upgrade", upgrade))
    return replace(response, fields=Fields((*lines, *fields)))


def _kind(status: int, length: int | None, request: Request) -> Kind:
    if request.method == b"HEAD" or status in (204, 304):
        return Kind.NONE
    if length is not None:
        return Kind.LENGTH
    return Kind.CHUNKED if request.version >= (1, 1) else Kind.CLOSE
