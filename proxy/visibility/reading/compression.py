"""gzip, Zstandard, bzip2 and xz, told by their first bytes and decompressed in bounded pieces."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdDecompressor, ZstdError

_MEMORY = 256 << 20
"""Bytes that xz may take for its dictionary."""


class _Stream(Protocol):
    """One member of a compressed file, as the modules bz2, lzma and compression.zstd have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """A member of a gzip file (RFC 1952)."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


def _xz() -> _Stream:
    return lzma.LZMADecompressor(memlimit=_MEMORY)


_KINDS: tuple[tuple[bytes, str, Callable[[], _Stream]], ...] = (
    (b"\x1f\x8b\x08", "gzip", _Gzip),
    (b"\x28\xb5\x2f\xfd", "Zstandard", ZstdDecompressor),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", "xz", _xz),
)
_ERRORS = (zlib.error, ZstdError, lzma.LZMAError, OSError, EOFError, ValueError)


class Decompressor:
    """Decompresses members that follow each other; what follows the last one, such as padding, is ignored."""

    def __init__(self, name: str, new: Callable[[], _Stream]) -> None:
        self.name = name
        self._new = new
        self._stream = new()
        self._fed = False
        self._ended = False

    @property
    def whole(self) -> bool:
        """Whether what was fed so far ends with the end of a member."""
        return not self._fed

    def feed(self, data: bytes, limit: int) -> Iterator[bytes]:
        """The content of further bytes, in pieces of at most `limit`. Raises ValueError if it is damaged."""
        while data and not self._ended:
            stream = self._stream
            self._fed = True
            try:
                out = stream.decompress(data, limit)
                yield out
                while not stream.eof and not stream.needs_input:
                    yield stream.decompress(b"", limit)
            except _ERRORS as error:
                raise ValueError(f"the {self.name} data are damaged") from error
            if not stream.eof:
                return
            data, self._fed = stream.unused_data, False
            self._stream = self._new()
            if data and not self._begins(data):
                self._ended = True

    def _begins(self, data: bytes) -> bool:
        start = next(start for start, name, _ in _KINDS if name == self.name)
        return data.startswith(start) or start.startswith(data)


def decompressor(start: bytes) -> Decompressor | None:
    """What decompresses data that begin with `start`; None where they are not compressed."""
    for magic, name, new in _KINDS:
        if start.startswith(magic):
            return Decompressor(name, new)
    return None
