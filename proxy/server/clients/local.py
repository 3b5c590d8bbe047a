"""Requests that end here, by their method, target or fields (RFC 9110 §7.4, §7.6.2, §9.3.6 to §9.3.8)."""

from __future__ import annotations

from proxy.caching.decision import Because, Decision, Outcome, Reason
from proxy.message.dates import format_date
from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.head import serialise_fields
from proxy.message.hops import max_forwards, times_via
from proxy.message.problems import problem
from proxy.message.request import Request
from proxy.message.response import Response

LAST_HOP = Reason("max-forwards", "RFC 9110 §7.6.2", "The request may not be forwarded any further.")
NO_TUNNEL = Reason("connect", "RFC 9110 §9.3.6", "A gateway opens no tunnels for its clients.")
MISDIRECTED = Reason(
    "misdirected", "RFC 9110 §7.4", "A request for an https resource has to come over a secured connection."
)
LOOP = Reason("loop", "RFC 9110 §7.6.3", "The request has come through here again and again.")

_SENSITIVE = (b"authorization", b"cookie", b"proxy-authorization")

LocalAnswer = tuple[Response, bytes, Decision]


def local_answer(
    received: Request,
    *,
    has_content: bool,
    exchange_id: str,
    name: str,
    loops: int,
    now: float,
    trusted: bool = False,
) -> LocalAnswer | None:
    """The answer to a request that must not be forwarded, None where it may be.

    Clients' connections are never secured here, so that a target of the `https` scheme is only taken from a
    `trusted` gateway. The origin server would be told that the request had come that way (RFC 9110 §7.4).
    Raises `MalformedMessage` for a Max-Forwards that can't be read and for a TRACE with content.
    """
    if received.method == b"CONNECT":
        detail = "CONNECT is for forward proxies; this is a gateway"
        response, content = problem(
            501, detail, exchange_id=exchange_id, error_token="http_request_denied", name=name, now=now
        )
        return response, content, _decided(Outcome.REFUSED, NO_TUNNEL)
    if received.scheme == b"https" and not trusted:
        detail = "the target's scheme is https, and the connection is not secured"
        response, content = problem(
            421, detail, exchange_id=exchange_id, error_token="http_request_error", name=name, now=now
        )
        return response, content, _decided(Outcome.REFUSED, MISDIRECTED)
    if times_via(received.fields, name) >= loops:
        detail = f"the request has passed {name} {loops} times already"
        response, content = problem(
            502, detail, exchange_id=exchange_id, error_token="proxy_loop_detected", name=name, now=now
        )
        return response, content, _decided(Outcome.REFUSED, LOOP, f"{loops} times")
    if received.method not in (b"TRACE", b"OPTIONS"):
        return None
    if received.method == b"TRACE" and has_content:
        raise MalformedMessage("a TRACE request with content (RFC 9110 §9.3.8)")
    if max_forwards(received.fields) != 0:
        return None
    date = (b"Date", format_date(now))
    decision = _decided(Outcome.LOCAL, LAST_HOP, "Max-Forwards: 0")
    if received.method == b"OPTIONS":
        return Response(200, Fields((date, (b"Content-Length", b"0"))), b"OK"), b"", decision
    content = reflected(received)
    fields = Fields((date, (b"Content-Type", b"message/http"), (b"Content-Length", b"%d" % len(content))))
    return Response(200, fields, b"OK"), content, decision


def reflected(received: Request) -> bytes:
    """A request as `message/http`, as received but without what might be sensitive (RFC 9110 §9.3.8)."""
    line = b"%b %b HTTP/%d.%d\r\n" % (received.method, received.target, *received.version)
    return line + serialise_fields(received.fields.without(*_SENSITIVE)) + b"\r\n"


def _decided(outcome: Outcome, reason: Reason, evidence: str = "") -> Decision:
    return Decision(outcome, (Because(reason, evidence),))
