"""A content while it comes in: one copy that grows at its end and can be read from any place meanwhile."""

from __future__ import annotations

from bisect import bisect_right
from io import BytesIO

from proxy.storage.memory.entry import PIECE

_SMALL = 16 << 10
"""Pieces are put together up to this size, so that many small ones take little more than their bytes."""


class Pieces:
    """Bytes that come one after another. `length` counts all of them, those included that were forgotten."""

    __slots__ = ("_buffer", "_ends", "_forgotten", "_gathered", "_pieces", "_whole", "length")

    def __init__(self) -> None:
        self.length = 0
        self._forgotten = 0
        self._pieces: list[bytes] = []
        self._ends: list[int] = []
        self._buffer: BytesIO | None = None
        self._gathered = 0
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

        No bytes are copied, but in the moments in which it is being gathered. Raises LookupError where that
        was forgotten.
        """
        if self._whole is not None:
            if first == 0 and end == self.length:
                return self._whole
            return memoryview(self._whole)[first:end]
        if first < self._forgotten:
            raise LookupError("these bytes were forgotten")
        if first < self._gathered:
            assert self._buffer is not None
            last = min(self._gathered, first + PIECE, self.length if end is None else end)
            return bytes(self._buffer.getbuffer()[first:last])
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

    def gather(self, most: int) -> bool:
        """Put at least one piece, and about `most` bytes, into the one block that takes the pieces' place.

        Whether all of them are there: `value` is at hand then. Nothing can be added any more. A large
        content takes a while, in which others may have their turns; there are never two of it.
        """
        pieces = self._pieces
        if self._whole is None and (self.length <= PIECE or len(pieces) == 1) and self._buffer is None:
            # A block cut to its size leaves a gap behind it, which is too small for anything but is counted.
            self._whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        elif self._whole is None:
            buffer = self._buffer = self._buffer or BytesIO()
            count = bisect_right(self._ends, self._gathered + most) or 1
            for piece in pieces[:count]:
                buffer.write(piece)
            self._gathered = self._ends[min(count, len(pieces)) - 1]
            del pieces[:count], self._ends[:count]
            if pieces:
                return False
            self._whole, self._buffer = buffer.getvalue(), None
        self._pieces, self._ends = [], []
        return True

    def value(self) -> bytes:
        """All of it in one block."""
        while not self.gather(self.length):
            pass
        assert self._whole is not None
        return self._whole
