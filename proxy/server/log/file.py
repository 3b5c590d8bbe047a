"""A file to which whole lines are appended, whatever happens to it meanwhile."""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from proxy.message.errors import ConfigurationError
from proxy.server.log.turn import Turn

CHECK = 1.0
"""Seconds after which it is looked whether the path still leads to the open file."""

PATIENCE = 0.5
"""Seconds that a pipe or terminal gets to make room before it counts as stuck."""

_MODE = 0o640
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_CHUNK = 256 << 10
_STANDARD_OUTPUT = 1
_LINE_END = 0x0A
_VECTOR = 1024  # IOV_MAX on Linux


class LogFile:
    """A regular file, a FIFO or a device at `path`; `-` is standard output.

    Several processes may append to one file: each write holds whole lines, of at most PIPE_BUF bytes together
    where it is no regular file (only such writes are not mixed with others', POSIX write(2)). Those that have
    a `turn` in common write one after the other: no line of theirs is mixed up with another, however long it
    is and wherever one of them was killed. Raises ConfigurationError where it can't be opened.
    """

    def __init__(self, path: str, check: float = CHECK, turn: Turn | None = None) -> None:
        self.path = path
        self.name = "standard output" if path == "-" else path
        self.trouble: OSError | None = None
        self.astray: OSError | None = None
        self._check = check
        self._checked = time.monotonic()
        self._reopen = False
        self._torn = False
        self._regular = False
        self._fd = -1
        self._turn = turn
        try:
            with self._my_turn():
                self._open()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError("the log can't be opened", evidence=f"{path} ({why})") from error

    def reopen(self) -> None:
        """Close the file and open the path anew before the next line is written."""
        self._reopen = True

    @property
    def regular(self) -> bool:
        """Whether it is a regular file, where any number of lines can be written at once."""
        return self._regular

    def write(self, items: list[bytes]) -> int:
        """Append items of one line or more, each with its end; the number of those that are there whole.

        Where that is not all of them, `trouble` says why, and of the first that is not there whole only the
        lines that are missing are left in `items`. Only in a `regular` file an item may have more than one
        line. `astray` says why the path could not be opened
        anew; lines then go on into the file that was there before. Both are None again once all is well.
        """
        try:
            with self._my_turn():
                return self._write(items)
        except TimeoutError as error:
            self.trouble = error
            return 0

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        """Nobody else writes meanwhile. Raises TimeoutError where others don't come to an end."""
        turn = self._turn
        if turn is None:
            yield
            return
        with turn.taken(PATIENCE):
            self._torn = turn.torn and not (self._regular and self._ends_a_line(os.fstat(self._fd).st_size))
            turn.torn = True  # for whoever comes next, should this process be killed
            try:
                yield
            finally:
                turn.torn = self._torn

    def _write(self, items: list[bytes]) -> int:
        written = 0
        try:
            self._follow()
            while written < len(items):
                count = self._count(items, written)
                several = items[written : written + count]
                whole = self._append(several)
                if whole is not None:
                    return written + _without(items, written, whole)
                written += count
        except OSError as error:
            self.trouble = error
        return written

    def close(self) -> None:
        """Close the file, the last line ended if possible; standard output stays open."""
        with suppress(OSError), self._my_turn():
            self._end_line()
        self._close()

    def _end_line(self) -> None:
        if self._torn and self._regular:
            os.write(self._fd, b"\n")
            self._torn = False

    def _close(self) -> None:
        if self._fd > _STANDARD_OUTPUT:
            os.close(self._fd)
        self._fd = -1

    def _open(self) -> None:
        fd = _STANDARD_OUTPUT if self.path == "-" else os.open(self.path, _FLAGS, _MODE)
        try:
            found = os.fstat(fd)
            torn = stat.S_ISREG(found.st_mode) and found.st_size > 0 and not self._ends_a_line(found.st_size)
        except OSError:
            if fd > _STANDARD_OUTPUT:
                os.close(fd)
            raise
        with suppress(OSError):
            self._end_line()
        self._close()
        self._fd = fd
        self._identity = found.st_dev, found.st_ino
        self._regular = stat.S_ISREG(found.st_mode)
        self._torn = torn

    def _ends_a_line(self, size: int) -> bool:
        """Whether what was in the file before ends with a line's end; also where we may not read it."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            return os.pread(fd, 1, size - 1) in (b"\n", b"")
        finally:
            os.close(fd)

    def _follow(self) -> None:
        """Open the path anew where it leads elsewhere by now, or nowhere: the file was moved or removed.

        Raises OSError where that fails and what is written to the old file can't be found by anybody.
        """
        now = time.monotonic()
        removed = self._regular and os.fstat(self._fd).st_nlink == 0
        due = self._reopen or removed or now - self._checked >= self._check
        if self.path != "-" and due:
            self._checked = now
            if self._reopen or removed or self.astray is not None or self._moved():
                self._reopen = False
                try:
                    self._open()
                    self.astray, removed = None, False
                except OSError as error:
                    self.astray = error
        if self.astray is not None and removed:
            raise self.astray

    def _moved(self) -> bool:
        try:
            found = os.stat(self.path)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    def _count(self, items: Sequence[bytes], first: int) -> int:
        """How many items from `first` on go into one write."""
        room = _CHUNK if self._regular else select.PIPE_BUF - self._torn
        end = first
        while end < len(items) and (room := room - len(items[end])) >= 0:
            end += 1
        return max(end - first, 1)

    def _append(self, items: list[bytes]) -> int | None:
        """Write whole lines; None where all got there, else how many."""
        if self._torn:
            items = [b"\n", *items]
        size = sum(map(len, items))
        written = 0
        try:
            self._wait()
            written = os.writev(self._fd, items[:_VECTOR])
            if written < size:
                data = b"".join(items)
                while written < size:
                    self._wait()
                    written += os.write(self._fd, data[written:])
            self.trouble = None
        except OSError as error:
            self.trouble = error
        if written == size:
            self._torn = False
            return None
        if not written:
            return 0
        data = b"".join(items)
        # A line that lacks nothing but its end is there: it is ended before the next one.
        whole = data.count(b"\n", 0, written + 1) - self._torn
        self._torn = data[written - 1] != _LINE_END
        return whole

    def _wait(self) -> None:
        """Until a pipe, a socket or a terminal has room. Raises TimeoutError where that takes long."""
        if self._regular:
            return
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        if not poll.poll(PATIENCE * 1000):
            raise TimeoutError(errno.ETIMEDOUT, "its reader does not keep up")


def _without(items: list[bytes], first: int, lines: int) -> int:
    """How many items from `first` on these `lines` are; what they are of the next one is cut off it."""
    done = 0
    for item in items[first:]:
        own = item.count(b"\n")
        if own > lines:
            break
        lines -= own
        done += 1
    if lines:
        items[first + done] = items[first + done].split(b"\n", lines)[lines]
    return done
