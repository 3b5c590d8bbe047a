"""Claims among the processes of one machine, by what the kernel takes back from a process that dies.

A claim is a record lock on one byte of a file that all of them have (fcntl(2)): which byte, the hash of the
way says. So nothing has to be cleaned up after a kill at any moment, and the kernel says who has a lock. Who
waits writes to the pipe of the process that has it, and is told by its own pipe. A holder that dies is
noticed by its pidfd; and where nothing tells, because a pipe was full, a look now and then does.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

from proxy.storage.claims import Unclaimed

LOOK_AGAIN = 0.1
"""Seconds between two looks whether a claim is still held, where nothing has told."""

WAYS = 1 << 62
_FIRST = 1 << 12
"""The first byte that stands for a way; those before it stand for the seats."""

_NOTE = struct.Struct("<QHHI")
_WAITING, _SHARED, _UNSHARED = 1, 2, 3
_AT_ONCE = 256

_LOCK = struct.Struct("@hhqqi4x")
"""struct flock: type, whence, start, length, and the process that is in the way."""


@dataclass(frozen=True, slots=True)
class ClaimTable:
    """What the processes share: a file to lock bytes of, and a pipe (read, write) for each of their seats.

    To be made before the processes are forked; each of them keeps all of it open until it ends.
    """

    file: int
    pipes: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, seats: int) -> ClaimTable:
        """A table for so many processes at a time. Raises OSError."""
        with tempfile.TemporaryFile() as unnamed:
            file = os.dup(unnamed.fileno())
        pipes = tuple(os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) for _ in range(seats))
        return cls(file, pipes)

    def close(self) -> None:
        """Give all of it back. Claims that this process holds are released by that."""
        for one in (self.file, *(end for pipe in self.pipes for end in pipe)):
            with suppress(OSError):
                os.close(one)


class _Held:
    """A claim of this process."""

    __slots__ = ("_claims", "_way", "waiting")

    def __init__(self, claims: LocalClaims, way: int) -> None:
        self._claims = claims
        self._way = way
        self.waiting: set[int] = set()  # the seats of those who want to be told

    def release(self, *, shared: bool) -> None:
        """Let those who wait go on."""
        self._claims.released(self, self._way, shared=shared)


class LocalClaims:
    """The claims of the process at `seat`. To be made in that process, while its loop runs."""

    def __init__(self, table: ClaimTable, seat: int, *, look_again: float = LOOK_AGAIN) -> None:
        self._table = table
        self._seat = seat
        self._look_again = look_again
        self._held: dict[int, _Held] = {}
        self._waiters: dict[int, set[asyncio.Future[bool]]] = {}
        self._watched: dict[int, tuple[int, int]] = {}  # by process: its pidfd, and how many ways it holds up
        fcntl.lockf(table.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, seat)  # by which others know who sits here
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(table.pipes[seat][0], self._read)

    async def claim(self, way: bytes) -> _Held | Unclaimed | None:
        """The claim to `way`; None where it's taken."""
        place = _place(way)
        if place in self._held:
            return None
        try:
            fcntl.lockf(self._table.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _FIRST + place)
        except (BlockingIOError, PermissionError):
            return None
        except OSError:
            return Unclaimed()
        held = self._held[place] = _Held(self, place)
        return held

    async def settled(self, way: bytes, patience: float) -> bool:
        """Wait until whoever has claimed `way` has released it or is gone, for `patience` seconds at most."""
        place = _place(way)
        ends = self._loop.time() + patience
        told: asyncio.Future[bool] = self._loop.create_future()
        waiters = self._waiters.setdefault(place, set())
        waiters.add(told)
        watched = 0
        try:
            while (left := ends - self._loop.time()) > 0:
                holder = self._holder(place)
                if holder is None:
                    return told.result() if told.done() else True
                if holder != watched:
                    self._unwatch(watched)
                    watched = self._watch(holder)
                    self._tell_of_waiting(place, holder)
                done, _ = await asyncio.wait((told,), timeout=min(self._look_again, left))
                if done:
                    return told.result()
            return False
        finally:
            self._unwatch(watched)
            told.cancel()
            waiters.discard(told)
            if not waiters:
                self._waiters.pop(place, None)

    def released(self, held: _Held, way: int, *, shared: bool) -> None:
        """A claim of this process is over; called by the claim itself."""
        if self._held.get(way) is not held:
            return
        del self._held[way]
        with suppress(OSError):
            fcntl.lockf(self._table.file, fcntl.LOCK_UN, 1, _FIRST + way)
        for seat in held.waiting:
            self._note(seat, way, _SHARED if shared else _UNSHARED)
        self._tell(way, shared=shared)

    async def close(self) -> None:
        """Release what is held; nobody is told anything more."""
        for held in list(self._held.values()):
            held.release(shared=True)
        self._loop.remove_reader(self._table.pipes[self._seat][0])
        for process in list(self._watched):
            self._forget(process)
        with suppress(OSError):
            fcntl.lockf(self._table.file, fcntl.LOCK_UN, 1, self._seat)

    # Who has it.

    def _holder(self, way: int) -> int | None:
        """The process that has claimed it, None where none has."""
        if way in self._held:
            return os.getpid()
        return self._locked_by(_FIRST + way)

    def _locked_by(self, byte: int) -> int | None:
        asked = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        try:
            kind, _, _, _, process = _LOCK.unpack(fcntl.fcntl(self._table.file, fcntl.F_GETLK, asked))
        except OSError:
            return None
        return None if kind == fcntl.F_UNLCK else process

    def _tell_of_waiting(self, way: int, holder: int) -> None:
        """Have the holder tell this process, which it does at once where it holds nothing any more."""
        for seat in range(len(self._table.pipes)):
            if seat != self._seat and self._locked_by(seat) == holder:
                self._note(seat, way, _WAITING)

    # What they tell each other.

    def _note(self, seat: int, way: int, what: int) -> None:
        with suppress(OSError):  # full: whoever waits looks for itself
            os.write(self._table.pipes[seat][1], _NOTE.pack(way, what, self._seat, 0))

    def _read(self) -> None:
        try:
            data = os.read(self._table.pipes[self._seat][0], _NOTE.size * _AT_ONCE)
        except OSError:
            return
        for way, what, seat, _ in _NOTE.iter_unpack(data[: len(data) - len(data) % _NOTE.size]):
            if what != _WAITING:
                self._tell(way, shared=what == _SHARED)
            elif (held := self._held.get(way)) is not None:
                held.waiting.add(seat)
            elif seat < len(self._table.pipes):
                self._note(seat, way, _SHARED)

    def _tell(self, way: int, *, shared: bool) -> None:
        for told in self._waiters.get(way, ()):
            if not told.done():
                told.set_result(shared)

    # Who dies.

    def _watch(self, process: int) -> int:
        """Have all look again as soon as a process has died."""
        pidfd, ways = self._watched.get(process, (-1, 0))
        if not ways and process != os.getpid():
            with suppress(OSError, AttributeError):  # not on every system
                pidfd = os.pidfd_open(process)
                self._loop.add_reader(pidfd, self._died, process)
        self._watched[process] = pidfd, ways + 1
        return process

    def _unwatch(self, process: int) -> None:
        if process in self._watched:
            pidfd, ways = self._watched[process]
            self._watched[process] = pidfd, ways - 1
            if ways == 1:
                self._forget(process)

    def _forget(self, process: int) -> None:
        pidfd, _ = self._watched.pop(process)
        if pidfd >= 0:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)

    def _died(self, process: int) -> None:
        """The kernel has taken back what it held: whoever waits for that looks again."""
        pidfd, ways = self._watched[process]
        if pidfd >= 0:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
            self._watched[process] = -1, ways
        for way in list(self._waiters):
            if self._holder(way) is None:
                self._tell(way, shared=True)


def _place(way: bytes) -> int:
    """The byte that stands for a way, among as many that no two ways share one in practice."""
    return int.from_bytes(blake2b(way, digest_size=8).digest(), "little") % (WAYS - _FIRST)
