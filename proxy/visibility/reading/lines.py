"""Bytes to blocks of whole lines, in bounded memory whatever the bytes are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST = 1 << 20
"""Bytes of the longest line that is read; one that is longer is left out."""

BLOCK = 64 << 10
"""Bytes that are handed on at once, about: few enough to stay in the processor's caches."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, each with its end except perhaps the last, without NULs and carriage returns at the end.

    `first` is the number of the first line, from 1; `count` how many lines there are. Where a line was left
    out because of its length, `too_long` is true and the block is empty.
    """

    data: bytes
    first: int
    count: int
    too_long: bool = False


def blocks(chunks: Iterable[bytes], longest: int = LONGEST) -> Iterator[Block]:
    """The lines of `chunks`. An empty line counts as one."""
    waiting: list[bytes] = []
    size = 0
    skipping = False
    number = 1
    for piece in _pieces(chunks):
        end = piece.rfind(b"\n") + 1
        if not end:
            if not skipping:
                waiting.append(piece)
                size += len(piece)
            if size > longest:
                waiting, size, skipping = [], 0, True
            continue
        if skipping:
            begin = piece.find(b"\n") + 1
            yield Block(b"", number, 1, too_long=True)
            number += 1
            skipping = False
        else:
            begin = 0
        if end > begin:
            waiting.append(piece[begin:end])
            block = _block(b"".join(waiting), number)
            number += block.count
            yield block
        waiting = [piece[end:]] if end < len(piece) else []
        size = len(piece) - end
    if skipping:
        yield Block(b"", number, 1, too_long=True)
    elif waiting:
        yield _block(b"".join(waiting), number)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks without NULs, which logs that were truncated while written begin with; none above BLOCK."""
    for chunk in chunks:
        clean = chunk.translate(None, b"\0") if b"\0" in chunk else chunk
        for begin in range(0, len(clean), BLOCK):
            yield clean[begin : begin + BLOCK]


def _block(data: bytes, number: int) -> Block:
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    return Block(data, number, data.count(b"\n") + (not data.endswith(b"\n")))
