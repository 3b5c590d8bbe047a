"""Header blocks as they go on to the origin: each line is turned once, as `forwarded` turns it."""

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


class Onward:
    """Gives the header block to forward for one that arrived, plain as `Blocks` has it."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding
        self._blocks: dict[tuple[bytes, str], bytes] = {}
        self._lines: dict[bytes, bytes | None] = {}
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
        pieces = raw[:-4].split(b"\r\n")
        gone = [lines[piece] if piece in lines else self._line(piece) for piece in pieces]
        if None in gone:
            return None
        made = b"".join([*gone, self._trace(client, host), b"\r\n"])  # type: ignore[list-item]
        _keep(self._blocks, (raw, client), made)
        return made

    def _line(self, raw: bytes) -> bytes | None:
        name, _, value = raw.partition(b":")
        if name.lower() in _OTHERS:
            return None
        line = name, value.strip(WHITE_SPACE)
        if name.lower() == b"host":
            turned = self._forwarded(Fields([line]), "", line[1])[:1]
        else:
            turned = self._forwarded(Fields([(b"Host", b"a"), line]), "", b"a")[1:-_TRACES]
        made = serialise_fields(Fields(turned))
        _keep(self._lines, raw, made)
        return made

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


_TRACES = 5
"""Lines that `forwarded` adds to a request without any."""


def _keep(table: dict[K, V], key: K, value: V) -> None:
    if len(table) >= _MOST:
        table.clear()
    table[key] = value
