"""One entry as it stands in the map: a block of bytes that carries its own checksum."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct as Layout
from zlib import crc32

import msgspec

from proxy.storage.disk.errors import Damaged

INLINE = 16 << 10
"""Bytes up to which a content is kept in the map itself; a larger one has a file of its own."""

SUMMED = 64 << 10
"""Bytes of a large content under one checksum."""

LARGEST = 1 << 20
"""Bytes of the largest block: an entry with more in its fields is not kept."""

NAME = 16
"""Bytes of the hash that stands for a key or a label."""

NUMBER = 8

NOWHERE = bytes(NUMBER)
"""The place of what has none in the main queue."""

_BLOCK = 4096
_MOST_NUMBERS = NUMBER << 12
_NODE = 18
_IN_LEAF = 2030
_INDEXES = 240
_PER_LABEL = 100
_FILE = 512

_HEADER = Layout("<IQQQQQQIIIQ")
_SUM = Layout("<I")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[bytes, ...]).decode


def name_of_key(key: bytes) -> bytes:
    """What stands for a key of any length."""
    return blake2b(key, digest_size=NAME).digest()


def name_of_label(label: bytes) -> bytes:
    """What stands for a label; never the same as for a key."""
    return blake2b(label, digest_size=NAME, person=b"label").digest()


def sealed(data: bytes) -> bytes:
    """`data` with a checksum behind it."""
    return data + _SUM.pack(crc32(data))


def unsealed(block: bytes | memoryview) -> bytes:
    """The data in a block that `sealed` made. Raises `Damaged`."""
    data = copied(block)[:-4]
    if len(block) < 4 or _SUM.pack(crc32(data)) != block[-4:]:
        raise Damaged("a record on disk is damaged")
    return data


class Record(msgspec.Struct, gc=False):
    """One entry. `number` tells it from all others and grows with each; `revision` with each change in it.

    `deadline` is when it is of no use any more, in whole seconds since the epoch (0: never). `file` names the
    file of a large content, with `sums` the checksums of its parts; `content` is a small one. `length` is the
    content's in bytes, `size` what the entry takes of the budget.
    """

    number: int
    revision: int
    deadline: int
    file: int
    length: int
    key: bytes
    labels: tuple[bytes, ...]
    head: bytes
    sums: bytes = b""
    content: bytes = b""
    size: int = 0

    def pack(self) -> bytes:
        """The block; `size` is worked out here."""
        labels = _encode(self.labels) if self.labels else b""
        parts = (self.key, labels, self.head, self.sums, self.content)
        self.size = cost(_HEADER.size + sum(map(len, parts)), self.file and self.length, len(self.labels))
        header = _HEADER.pack(
            0,
            self.number,
            self.revision,
            self.deadline,
            self.file,
            self.length,
            self.size,
            len(self.key),
            len(labels),
            len(self.head),
            len(self.sums),
        )
        block = b"".join((header[4:], *parts))
        return _SUM.pack(crc32(block)) + block


def unpack(block: memoryview, number: int) -> Record:
    """The entry `number` in a block that `pack` made. Raises `Damaged`."""
    if not _HEADER.size <= len(block) <= LARGEST or crc32(block[4:]) != _SUM.unpack_from(block)[0]:
        raise Damaged("an entry on disk is damaged")
    _, own, revision, deadline, file, length, size, keys, labels, heads, sums = _HEADER.unpack_from(block)
    if own != number:
        raise Damaged("an entry on disk is not where it belongs")
    keys += _HEADER.size
    labels += keys
    heads += labels
    sums += heads
    front = bytes(block[:sums])  # all but the content: to copy each part takes longer
    return Record(
        number,
        revision,
        deadline,
        file,
        length,
        front[_HEADER.size : keys],
        _decode(front[keys:labels]) if labels > keys else (),
        front[labels:heads],
        front[heads:],
        bytes(block[sums:]),
        size,
    )


def cost(block: int, file: int, labels: int) -> int:
    """The bytes on disk that an entry takes: a block of so many bytes, its file's content, its indexes."""
    if block + _NODE <= _IN_LEAF:
        held = _BLOCK // ((_BLOCK - NAME) // (block + _NODE))
    else:
        held = on_disk(block + NAME) + _NODE + NUMBER
    return held + _INDEXES + labels * _PER_LABEL + (on_disk(file) + _FILE if file else 0)


def copied(block: bytes | memoryview) -> bytes:
    """A copy of what the map gave. Raises `Damaged`.

    The map gives what a damaged page says, even where that is more than there is.
    """
    if len(block) > LARGEST:
        raise Damaged("a record on disk is damaged")
    return bytes(block)


def numbers(packed: bytes | memoryview) -> list[int]:
    """The numbers in a row of them. Raises `Damaged`."""
    if len(packed) == NUMBER:
        return [int.from_bytes(packed, "big")]
    if len(packed) > _MOST_NUMBERS or len(packed) % NUMBER:
        raise Damaged("a record on disk is damaged")
    return [int.from_bytes(packed[at : at + NUMBER], "big") for at in range(0, len(packed), NUMBER)]


def packed(many: Sequence[int]) -> bytes:
    """A row of numbers, in the order in which they sort."""
    if len(many) == 1:
        return many[0].to_bytes(NUMBER, "big")
    return b"".join([one.to_bytes(NUMBER, "big") for one in many])


def on_disk(size: int) -> int:
    """The bytes that a file of `size` bytes takes."""
    return -(-size // _BLOCK) * _BLOCK
