"""The chunked transfer coding, read piece by piece and written (RFC 9112 §7.1)."""

from __future__ import annotations

import re
import sys
from enum import Enum, auto

from proxy.message.errors import MalformedMessage
from proxy.message.faults import trailer_fault
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.grammar import FIELD_LINES, TOKEN, shortened, split_field_lines
from proxy.message.head import HeadLimits, find_end, serialise_fields

_QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*+"'
_EXTENSION = rb"[ \t]*+;[ \t]*+" + TOKEN + rb"(?:[ \t]*+=[ \t]*+(?:" + TOKEN + rb"|" + _QUOTED + rb"))?+"
_size_line = re.compile(rb"([0-9A-Fa-f]{1,16}+)(?:" + _EXTENSION + rb")*+\r\n")
_plain_size = re.compile(rb"(0{0,4}+[1-9A-Fa-f][0-9A-Fa-f]{0,5}+)\r\n")
_trailer_section = re.compile(FIELD_LINES + rb"\r\n")

_LONGEST_SIZE_LINE = 4096
_MOST_OVERHEAD = 16384
"""Bytes of size lines beyond what chunks of some size would need: bounds what extensions can cost us."""


class _State(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILERS = auto()
    DONE = auto()


class ChunkedDecoder:
    """Takes a chunked body apart, however it is cut into pieces (RFC 9112 §7.1.3).

    `done` turns true with the empty line at the end; `trailers` then holds the trailer section and `leftover`
    the bytes after it, which belong to the next message. Chunk extensions are checked and left out (§7.1.1).
    """

    __slots__ = ("_buffer", "_limits", "_missing", "_overhead", "_state", "leftover", "pending", "trailers")

    def __init__(self, limits: HeadLimits = HeadLimits()) -> None:  # noqa: B008 - a frozen value
        self._limits = limits
        self._state = _State.SIZE
        self._buffer = bytearray()
        self._missing = 0
        self._overhead = 0
        self.trailers: Fields = NO_FIELDS
        self.leftover = b""
        self.pending = False

    @property
    def done(self) -> bool:
        """Whether the body has come to its end."""
        return self._state is _State.DONE

    def feed(self, data: bytes, most: int = sys.maxsize) -> list[bytes]:
        """Take the next bytes of the body; the pieces of content that they held, none of them empty.

        At most about `most` pieces are given; `pending` is true where there may be more, to be had by feeding
        nothing. Raises `MalformedMessage`: 400, or 431 for extensions or a trailer section over their limits.
        """
        pieces: list[bytes] = []
        self.pending = False
        if self._buffer:
            data = bytes(self._buffer) + data
            self._buffer.clear()
        offset = 0
        while offset < len(data) and self._state is not _State.DONE:
            if self._state is _State.SIZE:
                offset = _read_whole_chunks(data, offset, pieces, most)
            self.pending = len(pieces) >= most
            used = offset if self.pending else self._step(data, offset, pieces)
            if used == offset:
                self._buffer += data[offset:]
                return pieces
            offset = used
        if self._state is _State.DONE:
            self.leftover += data[offset:]
        return pieces

    def _step(self, data: bytes, offset: int, pieces: list[bytes]) -> int:
        """Read one element at `offset`; the offset after it, or the same where it isn't all there."""
        if self._state is _State.DATA:
            piece = data[offset : offset + self._missing]
            pieces.append(piece)
            self._missing -= len(piece)
            if not self._missing:
                self._state = _State.DATA_END
            return offset + len(piece)
        if self._state is _State.SIZE:
            return self._read_size(data, offset)
        if self._state is _State.DATA_END:
            return self._read_data_end(data, offset)
        return self._read_trailers(data, offset)

    def _read_size(self, data: bytes, offset: int) -> int:
        end = data.find(b"\n", offset) + 1
        if (end or len(data)) - offset > _LONGEST_SIZE_LINE:
            raise MalformedMessage("a chunk-size line that is too long", status=431)
        if not end:
            return offset
        line = data[offset:end]
        match = _size_line.fullmatch(line)
        if match is None:
            raise MalformedMessage("not a chunk-size line (RFC 9112 §7.1)", evidence=shortened(line))
        self._missing = int(match[1], 16)
        self._overhead = max(0, self._overhead + len(line) - 16 - self._missing)
        if self._overhead > _MOST_OVERHEAD:
            raise MalformedMessage("too many bytes of chunk extensions", status=431)
        self._state = _State.DATA if self._missing else _State.TRAILERS
        return end

    def _read_data_end(self, data: bytes, offset: int) -> int:
        ending = data[offset : offset + 2]
        if ending == b"\r\n":
            self._state = _State.SIZE
            return offset + 2
        if ending == b"\r":
            return offset
        raise MalformedMessage("a chunk longer than its size says", evidence=shortened(ending[:1]))

    def _read_trailers(self, data: bytes, offset: int) -> int:
        ending = data[offset : offset + 2]
        if ending == b"\r\n":
            self._state = _State.DONE
            return offset + 2
        end = find_end(data, offset)
        if (len(data) if end < 0 else end) - offset > self._limits.block:
            raise MalformedMessage("the trailer section is too long", status=431)
        if end < 0:
            return offset
        section = data[offset:end]
        match = _trailer_section.fullmatch(section)
        if match is None:
            raise trailer_fault(section)
        self.trailers = split_field_lines(match[1])
        if len(self.trailers) > self._limits.fields:
            raise MalformedMessage("too many trailer fields", evidence=f"{len(self.trailers)}", status=431)
        self._state = _State.DONE
        return end


def _read_whole_chunks(data: bytes, offset: int, pieces: list[bytes], most: int) -> int:
    """Take the chunks from `offset` on that are all there, without extensions and not large, which is quick.

    Gives the offset after them; what is there is for the steps to read, and to refuse if need be.
    """
    end = len(data)
    while len(pieces) < most and (match := _plain_size.match(data, offset)) is not None:
        first = match.end()
        last = first + int(match[1], 16)
        if last + 2 > end or data[last : last + 2] != b"\r\n":
            return offset
        pieces.append(data[first:last])
        offset = last + 2
    return offset


def encode_chunk(data: bytes) -> bytes:
    """One chunk that holds `data`; nothing where it is empty, for an empty chunk would be the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def last_chunk(trailers: Fields = NO_FIELDS) -> bytes:
    """The last chunk, the trailer section and the empty line."""
    return b"0\r\n%b\r\n" % serialise_fields(trailers)
