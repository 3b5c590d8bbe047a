"""One connection of the load generator: requests out, whole answers in, with as little work as can be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import cast

_HEAD_END = b"\r\n\r\n"
_USUAL = b"\r\nContent-Length: "
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_UNTIL_LAST_CHUNK = -1

Answered = Callable[["Connection", bool], None]
"""Told of each answer: the connection, and whether it was 200 with the content that was due."""


class Connection(asyncio.Protocol):
    """Asks one thing at a time. `asked` is when, in seconds; `lost` is called when the connection ends."""

    __slots__ = (
        *("_answered", "_due", "_good", "_head", "_left", "_lost", "_tail", "_taken"),
        *("asked", "busy", "transport"),
    )

    def __init__(self, due: int, answered: Answered, lost: Callable[[Connection], None]) -> None:
        self._due = due
        self._answered = answered
        self._lost = lost
        self.transport: asyncio.Transport | None = None
        self.asked = 0.0
        self.busy = False
        self._reset()

    def _reset(self) -> None:
        self._head = b""
        self._left: int | None = None
        self._tail = b""
        self._taken = 0
        self._good = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._lost(self)

    def ask(self, request: bytes, moment: float) -> None:
        """Send a request that was due at that moment. There must be none on its way."""
        self.asked = moment
        self.busy = True
        if self.transport is not None:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._left is None:
            if self._head:
                data = self._head + data
            end = data.find(_HEAD_END)
            if end < 0:
                self._head = data
                return
            self._left = self._length(data, end)
            self._good = data.startswith(b"200", 9)
            data = data[end + 4 :]
        self._taken += len(data)
        left = self._left
        if left == _UNTIL_LAST_CHUNK:
            self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
            if not (b"\r\n" + self._tail).endswith(_LAST_CHUNK):
                return
            good = self._good and self._taken > self._due
        elif self._taken < left:
            return
        else:
            good = self._good and self._taken == left == self._due
        self._reset()
        self.busy = False
        self._answered(self, good)

    def _length(self, data: bytes, end: int) -> int:
        """How much content follows the head that ends there."""
        start = data.find(_USUAL, 0, end)
        if start >= 0:
            start += len(_USUAL)
            return int(data[start : data.index(b"\r", start)])
        match = _LENGTH.search(data, 0, end)
        if match:
            return int(match[1])
        return _UNTIL_LAST_CHUNK if _CHUNKED.search(data, 0, end) else 0
