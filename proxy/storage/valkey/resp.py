"""What a server says, out of bytes as they come: RESP3, the protocol that Valkey speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valkey._parsers.base import BaseParser
from valkey.exceptions import ConnectionError as Unusable

Reply = Any
"""What the server answered; where that was an error, or nothing came, the exception itself."""

_LARGEST = 64 << 20
_LINE = 64 << 10
_MOST = 1 << 20
_DEPTH = 16


class Garbled(Exception):  # noqa: N818
    """Bytes that are no RESP3, or an answer that ends the connection."""


class Push(list[Any]):
    """A message that nobody asked for."""


class _Partial(Exception):  # noqa: N818
    """The rest has not come yet."""


class _Open:
    """A value made of others, of which so many have not come yet."""

    __slots__ = ("kind", "left", "values")

    def __init__(self, kind: int, left: int) -> None:
        self.kind = kind
        self.left = left
        self.values: list[Reply] = []


class Parser:
    """The replies in a stream of bytes. What is larger than an answer of ours can be is garbled."""

    __slots__ = ("_at", "_block", "_later", "_needed", "_open", "_size")

    def __init__(self) -> None:
        self._block = b""
        self._at = 0
        self._later: list[bytes] = []
        self._needed = 0  # bytes that have to come before there is anything to be read
        self._open: list[_Open] = []
        self._size = 0  # of the reply that has begun

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are whole with `data`. Raises Garbled."""
        if self._block:
            self._later.append(data)
            self._needed -= len(data)
            if self._needed > 0:
                return []
            data = b"".join((self._block, *self._later))
            self._later.clear()
        self._block, self._at, self._needed = data, 0, 0
        replies: list[Reply] = []
        begun, end = 0, len(data)
        try:
            while begun < end:
                self._read(replies)
                begun = self._at
        except _Partial:
            self._at = begun
        self._block = data[self._at :] if self._at < end else b""
        self._size = self._size + self._at if self._open else 0
        if self._size > _LARGEST:
            raise Garbled
        return replies

    def _read(self, replies: list[Reply]) -> None:
        """The next value; bulk strings, which are most of them, first."""
        block, at = self._block, self._at
        end = block.find(b"\r\n", at)
        if end < 0:
            if len(block) - at > _LINE:
                raise Garbled
            raise _Partial
        kind, line = block[at], block[at + 1 : end]
        self._at = end + 2
        if kind == 0x24:  # $
            self._put(self._bulk(line), replies)
            return
        read = _SIMPLE.get(kind)
        if read is not None:
            try:
                value = read(line)
            except (ValueError, OverflowError):
                raise Garbled from None
            self._put(value, replies)
        elif kind in b"!=":
            text = self._bulk(line) or b""
            self._put(_error(text) if kind == 0x21 else text[4:], replies)
        else:
            self._begin(kind, line, replies)

    def _bulk(self, line: bytes) -> bytes | None:
        if line == b"-1":
            return None
        begin = self._at
        end = begin + _number(line, _LARGEST)
        self._at = end + 2
        if self._at > len(self._block):
            self._needed = self._at - len(self._block)
            raise _Partial
        if self._block[end : end + 2] != b"\r\n":
            raise Garbled
        return self._block[begin:end]

    def _begin(self, kind: int, line: bytes, replies: list[Reply]) -> None:
        """A value that is made of others."""
        if kind not in b"*~>%|" or len(self._open) == _DEPTH:
            raise Garbled
        if line == b"-1":
            self._put(None, replies)
            return
        one = _Open(kind, _number(line, _MOST) * (2 if kind in b"%|" else 1))
        if one.left:
            self._open.append(one)
        elif kind != 0x7C:
            self._put(_made(one), replies)

    def _put(self, value: Reply, replies: list[Reply]) -> None:
        """A value is whole, and perhaps what it is a part of too."""
        opened = self._open
        while opened:
            one = opened[-1]
            one.values.append(value)
            one.left -= 1
            if one.left:
                return
            opened.pop()
            if one.kind == 0x7C:  # |: attributes of the value that follows
                return
            value = _made(one)
        replies.append(value)


def _made(one: _Open) -> Reply:
    values = one.values
    if one.kind == 0x3E:  # >
        return Push(values)
    return list(zip(values[::2], values[1::2], strict=True)) if one.kind == 0x25 else values


def pack(words: tuple[bytes | int | str, ...]) -> bytes:
    """A command as the server reads it."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        if not isinstance(word, bytes):
            word = str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
    return b"".join(parts)


def _number(line: bytes, most: int) -> int:
    if not line.isdigit() or len(line) > 10 or (number := int(line)) > most:
        raise Garbled
    return number


def _error(line: bytes) -> Exception:
    """As the client would give it. Raises Garbled where it means that the connection is of no use."""
    error: Exception = BaseParser.parse_error(line.decode(errors="replace"))  # type: ignore[no-untyped-call]
    if isinstance(error, Unusable):
        raise Garbled from error
    return error


def _null(_: bytes) -> None:
    return None


def _true(line: bytes) -> bool:
    return line == b"t"


_SIMPLE: dict[int, Callable[[bytes], Reply]] = {
    0x2B: bytes,  # +
    0x2D: _error,  # -
    0x3A: int,  # :
    0x28: int,  # (
    0x2C: float,  # ,
    0x23: _true,  # #
    0x5F: _null,  # _
}
