"""The entries of a HAR, one after the other as they come, however large it is or wherever it was cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST = 64 << 20
"""Bytes of the largest entry that is read; one that is larger is left out."""

START = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
"""How a HAR begins."""

_ELSE = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_ENTRIES = re.compile(rb'"entries"\s*:\s*$')
_NEAR = 256
_QUOTE, _BACKSLASH = b'"\\'
_OPENING, _CLOSING = b"{[", b"}]"
_IN_LOG, _IN_ENTRIES = 2, 3


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry's JSON and the line that it begins in; without data where it is larger than `LARGEST`."""

    data: bytes
    line: int


class Scanner:
    """Finds the entries in chunks of a HAR. `ended` says whether the last one was followed by the end."""

    def __init__(self, largest: int = LARGEST) -> None:
        self.ended = False
        self.line = 1
        self._largest = largest
        self._depth = 0
        self._in_string = False
        self._in_entries = False
        self._before = b""
        self._carried = b""
        self._parts: list[bytes] | None = None
        self._size = 0
        self._began = 0

    def feed(self, chunk: bytes) -> Iterator[Entry]:
        """The entries that are whole with `chunk`."""
        data = self._carried + chunk
        self._carried = b""
        at = start = 0
        while at < len(data) and not self.ended:
            at = (_IN_STRING if self._in_string else _ELSE).match(data, at).end()  # type: ignore[union-attr]
            if at == len(data):
                break
            mark = data[at]
            if mark == _BACKSLASH:  # what it escapes comes with the next chunk
                self._carried = data[at:]
                break
            at += 1
            if mark == _QUOTE:
                self._in_string = not self._in_string
            elif mark in _OPENING:
                self._depth += 1
                if self._depth == _IN_ENTRIES and not self._in_entries:
                    self._in_entries = mark == _OPENING[1] and self._follows_name(data, at - 1)
                elif self._depth == _IN_ENTRIES + 1 and self._in_entries:
                    self._parts, self._size, start = [], 0, at - 1
                    self._began = self.line + data.count(b"\n", 0, start)
            else:
                self._depth -= 1
                if self._in_entries and self._depth == _IN_ENTRIES and self._parts is not None:
                    self._keep(data[start:at])
                    yield Entry(b"".join(self._parts), self._began)
                    self._parts = None
                elif self._depth < _IN_ENTRIES:
                    self._in_entries = False
                    self.ended = self._depth <= 0
        end = len(data) - len(self._carried)
        if self._parts is not None:
            self._keep(data[start:end])
        self._before = (self._before + data[:end])[-_NEAR:] if end < _NEAR else data[end - _NEAR : end]
        self.line += data.count(b"\n", 0, end)

    def _follows_name(self, data: bytes, at: int) -> bool:
        """Whether what begins at `at` is the member `entries` of the log."""
        near = data[max(at - _NEAR, 0) : at]
        return _ENTRIES.search(self._before + near if at < _NEAR else near) is not None

    def _keep(self, data: bytes) -> None:
        """Of an entry that is too large nothing is kept."""
        assert self._parts is not None
        self._size += len(data)
        if self._size > self._largest:
            self._parts.clear()
        else:
            self._parts.append(data)
