"""A content while it comes in: one copy that grows at its end and can be read from any place meanwhile."""

from __future__ import annotations

from bisect import bisect_right
from io import BytesIO

from proxy.storage.entry import PIECE

_SMALL = 16 << 10
"""Pieces are put together up to this size, so that many small ones take little more than their bytes."""


class Pieces:
    """Bytes that come one after another. `length` counts all of them, those included that were forgotten."""

    __slots__ = ("_ends", "_forgotten", "_pieces", "_whole", "length")

    def __init__(self) -> None:
        self.length = 0
        self._forgotten = 0
        self._pieces: list[bytes] = []
        self._ends: list[int] = []
        self._whole: bytes | None = None

    def add(self, data: bytes) -> None:
        """The next bytes."""
        pieces = self._pieces
        self.length += len(data)
        if pieces and len(pieces[-1]) + len(data) <= _SMALL:
            pieces[-1] += data
            self._ends[-1] = self.length
        else:
            pieces.append(data)
            self._ends.append(self.length)

    def take(self, first: int, end: int | None = None) -> bytes | memoryview:
        """What there is from `first` on and before `end`, in one piece of some size; empty: not there yet.

        No bytes are copied. Raises LookupError where that was forgotten.
        """
        if self._whole is not None:
            if first == 0 and end == self.length:
                return self._whole
            return memoryview(self._whole)[first:end]
        if first < self._forgotten:
            raise LookupError("these bytes were forgotten")
        index = bisect_right(self._ends, first)
        if index == len(self._ends):
            return b""
        piece, last = self._pieces[index], self._ends[index]
        begin = last - len(piece)
        if first == begin and (end is None or end >= last):
            return piece
        return memoryview(piece)[first - begin : None if end is None else end - begin]

    def forget(self, keep: int) -> None:
        """Hold only the last pieces of it, at least `keep` bytes."""
        count = bisect_right(self._ends, self.length - keep)
        if count:
            self._forgotten = self._ends[count - 1]
            del self._pieces[:count], self._ends[:count]

    def value(self) -> bytes:
        """All of it in one block, which takes the place of the pieces; nothing can be added then.

        The pieces go one by one, so that there are never two of a large content. A block cut to its size
        leaves a gap behind it: a small one is copied instead.
        """
        if self._whole is None:
            if len(self._pieces) == 1:
                self._whole = bytes(self._pieces[0])
            else:
                self._whole = self._joined()
            self._pieces, self._ends = [], []
        return self._whole

    def _joined(self) -> bytes:
        if self.length <= PIECE:
            return b"".join(self._pieces)
        buffer = BytesIO()
        pieces = self._pieces
        pieces.reverse()
        while pieces:
            buffer.write(pieces.pop())
        return buffer.getvalue()
