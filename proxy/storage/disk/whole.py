"""Whether the map's file is whole, as far as its first two pages tell: they say what it should be."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from struct import Struct as Layout
from typing import NamedTuple
from zlib import crc32

from proxy.storage.disk.tables import PAGE

_MAGIC = 0xBEEFC0DE
_HEADER = 16
_META = Layout("=IIQQ48s48sQQ")


class Last(NamedTuple):
    """The last transaction: its number, the pages that there are then, and the sum of what it says."""

    transaction: int
    pages: int
    sum: int


def last_transaction(path: Path) -> Last | None:
    """What the map in the file at `path` says of itself; None where that makes no sense. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        metas = _metas(descriptor)
    finally:
        os.close(descriptor)
    if len(metas) < 2 or (abs(metas[0].transaction - metas[1].transaction) != 1 and max(metas).transaction):
        return None
    return max(metas)


def is_open(folder: str) -> bool:
    """Whether another process has the map in `folder` open; not to be asked of one that this process has."""
    try:
        descriptor = os.open(os.path.join(folder, "lock.mdb"), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:  # whoever has it open holds this lock together with all others
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
    except (BlockingIOError, PermissionError):
        return True
    finally:
        os.close(descriptor)
    return False


def meta_sum(descriptor: int, transaction: int) -> int | None:
    """The sum of the page that says what `transaction` left; None where it isn't there any more."""
    return next((one.sum for one in _metas(descriptor) if one.transaction == transaction), None)


def lengthen(path: Path, size: int) -> None:
    """Have the map's file reach as far as the map, by a hole that takes no room.

    To touch what is mapped and not in the file ends the process, while a page of zeros is found out: a
    damaged page may point anywhere.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_size < size:
            os.truncate(path, size)


def _metas(descriptor: int) -> list[Last]:
    found = []
    for at in (0, PAGE):
        block = os.pread(descriptor, _META.size, at + _HEADER)
        if len(block) == _META.size:
            magic, _, _, _, _, _, last, transaction = _META.unpack(block)
            if magic == _MAGIC:
                # The address and the size of the map belong to who has it open.
                found.append(Last(transaction, last + 1, crc32(block[24:])))
    return found
