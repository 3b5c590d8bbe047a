"""What the processes on one machine tell each other of a shared cache: a small file that all of them map.

A number in it says how many bytes were ever told; the last of them stand in a ring behind it. To look at the
number costs next to nothing, so whoever is about to answer looks first. `tell` has told everybody when it
returns, and nobody waits for anybody: who does not look for so long that the ring has gone round knows that
too, and supposes that everything has changed.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from struct import Struct as Layout
from time import time_ns
from zlib import crc32

import msgspec

from proxy.message.errors import ConfigurationError
from proxy.storage.selection import Selection

NAME = "news-1"
"""What the file is called in a folder: another format has another name."""

RING = 4 << 20
"""Bytes of the ring: tens of thousands of items."""

_MAGIC = int.from_bytes(b"pellnews", "little")
_BEHIND_HEADER = 64
_IS, _SIZE, _BEGUN, _TOLD = range(4)
_FRAME = Layout("<IIQ")
_ALIGN = 8
_MOST = 64 << 10


class Changed(msgspec.Struct, frozen=True, tag=0, array_like=True):
    """Something was stored, freshened or removed under these keys in a store that is shared."""

    keys: tuple[bytes, ...]


class Purged(msgspec.Struct, frozen=True, tag=1, array_like=True):
    """What is `wanted` was invalidated or purged; `soft`: from when on it counts as stale (None: gone).

    `owed`: a store that is shared with other proxies could not be told of that yet.
    """

    wanted: Selection
    soft: float | None = None
    owed: bool = False


Item = Changed | Purged

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Item] = msgspec.msgpack.Decoder(Item)


class News:
    """One process's view of the file; it does not hear what it tells itself.

    Those who tell take turns by a lock that ends with its process. The numbers are written last, so a process
    that dies while it tells has told nothing: the next one writes over what it left. Who hears takes no lock:
    what was overwritten under its eyes is known by the number that says how far anybody began to write, and
    by each item's checksum. `view` has the number as its only item: to look there costs least.
    """

    __slots__ = ("_at", "_fd", "_map", "_numbers", "_ring", "_salt", "_size", "view")

    def __init__(self, fd: int) -> None:
        """View the file `fd`, which is this object's from now on. Raises ConfigurationError."""
        self._fd = fd
        self._salt = secrets.randbits(32)
        try:
            with self._locked():
                self._prepare()
                self._map = mmap.mmap(fd, _BEHIND_HEADER + self._size)
        except OSError as error:
            os.close(fd)
            raise ConfigurationError(
                "can't share news with other processes", evidence=str(error.strerror)
            ) from error
        self._numbers = memoryview(self._map)[:_BEHIND_HEADER].cast("Q")
        self.view: Sequence[int] = self._numbers[_TOLD : _TOLD + 1]
        self._ring = memoryview(self._map)[_BEHIND_HEADER:]
        self._at = self.number

    @classmethod
    def at(cls, folder: Path) -> News:
        """The news of all processes that use `folder`. Raises ConfigurationError."""
        try:
            return cls(os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise ConfigurationError(f"can't share news in {folder}", evidence=str(error.strerror)) from error

    @classmethod
    def unnamed(cls) -> News:
        """News among this process and those that get its `fileno`."""
        return cls(os.memfd_create("pellucid-news"))

    @classmethod
    def of(cls, fd: int) -> News:
        """The news in the file `fd` of another process, or of the one that this was forked from."""
        return cls(os.dup(fd))

    def is_at(self, folder: Path) -> bool:
        """Whether it is still what those find who look in `folder` now."""
        try:
            return os.path.samestat(os.stat(folder / NAME), os.fstat(self._fd))
        except OSError:
            return False

    def fileno(self) -> int:
        return self._fd

    @property
    def number(self) -> int:
        """Another one as soon as anything was told."""
        return self.view[0]

    def tell(self, item: Item | None) -> None:
        """Tell all others of `item`; None: that everything may have changed."""
        body = b"" if item is None else _encoder.encode(item)
        if len(body) > _MOST:
            body = b""
        sender = self._sender
        frame = _FRAME.pack(len(body), crc32(body, sender & 0xFFFFFFFF), sender) + body
        frame += bytes(-len(frame) % _ALIGN)
        numbers = self._numbers
        with self._locked():
            place = numbers[_TOLD]
            end = place + len(frame)
            numbers[_BEGUN] = max(numbers[_BEGUN], end)
            self._write(place, frame)
            numbers[_TOLD] = end
            if self._at == place:
                self._at = end

    def hear(self) -> list[Item] | None:
        """What others have told since the last time, in their order; None: everything may have changed."""
        first, end = self._at, self.number
        if first == end:
            return []
        self._at = end
        if not 0 <= end - first <= self._size:
            return None
        told = self._read(first, end)
        if self._numbers[_BEGUN] - first > self._size:
            return None
        try:
            return list(self._items(told))
        except (ValueError, LookupError, msgspec.MsgspecError):
            return None

    def close(self) -> None:
        """Nothing is told or heard any more."""
        if not self._map.closed:
            self.view = (0,)
            self._numbers.release()
            self._ring.release()
            self._map.close()
            os.close(self._fd)

    @property
    def _sender(self) -> int:
        """Who tells: a process that was forked is another one."""
        return os.getpid() << 32 | self._salt

    def _prepare(self) -> None:
        """Begin the file where that was not done, or not to the end."""
        header = os.pread(self._fd, _BEHIND_HEADER, 0)
        numbers = memoryview(header).cast("Q") if len(header) == _BEHIND_HEADER else None
        size = os.fstat(self._fd).st_size - _BEHIND_HEADER
        if numbers is not None and numbers[_IS] == _MAGIC and numbers[_SIZE] == size > 0:
            self._size = size
            return
        self._size = RING
        os.posix_fallocate(self._fd, 0, _BEHIND_HEADER + RING)
        os.ftruncate(self._fd, _BEHIND_HEADER + RING)
        # Nobody who knew an earlier file may take this number for one of that.
        begin = time_ns() // _ALIGN * _ALIGN
        fresh = b"".join(number.to_bytes(8, "little") for number in (_MAGIC, RING, begin, begin))
        os.pwrite(self._fd, fresh, 0)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; the kernel gives the lock back where that one dies."""
        fcntl.lockf(self._fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN)

    def _write(self, place: int, data: bytes) -> None:
        start = place % self._size
        there = min(len(data), self._size - start)
        self._ring[start : start + there] = data[:there]
        self._ring[: len(data) - there] = data[there:]

    def _read(self, first: int, end: int) -> bytes:
        start, length = first % self._size, end - first
        there = min(length, self._size - start)
        return bytes(self._ring[start : start + there]) + bytes(self._ring[: length - there])

    def _items(self, told: bytes) -> Iterator[Item]:
        """The items in `told`. Raises ValueError where one is not whole, or stands for everything."""
        own, place = self._sender, 0
        while place < len(told):
            if len(told) - place < _FRAME.size:
                raise ValueError("cut short")
            length, check, sender = _FRAME.unpack_from(told, place)
            place += _FRAME.size
            body = told[place : place + length]
            if len(body) != length or crc32(body, sender & 0xFFFFFFFF) != check:
                raise ValueError("overwritten")
            if sender != own:
                if not body:
                    raise ValueError("everything")
                yield _decoder.decode(body)
            place += length + -length % _ALIGN
