"""A short line for each exchange, for a person who watches."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TextIO

from proxy.caching.decision import Outcome
from proxy.server.lane.records import Hit, Late
from proxy.server.log.spool import Spool
from proxy.visibility.account import Account
from proxy.visibility.record import Record
from proxy.visibility.redaction import DIGEST, Redaction

Color = Literal["auto", "always", "never"]

_WAITING = 1000
_AT_ONCE = 50
_GATHER = 0.05
_PATIENCE_MS = 200
_NO_TERMINAL = 0

_UNPRINTABLE = re.compile(r"[^ -~]")
_RESET = "\x1b[0m"
_BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE, _MAGENTA, _CYAN = (
    f"\x1b[{code}m" for code in (1, 2, 31, 32, 33, 34, 35, 36)
)
_OF_OUTCOME = {
    Outcome.HIT: _GREEN,
    Outcome.VALIDATED: _CYAN,
    Outcome.STALE: _YELLOW,
    Outcome.FORWARDED: _BLUE,
    Outcome.REFUSED: _MAGENTA,
    Outcome.FAILED: _RED,
    Outcome.LOCAL: _DIM,
}
_OF_STATUS = {1: _CYAN, 2: _GREEN, 3: _CYAN, 4: _YELLOW, 5: _RED}


class Line(NamedTuple):
    """What one line shows. `whole` is False where the client did not get the response to its end."""

    method: str
    target: str
    status: int | None
    whole: bool
    outcome: Outcome | None
    reason: str
    seconds: float | None


def line_of(account: Account | Late, redaction: Redaction) -> Line:
    """What is shown of an exchange: no credential and no control character."""
    if isinstance(account, Late):
        return _line_of_record(account.record())
    decision, request = account.decision, account.received
    if request is not None:
        method, target = request.method.decode("latin-1"), redaction.target(request.target)[0]
    else:
        method, target = "-", redaction.raw(account.raw)
    return Line(
        escaped(method),
        escaped(DIGEST.sub(_beginning, target)),
        account.response.status if account.response is not None else None,
        account.complete,
        decision.outcome if decision is not None else None,
        decision.reasons[0].reason.slug if decision is not None and decision.reasons else "",
        account.duration,
    )


def _line_of_record(record: Record) -> Line:
    """What is shown of an answer of the fast lane, which has a request, a response and a decision."""
    request, response, decision = record.request, record.response, record.decision
    return Line(
        escaped(request.method) if request is not None else "-",
        escaped(DIGEST.sub(_beginning, request.target)) if request is not None else "",
        response.status if response is not None else None,
        response.complete if response is not None else False,
        decision.outcome if decision is not None else None,
        decision.reasons[0].slug if decision is not None and decision.reasons else "",
        record.duration_seconds,
    )


def _beginning(digest: re.Match[str]) -> str:
    """Enough of a credential's digest to tell two apart at a glance."""
    return digest[0][:5]


def escaped(text: str) -> str:
    """Text that can't do anything to a terminal: all but printable ASCII as `\\xNN`."""
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def shortened(text: str, width: int) -> str:
    """Text in at most `width` characters: the middle is left out, as both ends say more."""
    if len(text) <= width:
        return text
    if width < 3:
        return text[:width]
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def render(line: Line, width: int, color: bool) -> str:
    """The line in `width` columns (42 at least), without its end; 0: nothing is shortened or aligned."""
    status = ("---" if line.status is None else str(line.status)) + ("" if line.whole else "!")
    outcome = line.outcome or "-"
    took = "-" if line.seconds is None else _duration(line.seconds)
    method, target, reason = line.method, line.target, line.reason
    if width:
        method = f"{shortened(method, 7):7}"
        status, outcome, took = f"{status:4}", f"{outcome:9}", f"{shortened(took, 10):>10}"
        columns = 28 if width >= 100 else 20
        reason = f"{shortened(reason, columns):{columns}}" if width >= 70 else ""
        others = [part for part in (method, status, outcome, reason, took) if part]
        room = max(width - sum(map(len, others)) - len(others), 8)
        target = f"{shortened(target, room):{room}}"
    if color:
        method = f"{_BOLD}{method}{_RESET}"
        status = f"{_status_color(line)}{status}{_RESET}"
        outcome = f"{_OF_OUTCOME[line.outcome]}{outcome}{_RESET}" if line.outcome else outcome
        reason = f"{_DIM}{reason}{_RESET}" if reason else ""
    return " ".join(part for part in (method, target, status, outcome, reason, took) if part)


