"""Header blocks as they go on to the origin, line by line, as `forwarded` turns them."""

from __future__ import annotations

from typing import Generic, TypeVar

from proxy.message.fields import Fields
from proxy.message.grammar import WHITE_SPACE
from proxy.message.head import serialise_fields
from proxy.message.request import Request
from proxy.server.clients.forwarding import Forwarding, forwarded

K = TypeVar("K")
V = TypeVar("V")

_FIXED = 250
"""Bytes that something remembered takes beside its texts."""

_OTHERS = frozenset(
    b"""
    forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-forwarded-prefix
    x-forwarded-server x-real-ip
    """.split()
)
"""Fields that go on together with traces of our own: not line by line."""


_AS_IT_IS, _AS_HOST, _GONE, _OTHERWISE = (object() for _ in range(4))


class _Remembered(Generic[K, V]):
    """What is `known`, in `budget` bytes: it is all forgotten when it becomes more."""

    __slots__ = ("_budget", "_used", "known")

    def __init__(self, budget: int) -> None:
        self.known: dict[K, V] = {}
        self._budget = budget
        self._used = 0

    def keep(self, key: K, value: V, size: int) -> None:
        """Remember something new whose texts take `size` bytes."""
        self._used += _FIXED + size
        if self._used > self._budget:
            self.known.clear()
            self._used = _FIXED + size
        self.known[key] = value


class Onward:
    """Gives the header block to forward for one that arrived, plain as `Blocks` has it.

    It remembers what it gave in `budget` bytes.
    """

    def __init__(self, forwarding: Forwarding, budget: int) -> None:
        self._forwarding = forwarding
        self._blocks: _Remembered[tuple[bytes, str], bytes] = _Remembered(budget // 2)
        self._lines: _Remembered[bytes, bytes | None] = _Remembered(budget // 4)
        self._names: _Remembered[bytes, object] = _Remembered(budget // 8)
        self._traces: _Remembered[tuple[str, bytes], bytes] = _Remembered(budget // 8)

    def block(self, raw: bytes, client: str, host: bytes) -> bytes | None:
        """The header block that is sent for `raw`, from the client with that IP address; both end with an
        empty line.

        `host` is the value of Host in `raw`. None where it has fields that do not go on line by line.
        """
        known = self._blocks.known.get((raw, client))
        if known is not None:
            return known
        lines = self._lines.known
        seen = True
        turned = []
        for piece in raw[:-4].split(b"\r\n"):
            if piece in lines:
                turned.append(lines[piece])
            else:
                turned.append(self._line(piece))
                seen = False
        if None in turned:
            return None
        made = b"".join([*turned, self._trace(client, host), b"\r\n"])  # type: ignore[list-item]
        if seen:  # one with something new in it may never come again
            self._blocks.keep((raw, client), made, len(raw) + len(made))
        return made

    def _line(self, raw: bytes) -> bytes | None:
        name, _, value = raw.partition(b":")
        goes_on = self._names.known.get(name)
        if goes_on is None:
            goes_on = self._goes_on(name)
        made: bytes | None
        if goes_on is _AS_IT_IS:
            made = b"%b: %b\r\n" % (name, value.strip(WHITE_SPACE))
        elif goes_on is _AS_HOST:
            made = b"%b: %b\r\n" % (name, self._forwarding.authority or value.strip(WHITE_SPACE))
        else:
            made = b"" if goes_on is _GONE else None
        self._lines.keep(raw, made, 2 * len(raw))
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
        self._names.keep(name, found, len(name))
        return found

    def _trace(self, client: str, host: bytes) -> bytes:
        known = self._traces.known.get((client, host))
        if known is None:
            lines = self._forwarded(Fields([(b"Host", host)]), client, host)
            known = serialise_fields(Fields(lines[1:]))
            self._traces.keep((client, host), known, len(known) + len(host))
        return known

    def _forwarded(self, fields: Fields, client: str, host: bytes) -> list[tuple[bytes, bytes]]:
        request = Request(b"GET", b"/", fields, (1, 1), b"http", host)
        return list(forwarded(request, client, self._forwarding).fields)
