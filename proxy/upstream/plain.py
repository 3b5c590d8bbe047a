"""Responses that can be taken at a glance: whole, in one piece, and framed by a length."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from proxy.message.errors import MalformedMessage
from proxy.message.framing import Kind, persistent, response_framing
from proxy.message.head import HeadLimits, parse_response_head
from proxy.message.response import Response
from proxy.upstream.incoming import announces_content
from proxy.upstream.planner import idle_time

_REMEMBERED = 768 << 10
"""Bytes of heads that are remembered; most servers repeat theirs for at least a second, until Date changes.

That has to be enough for all that is asked for in such a second, or nearly all would be taken apart again.
"""

_LEAST = 100
"""Bytes that count beside a head's own, so that short ones are not too many."""

_LONGEST = 4096
"""Bytes of a head that is remembered."""


class PlainHead:
    """A final response's head, `length` bytes of content after it, and a connection that serves again.

    `raw` are the head's bytes. `idle` is for how many seconds the connection may be kept. `notes` is for what
    users of the head have made of it: the same head need not be taken apart twice.
    """

    __slots__ = ("idle", "length", "notes", "raw", "response")

    def __init__(self, raw: bytes, response: Response, length: int, idle: float) -> None:
        self.raw = raw
        self.response = response
        self.length = length
        self.idle = idle
        self.notes: dict[Hashable, Any] = {}


class PlainHeads:
    """Reads heads as `Incoming` does, and remembers those it has read.

    `idle` is the longest that a connection may be kept, in seconds.
    """

    def __init__(self, limits: HeadLimits, idle: float) -> None:
        self._limits = limits
        self._idle = idle
        self._known: dict[tuple[bytes, bool], PlainHead | None] = {}
        self._size = 0

    def read(self, head: bytes, *, to_head: bool) -> PlainHead | None:
        """What a whole head says in answer to a GET, or a HEAD (`to_head`); None where it isn't plain."""
        key = head, to_head
        try:
            return self._known[key]
        except KeyError:
            found = self._read(head, b"HEAD" if to_head else b"GET")
        if len(head) <= _LONGEST:
            if self._size >= _REMEMBERED:
                self._known.clear()
                self._size = 0
            self._known[key] = found
            self._size += len(head) + _LEAST
        return found

    def _read(self, head: bytes, method: bytes) -> PlainHead | None:
        try:
            response = parse_response_head(head, self._limits)
            framing = response_framing(method, response)
        except MalformedMessage:
            return None
        plain = (
            response.status >= 200
            and response.status != 408
            and framing.kind in (Kind.NONE, Kind.LENGTH)
            and persistent(response.version, response.fields)
            and not (response.status == 204 and announces_content(response.fields))
        )
        if not plain:
            return None
        return PlainHead(head, response, framing.length or 0, idle_time(response.fields, self._idle))
