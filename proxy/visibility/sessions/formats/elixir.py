"""Tokens of Plug, which Phoenix keeps sessions in; what is signed is a term in Erlang's external format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from proxy.visibility.sessions.decoding import base64, moment
from proxy.visibility.sessions.form import Form, holding

_SIGNED = re.compile(rb"(?:SFMyNTY|SFMzODQ|SFM1MTI)\.([A-Za-z0-9_-]+={0,2})\.([A-Za-z0-9_-]{43,88}={0,2})")
_ENCRYPTED = re.compile(
    rb"(?:QTEyOEdDTQ|QTE5MkdDTQ|QTI1NkdDTQ)(?:\.[A-Za-z0-9_-]+={0,2}){4}|XCP\.[A-Za-z0-9_-]{40,}={0,2}"
)
_EXTERNAL = 131
_DEEPEST = 16
_MOST = 512
_ATOMS = {100: 2, 115: 1, 118: 2, 119: 1}  # by tag: bytes of the length
_LENGTHS = {104: 1, 105: 4, 108: 4, 116: 4}


def plug(value: bytes) -> Form | None:
    """A signed or encrypted token, which begins with the name of its algorithm."""
    if _ENCRYPTED.fullmatch(value):
        return Form("phoenix-encrypted")
    found = _SIGNED.fullmatch(value)
    if found is None:
        return None
    payload = term(base64(found[1]) or b"")
    if isinstance(payload, tuple) and len(payload) == 3 and moment(payload[1]):  # Phoenix.Token
        return holding("phoenix-signed", payload[0], moment(payload[1]))
    return holding("phoenix-signed", payload)


def term(data: bytes) -> Any:
    """A term of the external format with what it holds; None where it can't be read, or is too large."""
    if data[:1] != bytes([_EXTERNAL]):
        return None
    try:
        return _Terms(data).read(_DEEPEST)
    except (IndexError, ValueError, OverflowError, TypeError):
        return None


class _Terms:
    """Reads terms one after the other, a limited number of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 1
        self._left = _MOST

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise ValueError("the term is cut off")
        self._at += count
        return taken

    def _number(self, count: int) -> int:
        return int.from_bytes(self._take(count), "big")

    def read(self, deep: int) -> Any:
        self._left -= 1
        if not deep or self._left < 0:
            raise ValueError("the term is too large")
        tag = self._number(1)
        if tag in _ATOMS:
            return self._take(self._number(_ATOMS[tag])).decode("utf-8", "replace")
        if tag in _LENGTHS:
            return self._several(tag, self._number(_LENGTHS[tag]), deep - 1)
        return self._simple(tag)

    def _simple(self, tag: int) -> Any:
        if tag == 97:
            return self._number(1)
        if tag == 98:
            return int.from_bytes(self._take(4), "big", signed=True)
        if tag == 70:
            return self._take(8)
        if tag == 109:
            return self._take(self._number(4)).decode("utf-8", "replace")
        if tag == 107:
            return self._take(self._number(2)).decode("latin-1")
        if tag == 110:
            count, sign = self._number(1), self._number(1)
            number = int.from_bytes(self._take(count), "little")
            return -number if sign else number
        if tag == 106:
            return []
        raise ValueError("a term that is not read")

    def _several(self, tag: int, count: int, deep: int) -> Any:
        if count > self._left:
            raise ValueError("the term is too large")
        if tag == 116:
            return {self.read(deep): self.read(deep) for _ in range(count)}
        items = list(self._items(count, deep))
        if tag == 108:
            self.read(deep)  # the tail
            return items
        return tuple(items)

    def _items(self, count: int, deep: int) -> Iterator[Any]:
        for _ in range(count):
            yield self.read(deep)
