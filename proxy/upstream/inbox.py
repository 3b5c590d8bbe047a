"""Bytes that have come and have not been read yet."""

from __future__ import annotations

from collections import deque

from proxy.upstream.connection import Connection

FULL = 256 * 1024
"""Where this many bytes are waiting the connection reads no more; what was on its way still comes in."""


class Inbox:
    """What a connection has received, until it's taken; the connection pauses while there's too much."""

    __slots__ = ("_connection", "_pieces", "paused", "size")

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._pieces: deque[bytes] = deque()
        self.size = 0
        self.paused = False

    def put(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._pieces.append(data)
        self.size += len(data)
        if self.size >= FULL and not self.paused and self._connection is not None:
            self.paused = True
            self._connection.pause()

    def take(self) -> bytes:
        """All that is there, in one piece; empty where there's nothing."""
        if not self.size:
            return b""
        pieces = self._pieces
        data = pieces.popleft() if len(pieces) == 1 else b"".join(pieces)
        self.clear()
        return data

    def clear(self) -> None:
        """Forget all that is there."""
        self._pieces.clear()
        self.size = 0
        if self.paused:
            self.paused = False
            if self._connection is not None:
                self._connection.resume()

    def detach(self) -> None:
        """The connection is another's from here on: what is there can still be taken."""
        self._connection = None
