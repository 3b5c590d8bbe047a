"""Header blocks as they go on to the origin, line by line, as `forwarded` turns them."""

from __future__ import annotations

from typing import TypeVar

from proxy.message.fields import Fields
from proxy.message.grammar import WHITE_SPACE
from proxy.message.head import serialise_fields
from proxy.message.request import Request
from proxy.server.clients.forwarding import Forwarding, forwarded

K = TypeVar("K")
V = TypeVar("V")

_MOST = 4096
"""Blocks, lines and traces that are remembered, each."""

_OTHERS = frozenset(
    b"""
    forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix
    x-forwarded-server x-real-ip
    """.split()
)
"""Fields that go on together with traces of our own: not line by line."""


_AS_IT_IS, _AS_HOST, _GONE, _OTHERWISE = (object() for _ in range(4))


class Onward:
    """Gives the header block to forward for one that arrived, plain as `Blocks` has it."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding
        self._blocks: dict[tuple[bytes, str], bytes] = {}
        self._lines: dict[bytes, bytes | None] = {}
        self._names: dict[bytes, object] = {}
        self._traces: dict[tuple[str, bytes], bytes] = {}

    def block(self, raw: bytes, client: str, host: bytes) -> bytes | None:
        """The header block that is sent for `raw`, from the client with that IP address; both end with an
        empty line.

        `host` is the value of Host in `raw`. None where it has fields that do not go on line by line.
        """
        known = self._blocks.get((raw, client))
        if known is not None:
            return known
        lines = self._lines
        count = len(lines)
        pieces = raw[:-4].split(b"\r\n")
        turned = [lines[piece] if piece in lines else self._line(piece) for piece in pieces]
        if None in turned:
            return None
        made = b"".join([*turned, self._trace(client, host), b"\r\n"])  # type: ignore[list-item]
        if len(lines) == count:  # one with something new in it may never come again
            _keep(self._blocks, (raw, client), made)
        return made

    def _line(self, raw: bytes) -> bytes | None:
        name, _, value = raw.partition(b":")
        goes_on = self._names.get(name)
        if goes_on is None:
            goes_on = self._goes_on(name)
        made: bytes | None
        if goes_on is _AS_IT_IS:
            made = b"%b: %b\r\n" % (name, value.strip(WHITE_SPACE))
        elif goes_on is _AS_HOST:
            made = b"%b: %b\r\n" % (name, self._forwarding.authority or value.strip(WHITE_SPACE))
        else:
            made = b"" if goes_on is _GONE else None
        _keep(self._lines, raw, made)
        return made

    def _goes_on(self, name: bytes) -> object:
        """What becomes of a line with that name: `forwarded` shows it."""
        lowered = name.lower()
        if lowered == b"host":
            found = _AS_HOST
        elif lowered in _OTHERS:
            found = _OTHERWISE
        else:
            lines = self._forwarded(Fields([(b"Host", b"a"), (name, b"keep-alive")]), "", b"a")
            found = _AS_IT_IS if (name, b"keep-alive") in lines else _GONE
        _keep(self._names, name, found)
        return found

    def _trace(self, client: str, host: bytes) -> bytes:
        known = self._traces.get((client, host))
        if known is None:
            lines = self._forwarded(Fields([(b"Host", host)]), client, host)
            known = serialise_fields(Fields(lines[1:]))
            _keep(self._traces, (client, host), known)
        return known

    def _forwarded(self, fields: Fields, client: str, host: bytes) -> list[tuple[bytes, bytes]]:
        request = Request(b"GET", b"/", fields, (1, 1), b"http", host)
        return list(forwarded(request, client, self._forwarding).fields)


def _keep(table: dict[K, V], key: K, value: V) -> None:
    if len(table) >= _MOST:
        table.clear()
    table[key] = value
