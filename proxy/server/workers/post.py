"""What the parent and its processes tell each other: whole messages, and files with them."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

import msgspec

MOST_FILES = 16
"""Files that come with one message, at most."""

_LARGEST = 64 << 10


class Ready(msgspec.Struct, frozen=True, tag=True):
    """A process serves from now on; `address` is where, if it has one of its own."""

    address: tuple[str, int] | None = None


class Alive(msgspec.Struct, frozen=True, tag=True):
    """A process serves still."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A process can't start; `configured` where that is because of what its user has asked for."""

    why: str
    configured: bool


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Take nothing more, and end when what is under way is over; at once where it's `hurried`."""

    hurried: bool = False


class Reopen(msgspec.Struct, frozen=True, tag=True):
    """Open the log anew."""


class Servers(msgspec.Struct, frozen=True, tag=True):
    """The servers behind from now on: each with its weight."""

    servers: tuple[tuple[str, float], ...]


class Link(msgspec.Struct, frozen=True, tag=True):
    """The file that comes with it leads to the process that was the `serial`th to be started."""

    serial: int
    worker: int
    process: int


class Lend(msgspec.Struct, frozen=True, tag=True):
    """The files that come with it are the sockets of a worker that doesn't serve: accept there meanwhile."""

    worker: int


class Return(msgspec.Struct, frozen=True, tag=True):
    """The worker whose sockets were lent serves again."""

    worker: int


Message = Ready | Alive | Failed | Stop | Reopen | Servers | Link | Lend | Return

_decode = msgspec.msgpack.Decoder(Message).decode
_encode = msgspec.msgpack.Encoder().encode


class Post:
    """One end of a pair. None of its methods waits."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)

    @classmethod
    def pair(cls) -> tuple[Post, Post]:
        """Two ends: what is sent at one is received at the other, message by message."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one), cls(other)

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, message: Message, files: Sequence[int] = ()) -> bool:
        """Whether it is on its way; not where the other end is gone, or takes nothing for long."""
        told = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
        try:
            self._end.sendmsg([_encode(message)], told)
        except OSError:
            return False
        return True

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next message and the files that came with it. None where the other end is gone.

        Raises BlockingIOError where there is none yet.
        """
        with suppress(ConnectionError):
            data, files, _, _ = socket.recv_fds(self._end, _LARGEST, MOST_FILES)
            for file in files:
                os.set_inheritable(file, False)
            if data:
                return _decode(data), list(files)
        return None

    def close(self) -> None:
        self._end.close()
