"""The bytes of a source as they come: from a file, a part of one or standard input, and decompressed."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from proxy.message.errors import PellucidError
from proxy.visibility.reading.compression import Decompressor, decompressor
from proxy.visibility.reading.lines import LONGEST

CHUNK = 256 << 10
"""Bytes that are read at once."""

_BOM = codecs.BOM_UTF8
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class UnreadableSource(PellucidError):  # noqa: N818 - as MalformedMessage
    """A log that can't be read at all. The evidence is its name and why."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of a file from `first` to before `last`: whole lines, in the format that was found."""

    path: str
    first: int
    last: int
    format: str


class Input:
    """A source's bytes, in chunks of a bounded size; `done` says how many of them, as stored, have been read.

    What ends too early or is damaged in its compression ends there, and `trouble` says so. `size` is that
    of a regular file, `plain` whether its bytes are those of the content. Raises UnreadableSource where it
    can't be opened or read.
    """

    def __init__(self, path: str, first: int = 0, last: int | None = None) -> None:
        self.path = path
        self.name = "standard input" if path == "-" else path
        self.done = 0
        self.trouble = ""
        self.size: int | None = None
        self.plain = True
        self._file = self._open()
        # What is appended meanwhile is not read: reading ends, and parts and the whole are the same.
        end = self.size or None if last is None else last
        self._left = None if end is None else end - first
        if first:
            self._file.seek(first)
        self._begin()

    def _open(self) -> BinaryIO:
        try:
            if self.path == "-":
                if sys.stdin is None:
                    raise UnreadableSource("standard input is closed")
                return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
            found = os.stat(self.path)
            if stat.S_ISDIR(found.st_mode):
                raise UnreadableSource("the log is a directory", evidence=self.path)
            if stat.S_ISREG(found.st_mode):
                self.size = found.st_size
            return open(self.path, "rb", buffering=0)
        except (OSError, ValueError, AttributeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> UnreadableSource:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return UnreadableSource("the log can't be read", evidence=f"{self.name} ({why})")

    def _begin(self) -> None:
        """Look at the first bytes: they say how the rest is compressed and encoded."""
        self._ahead = self._read()
        while 0 < len(self._ahead) < 8 and (more := self._read()):
            self._ahead += more
        self._decompressor: Decompressor | None = decompressor(self._ahead)
        self.plain = self._decompressor is None and self._ahead[:2] not in _UTF16

    def _read(self) -> bytes:
        """Up to CHUNK further bytes as they are stored; none at the end."""
        wanted = CHUNK if self._left is None else min(CHUNK, self._left)
        try:
            data = self._file.read(wanted) or b""
        except OSError as error:
            raise self._unreadable(error) from error
        if self._left is not None:
            self._left -= len(data)
        return data

    def chunks(self) -> Iterator[bytes]:
        """The content from its beginning, without a byte order mark, UTF-16 as UTF-8. To be called once."""
        chunks = self._decompressed() if self._decompressor is not None else self._stored()
        start = b""
        for chunk in chunks:
            start += chunk
            if len(start) >= len(_BOM):
                break
        encoding = _UTF16.get(start[:2])
        if encoding is None:
            yield start.removeprefix(_BOM)
            yield from chunks
            return
        decode = codecs.getincrementaldecoder(encoding)("replace").decode
        yield decode(start[2:]).encode("utf-8", "replace")
        for chunk in chunks:
            yield decode(chunk).encode("utf-8", "replace")

    def _stored(self) -> Iterator[bytes]:
        chunk, self._ahead = self._ahead, b""
        while chunk:
            self.done += len(chunk)
            yield chunk
            chunk = self._read()

    def _decompressed(self) -> Iterator[bytes]:
        assert self._decompressor is not None
        for chunk in self._stored():
            try:
                yield from self._decompressor.feed(chunk, CHUNK)
            except ValueError as error:
                self.trouble = str(error)
                return
        if not self._decompressor.whole:
            self.trouble = "the compressed data end too early"

    def line_after(self, offset: int) -> int:
        """Where the first line begins after `offset` in a regular file, or at most about a MiB further on."""
        for begin in range(offset, offset + LONGEST, CHUNK):
            try:
                data = os.pread(self._file.fileno(), CHUNK, begin)
            except OSError as error:
                raise self._unreadable(error) from error
            found = data.find(b"\n")
            if found >= 0 or not data:
                return begin + found + 1
        return offset + LONGEST

    def close(self) -> None:
        """Close the file."""
        self._file.close()
