"""What to do next, as pure functions: `pool` and `exchange` do it."""

from __future__ import annotations

import re
from enum import Enum, auto

from proxy.message.fields import Fields

IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE", b"QUERY"})
"""The methods whose requests may be sent again (RFC 9110 §9.2.2; QUERY is safe by its own definition)."""

_TIMEOUT = re.compile(rb"(?:^|[,;])[ \t]*timeout[ \t]*=[ \t]*\"?([0-9]{1,9})", re.IGNORECASE)


class Step(Enum):
    """Where the connection for a request comes from."""

    REUSE = auto()
    OPEN = auto()
    WAIT = auto()
    REFUSE = auto()


def next_step(*, idle: int, opened: int, waiting: int, connections: int, queue: int) -> Step:
    """The step for one more request, given how many connections are idle and opened in all (idle ones too)
    and how many requests wait, with the limits of connections and of waiting requests."""
    if idle and not waiting:
        return Step.REUSE
    if opened < connections and not waiting:
        return Step.OPEN
    return Step.WAIT if waiting < queue else Step.REFUSE


def may_retry(method: bytes, *, reused: bool, answered: bool, sent: bool, content_read: bool) -> bool:
    """Whether a request that failed with its connection may be sent again, once, on a fresh one.

    Only on a connection that was used before (it may have been closed while idle), and only before any
    byte of an answer; what was never sent always may, what was sent only where its method is idempotent
    and its content can still be read (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
    """
    if not reused or answered:
        return False
    return not sent or (method in IDEMPOTENT and not content_read)


def idle_time(fields: Fields, longest: float) -> float:
    """How many seconds a connection may lie idle after a response with these `fields`.

    At most `longest`, and less than the `timeout` of the server's `Keep-Alive` field, so that no request
    is under way when the server closes (RFC 9112 §C.2.2 speaks of the field; its parameter has no RFC).
    """
    if b"keep-alive" not in fields:
        return longest
    match = _TIMEOUT.search(fields.get(b"keep-alive") or b"")
    if match is None:
        return longest
    timeout = int(match[1])
    return min(longest, max(timeout - 1.0, timeout / 2))
