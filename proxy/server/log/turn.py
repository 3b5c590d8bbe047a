"""Whose turn it is to write to what several processes write to."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_AGAIN = 0.001
_TORN, _WHOLE = b"\x01", b"\x00"


class Turn:
    """One process at a time writes, and the next one learns whether the line before was ended.

    To be made before the processes are forked. The kernel takes the turn back from one that dies. A process
    has it once, whichever thread of it asks.
    """

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as unnamed:
            self._file = os.dup(unnamed.fileno())

    @contextmanager
    def taken(self, patience: float) -> Iterator[None]:
        """Have the turn. Raises TimeoutError where it doesn't come within `patience` seconds."""
        ends = time.monotonic() + patience
        while not self._take():
            if time.monotonic() >= ends:
                raise TimeoutError(errno.ETIMEDOUT, "another process that writes to it doesn't go on")
            time.sleep(_LOOK_AGAIN)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1)

    def _take(self) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        except (BlockingIOError, PermissionError):
            return False
        return True

    @property
    def torn(self) -> bool:
        """Whether what was written last may lack the end of its line, or may be cut off."""
        return os.pread(self._file, 1, 1) == _TORN

    @torn.setter
    def torn(self, torn: bool) -> None:
        os.pwrite(self._file, _TORN if torn else _WHOLE, 1)

    def close(self) -> None:
        os.close(self._file)
