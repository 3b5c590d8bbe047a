"""What the parent and its processes tell each other: whole messages, and files with them."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

import msgspec

MOST_FILES = 16
"""Files that come with one message, at most."""

_LARGEST = 64 << 10
"""Bytes of a message that is sent as it is; a larger one, which a socket may refuse, goes as a file."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """A process serves from now on; `address` is where, if it has one of its own."""

    address: tuple[str, int] | None = None


class Alive(msgspec.Struct, frozen=True, tag=True):
    """A process serves still."""


class Leaving(msgspec.Struct, frozen=True, tag=True):
    """A process takes nothing more, for itself alone, and ends when what is under way is over."""


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


class _Enclosed(msgspec.Struct, frozen=True, tag=True):
    """The first of the files that come with it has the message."""


Message = Ready | Alive | Leaving | Failed | Stop | Reopen | Servers | Link | Lend | Return

_decode = msgspec.msgpack.Decoder(Message | _Enclosed).decode
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
        data = _encode(message)
        try:
            with ExitStack() as made:
                if len(data) > _LARGEST:
                    files = [made.enter_context(_file_of(data)), *files]
                    data = _encode(_Enclosed())
                told = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
                self._end.sendmsg([data], told)
        except OSError:
            return False
        return True

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next message and the files that came with it. None where the other end is gone.

        Raises BlockingIOError where there is none yet.
        """
        with suppress(ConnectionError):
            data, files, _, _ = socket.recv_fds(self._end, _LARGEST, MOST_FILES + 1)
            for file in files:
                os.set_inheritable(file, False)
            if data:
                return self._opened(_decode(data), list(files))
        return None

    def _opened(self, message: Message | _Enclosed, files: list[int]) -> tuple[Message, list[int]] | None:
        if not isinstance(message, _Enclosed):
            return message, files
        if not files:  # this process had no room for it: lost as one that is never sent
            return self.receive()
        with open(files.pop(0), "rb") as file:
            file.seek(0)
            return self._opened(_decode(file.read()), files)

    def close(self) -> None:
        self._end.close()


@contextmanager
def _file_of(data: bytes) -> Iterator[int]:
    """A file in memory. Raises OSError."""
    with open(os.memfd_create("message"), "w+b") as file:
        file.write(data)
        file.flush()
        yield file.fileno()