def _status_color(line: Line) -> str:
    return _RED if not line.whole else _OF_STATUS.get((line.status or 0) // 100, _RED)


def _duration(seconds: float) -> str:
    if seconds >= 100:
        return f"{seconds:.0f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def wants_color(stream: TextIO, choice: Color, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to write colours: as asked for, else on a terminal that can, unless NO_COLOR is set."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class Terminal:
    """Shows exchanges on `stream`, which has a file descriptor.

    Off the path of the exchange: what comes faster than it can be written, or read, is left out and counted,
    and the count is shown. `width` is in columns; None is that of the terminal, and no limit elsewhere.
    """

    def __init__(
        self, stream: TextIO, redaction: Redaction, *, color: Color = "auto", width: int | None = None
    ) -> None:
        self._fd = stream.fileno()
        self._redaction = redaction
        self._color = wants_color(stream, color)
        self._width = width
        self._tty = stream.isatty()
        self._skipped = 0
        self._shown_lost = 0
        self._torn = False
        self._passed = 0
        self._spool: Spool[Account | Late] = Spool(
            self, _WAITING, _one, name="pellucid-terminal", gather=_GATHER
        )

    @property
    def lost(self) -> int:
        """How many exchanges were left out so far."""
        return self._spool.lost + self._skipped + self._passed

    def put(self, account: Account) -> None:
        """Show an exchange that has ended; never waits."""
        self._spool.put(account)

    def put_hits(self, hits: Sequence[Hit], first: int) -> None:
        """Show what the fast lane has answered: no more at a time than can be shown."""
        for number, hit in enumerate(hits[:_AT_ONCE], first):
            self._spool.put(Late(hit, number))
        self._passed += len(hits[_AT_ONCE:])

    def close(self, timeout: float = 1.0) -> None:
        """Show what waits, for at most `timeout` seconds."""
        self._spool.close(timeout)

    def write(self, items: list[Account | Late]) -> int:
        """What the spool's thread calls."""
        shown = items[:_AT_ONCE]
        self._skipped += len(items) - len(shown)
        width = self._columns()
        text = [self._render(account, width) for account in shown]
        if (lost := self.lost) > self._shown_lost:
            text.append(f"… {lost - self._shown_lost} more not shown")
        if text:
            if self._write("".join(f"{line}\n" for line in text).encode()):
                self._shown_lost = lost
            else:
                self._skipped += len(shown)
        return len(items)

    def _render(self, account: Account | Late, width: int) -> str:
        try:
            return render(line_of(account, self._redaction), width, self._color)
        except Exception as error:  # one that can't be shown must not end the showing of others
            return f"… an exchange can't be shown ({type(error).__name__})"

    def _columns(self) -> int:
        if self._width is not None:
            return self._width
        if not self._tty:
            return _NO_TERMINAL
        try:
            return os.get_terminal_size(self._fd).columns
        except OSError:
            return _NO_TERMINAL

    def _write(self, data: bytes) -> bool:
        """Whether it was taken, at least in part, within a short time."""
        if self._torn:
            data = f"{_RESET if self._color else ''}\n".encode() + data
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        written = 0
        try:
            while written < len(data) and poll.poll(_PATIENCE_MS):
                written += os.write(self._fd, data[written : written + select.PIPE_BUF])
        except OSError:
            pass  # It was closed, or nobody reads it any more.
        if written:
            self._torn = written < len(data)
        return written > 0


def _one(_: Account | Late) -> int:
    return 1
