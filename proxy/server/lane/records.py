"""What the lane has answered, recorded in batches: the log's lines, the figures, and those who watch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from proxy.server.ids import id_of, prefix, take_numbers
from proxy.server.lane.answers import Kind
from proxy.visibility.record import FORMAT, Record, date_and_time, decode, encode_piece

_log = logging.getLogger(__name__)

AT_ONCE = 32
"""How many answers are recorded together, at most."""

DELAY = 0.02
"""Seconds after which an answer is recorded, at most."""


class Rendered(Protocol):
    """What all answers of one kind have in common.

    `tail` is the end of the record, in UTF-8 with the end of its line: it is encoded once for many, as the
    signs of sections in it would make the encoding slow. `sent` is the content in bytes, `kind` outcome,
    status code and slug of the main reason, `forward` the reason for going forward (empty: it did not), and
    `upstream` how long the servers behind took to their first byte.
    """

    @property
    def tail(self) -> bytes: ...
    @property
    def sent(self) -> int: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def forward(self) -> str: ...
    @property
    def upstream(self) -> float | None: ...


Hit = tuple[float, float, bytes, bytes, bytes, Rendered]
"""One answer: when it was asked for (seconds since the epoch), how long it took, the client, what stands in
the record before the request's field lines, these lines (all in UTF-8), and what was sent."""

_BEGINNING = f'{{"format":"{FORMAT}","id":"'

_THOUSAND = 1000

# Parts of records as they stand there: they are looked up, as to make them takes several times as long.
_LAST_OF_NUMBER = [b'%02x","time":"' % number for number in range(256)]
_MILLIS = [b".%03d" % number for number in range(_THOUSAND)]
_MICROS = [b'%03dZ","client":' % number for number in range(_THOUSAND)]
_SECONDS = b',"first_byte_seconds":%.6f,"duration_seconds":%.6f,"request":'
_SHORT = [_SECONDS % (number / 1e6, number / 1e6) for number in range(_THOUSAND)]


class Outlet(Protocol):
    """Where records go. `numbers` are those of the ids, one for each of `hits`, from `first` on."""

    def put_hits(self, hits: Sequence[Hit], first: int) -> None: ...


class Records:
    """Gathers hits and hands them on, at the latest `DELAY` seconds after the first of them."""

    def __init__(self, outlets: Sequence[Outlet]) -> None:
        self._outlets = outlets
        self._timer: asyncio.TimerHandle | None = None
        self.waiting: list[Hit] = []

    def more(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hits have been added to `waiting`: have them recorded soon, or at once where there are many."""
        if len(self.waiting) >= AT_ONCE:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_later(DELAY, self._due)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """The same."""
        self.more(loop)

    def flush(self) -> None:
        """Record what is waiting now."""
        hits = self.waiting.copy()
        if hits:
            self.waiting.clear()
            first = take_numbers(len(hits))
            for outlet in self._outlets:
                try:
                    outlet.put_hits(hits, first)
                except Exception:  # the client has its answer, and the others are to know of it
                    _log.exception("exchanges could not be recorded")

    def close(self) -> None:
        """Record what is waiting; nothing more will come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.flush()

    def _due(self) -> None:
        self._timer = None
        self.flush()


def lines(hits: Sequence[Hit], first: int) -> bytes:
    """The records of `hits`, each with the end of its line."""
    made: list[bytes] = []
    add = made.extend
    number, second, stamp = first, -1_000_000, b""
    beginning = _beginning(number)
    for started, seconds, client, before, fields, rendering in hits:
        time = round(started * 1e6)
        micro = time - second
        if not 0 <= micro < 1_000_000:
            at, micro = divmod(time, 1_000_000)
            second, stamp = time - micro, date_and_time(at).encode()
        low = number & 255
        if not low:
            beginning = _beginning(number)
        took = round(seconds * 1e6)
        shown = _SHORT[took] if 0 <= took < _THOUSAND else _SECONDS % (seconds, seconds)
        add(
            (
                beginning,
                _LAST_OF_NUMBER[low],
                stamp,
                _MILLIS[micro // _THOUSAND],
                _MICROS[micro % _THOUSAND],
                client,
                shown,
                before,
                fields,
                rendering.tail,
            )
        )
        number += 1
    return b"".join(made)


def _beginning(number: int) -> bytes:
    """A record up to the last two digits of its number."""
    return f"{_BEGINNING}{prefix()}{number >> 8:010x}".encode()


def client_text(client: str) -> bytes:
    """A client's address as it stands in the record."""
    return encode_piece(client)


class LogOutlet:
    """Into the log."""

    def __init__(self, put_lines: Callable[[bytes], None]) -> None:
        self._put_lines = put_lines

    def put_hits(self, hits: Sequence[Hit], first: int) -> None:
        self._put_lines(lines(hits, first))


class Late:
    """A hit whose record is made when somebody wants to see it."""

    __slots__ = ("_hit", "_number")

    def __init__(self, hit: Hit, number: int) -> None:
        self._hit = hit
        self._number = number

    @property
    def id(self) -> str:
        """The exchange's name."""
        return id_of(self._number)

    @property
    def ended(self) -> float:
        """When it ended, in seconds since the epoch."""
        return self._hit[0] + self._hit[1]

    def line(self) -> bytes:
        """The exchange as it stands in the log, without the end of the line."""
        return lines((self._hit,), self._number).rstrip(b"\n")

    def record(self) -> Record:
        """The exchange's record."""
        return decode(self.line())
