"""The log of exchanges: one line of JSON for each, written off the path of the exchange.

A line is encoded where it is put, and only written by another thread: encoded there it would take the same
processor time, and hold the interpreter for 5 ms at a time while exchanges wait for it.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from proxy.server.log.file import CHECK, LogFile
from proxy.server.log.spool import RETRY, Spool
from proxy.server.log.turn import Turn
from proxy.visibility.account import Account
from proxy.visibility.record import Record, Redaction, encode, to_record

CAPACITY = 16 << 20
"""Bytes of lines that wait to be written, at most."""

CROWDED = 1 << 20
"""Bytes of lines that wait, from which on the thread that writes them is given its turn."""

SAY_AGAIN = 60.0
"""Seconds after which trouble that lasts is said again."""


def say(text: str) -> None:
    """One line on standard error, where there is one."""
    with suppress(OSError, ValueError, AttributeError):  # nobody may be there to be told
        print(f"pellucid: {text}", file=sys.stderr, flush=True)


class RecordLog:
    """The log at `path`, `-` being standard output. Raises ConfigurationError where it can't be opened.

    While it can't be written, up to `capacity` bytes of lines wait; those beyond are lost and counted. That
    is said on standard error, once a minute at most. It goes on as soon as it can. `turn` is what it has in
    common with the logs of other processes that write to the same.
    """

    def __init__(
        self,
        path: str,
        redaction: Redaction,
        *,
        capacity: int = CAPACITY,
        retry: float = RETRY,
        check: float = CHECK,
        turn: Turn | None = None,
        say: Callable[[str], None] = say,
    ) -> None:
        self._redaction = redaction
        self._file = LogFile(path, check, turn)
        self._spool: Spool[bytes] = Spool(
            self, capacity, len, name="pellucid-log", count=_number_of, crowded=CROWDED, retry=retry
        )
        self._say = say
        self._said = -math.inf
        self._said_lost = 0
        self._said_refused = 0
        self._in_trouble = False
        self._not_encoded = 0

    @property
    def lost(self) -> int:
        """How many lines were lost so far."""
        return self._spool.lost + self._not_encoded

    def put(self, exchange: Account | Record | bytes) -> None:
        """Log an exchange: its account, its record or its line without the end. Never waits, never raises."""
        try:
            record = to_record(exchange, self._redaction) if isinstance(exchange, Account) else exchange
            line = encode(record) if isinstance(record, Record) else record
        except Exception as error:  # its text may quote a credential
            self._not_encoded += 1
            named = "" if isinstance(exchange, bytes) else f" {exchange.id}"
            self._complain(f"exchange{named} can't be recorded ({type(error).__name__})")
            return
        self._spool.put(line + b"\n")

    def put_lines(self, lines: bytes) -> None:
        """Log several exchanges at once: their lines, each with its end. Never waits, never raises."""
        self._spool.put(lines)

    def reopen(self) -> None:
        """Open the file anew, as after it was moved away (SIGHUP)."""
        self._file.reopen()
        self._spool.wake()

    def close(self, timeout: float = 5.0) -> None:
        """Write what waits, for at most `timeout` seconds, and close the file."""
        if self._spool.close(timeout):
            self._file.close()
        if self.lost > self._said_lost:
            self._said_lost = self.lost
            self._say(f"the log {self._file.name} lacks {_lines(self._said_lost)}")

    def write(self, lines: list[bytes]) -> int:
        """What the spool's thread calls."""
        if not self._file.regular:
            lines[:] = [line for item in lines for line in item.splitlines(keepends=True)]
        written = self._file.write(lines)
        trouble, astray = self._file.trouble, self._file.astray
        if trouble is not None:
            self._in_trouble |= self._complain(
                f"the log {self._file.name} can't be written ({trouble.strerror})"
            )
        elif astray is not None:
            self._complain(f"the log {self._file.name} can't be opened again ({astray.strerror})")
        elif self._in_trouble:
            self._in_trouble = False
            self._say(f"the log {self._file.name} can be written again: {_lines(self.lost)} lost")
        elif self._spool.lost > self._said_refused:
            self._complain(f"the log {self._file.name} can't be written as fast as exchanges end")
        return written

    def _complain(self, text: str) -> bool:
        """Say it with the number of lines lost, unless something was said a short while ago."""
        now = time.monotonic()
        if now - self._said < SAY_AGAIN:
            return False
        self._said = now
        self._said_lost = self.lost
        self._said_refused = self._spool.lost
        self._say(f"{text}: {_lines(self._said_lost)} lost so far")
        return True


def _number_of(lines: bytes) -> int:
    return lines.count(b"\n")


def _lines(number: int) -> str:
    return f"{number} line{'' if number == 1 else 's'}"
