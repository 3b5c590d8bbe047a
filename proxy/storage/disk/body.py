"""A large content in a file of its own: written as it comes, read in parts that are checked.

Not in the map: a part of a map can only be read while a transaction holds it, and a slow client that took an
hour would keep all that changed meanwhile from being reused. A file that is open can be read to its end after
it was taken out of the folder. Many pages in a row are hard to come by in a map, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from concurrent.futures import Executor
from zlib import crc32

from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.record import SUMMED

_TOGETHER = 4
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
_SUM = 4


class Spool:
    """The file of a large content that is on its way. It is locked, so that none takes it for lost."""

    __slots__ = ("_descriptor", "_sum", "_sums", "file", "path", "written")

    def __init__(self, path: str, file: int) -> None:
        """Make the file. Raises OSError."""
        self.path = path
        self.file = file
        self.written = 0
        self._sums = bytearray()
        self._sum = 0
        try:
            self._descriptor = _made(path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            self._descriptor = _made(path)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def append(self, data: bytes) -> None:
        """Write the next bytes. Raises OSError."""
        view = memoryview(data)
        while view:
            taken = os.pwrite(self._descriptor, view[: SUMMED - self.written % SUMMED], self.written)
            self._sum = crc32(view[:taken], self._sum)
            self.written += taken
            if self.written % SUMMED == 0:
                self._end_part()
            view = view[taken:]

    def sums(self) -> bytes:
        """The checksums of its parts, once all is written."""
        last = self._sum.to_bytes(_SUM, "little") if self.written % SUMMED else b""
        return bytes(self._sums) + last

    def read(self, first: int, end: int) -> bytes:
        """Some of the bytes from `first` on and before `end`, of those that were written."""
        return os.pread(self._descriptor, min(end, self.written, first + SUMMED) - first, first)

    def discard(self) -> None:
        """Take the file away; who reads it still can."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def _end_part(self) -> None:
        self._sums += self._sum.to_bytes(_SUM, "little")
        self._sum = 0


class Body:
    """The file of a large content, opened when the entry was looked up: it stays readable from then on."""

    __slots__ = ("_descriptor", "_first", "_length", "_sums")

    def __init__(self, path: str, length: int, sums: bytes) -> None:
        """Raises OSError; `Damaged` where the file has another length."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._first: bytes | None = None
        self._length = length
        self._sums = sums
        if os.fstat(self._descriptor).st_size != length or len(sums) != -(-length // SUMMED) * _SUM:
            raise Damaged("a content on disk has another length than it was stored with")

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def check(self) -> None:
        """See whether it begins as it should. Raises `Damaged` and OSError."""
        if self._first is None:
            self._first = self._checked(0, os.pread(self._descriptor, min(SUMMED, self._length), 0))

    async def part(self, at: int, end: int, pool: Executor) -> bytes | memoryview:
        """Some of the bytes from `at` on and before `end`. Raises `Damaged` and OSError."""
        begin = at - at % SUMMED
        if begin == 0 and self._first is not None:
            data = self._first
        else:
            size = min(begin + _TOGETHER * SUMMED, -(-end // SUMMED) * SUMMED, self._length) - begin
            found = self._at_hand(begin, size)
            if found is None:
                found = await asyncio.get_running_loop().run_in_executor(pool, self._fetch, begin, size)
            data = found
        stop = min(end - begin, len(data))
        return data if begin == at and stop == len(data) else memoryview(data)[at - begin : stop]

    def _at_hand(self, at: int, size: int) -> bytes | None:
        """The bytes, where that takes no waiting for the disk."""
        if not _NOWAIT:
            return None
        buffer = bytearray(size)
        try:
            count = os.preadv(self._descriptor, [buffer], at, _NOWAIT)
        except OSError:
            return None
        return self._checked(at, bytes(buffer)) if count == size else None

    def _fetch(self, at: int, size: int) -> bytes:
        return self._checked(at, os.pread(self._descriptor, size, at))

    def _checked(self, at: int, data: bytes) -> bytes:
        view, part = memoryview(data), at // SUMMED
        if len(data) < min(SUMMED, self._length - at):
            raise Damaged("a content on disk was cut short")
        for begin in range(0, len(data), SUMMED):
            found = crc32(view[begin : begin + SUMMED]).to_bytes(_SUM, "little")
            if found != self._sums[part * _SUM : part * _SUM + _SUM]:
                raise Damaged("a content on disk is damaged")
            part += 1
        return data


def abandoned(path: str) -> bool:
    """Whether nobody is writing the file at `path` any more. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _made(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
