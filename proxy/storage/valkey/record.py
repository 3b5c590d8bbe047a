"""An entry as bytes in Valkey: its record, and the pieces of its content."""

from __future__ import annotations

from zlib import crc32

import msgspec
from backports import zstd

PIECE = 64 << 10
"""Bytes of content in a piece, but for the last."""

_PLAIN, _ZSTD = b"\x00", b"\x01"
_LEVEL = 1
_WORTH = 0.9
_LEAST = 256
_FRONT = 40


class Unreadable(Exception):  # noqa: N818
    """Bytes that are not what was written: damaged, or of another version."""


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is known of one entry.

    `born` are the sequence numbers of its labels' shards that were known when it began to be stored;
    `head` is the block of its stored response and digest; `pieces` the number of pieces of its content.
    """

    key: bytes
    labels: tuple[bytes, ...]
    born: tuple[int, ...]
    pieces: int
    head: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def seal(record: Record, id_: bytes, born: int, expires: float | None) -> bytes:
    """`record` as it is kept: first what scripts read, then a checksum, then the rest.

    `born` is the sequence number of its key's shard, `expires` in seconds since the epoch.
    """
    milliseconds = 0 if expires is None else max(1, int(expires * 1000))
    front = b"%016d%016d%08d" % (born, min(milliseconds, 10**16 - 1), record.pieces)
    block = _encoder.encode(record)
    return front + crc32(block, crc32(id_ + front)).to_bytes(4, "big") + block


def unseal(value: bytes, id_: bytes) -> tuple[Record, int, float | None]:
    """The record, `born` and `expires` that `seal` was given. Raises Unreadable."""
    front, block = value[:_FRONT], value[_FRONT + 4 :]
    if crc32(block, crc32(id_ + front)).to_bytes(4, "big") != value[_FRONT : _FRONT + 4]:
        raise Unreadable
    try:
        record = _decoder.decode(block)
        born, milliseconds = int(front[:16]), int(front[16:32])
    except (msgspec.DecodeError, ValueError):
        raise Unreadable from None
    if len(record.born) != len(record.labels):
        raise Unreadable
    return record, born, milliseconds / 1000 if milliseconds else None


class Framer:
    """Makes pieces of one content; finds out by the first of them whether to compress it pays."""

    __slots__ = ("_compress", "_id", "_number")

    def __init__(self, id_: bytes, *, compress: bool) -> None:
        self._id = id_
        self._compress = compress
        self._number = 0

    def frame(self, data: bytes) -> bytes:
        """The next piece as it is kept."""
        how = _PLAIN
        if self._compress and len(data) >= _LEAST:
            smaller = zstd.compress(data, _LEVEL)
            if len(smaller) < len(data) * _WORTH:
                how, data = _ZSTD, smaller
            elif self._number == 0:
                self._compress = False
        check = _check(self._id, self._number, how, data)
        self._number += 1
        return how + check + data


def unframe(frame: object, id_: bytes, number: int, length: int) -> bytes:
    """The `length` bytes of content in the piece of that number. Raises Unreadable."""
    if not isinstance(frame, bytes):
        raise Unreadable
    how, check, data = frame[:1], frame[1:5], frame[5:]
    if check != _check(id_, number, how, data):
        raise Unreadable
    if how == _ZSTD:
        try:
            data = zstd.ZstdDecompressor().decompress(data, length + 1)
        except zstd.ZstdError:
            raise Unreadable from None
    if len(data) != length:
        raise Unreadable
    return data


def _check(id_: bytes, number: int, how: bytes, data: bytes) -> bytes:
    return crc32(data, crc32(b"%s%d%s" % (id_, number, how))).to_bytes(4, "big")
