"""HTTP/1.1 on blocking sockets, plain and strict: what the client and the origin of these tests speak.

It shares nothing with the proxy, so that no mistake is made twice and goes unseen.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

Lines = tuple[tuple[str, str], ...]

PATIENCE = 10.0
"""Seconds after which a test gives up what it waits for."""


class BrokenMessageError(Exception):
    """The other side ended a message before its end, or sent what is none."""


@dataclass(frozen=True)
class Head:
    """A start line in its three parts, and the field lines in order."""

    start: tuple[str, str, str]
    lines: Lines

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.lines if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        values = self.all(name)
        return ", ".join(values) if values else None


@dataclass(frozen=True)
class Message:
    """A request or a response, whole."""

    head: Head
    body: bytes = b""
    trailers: Lines = ()
    interims: tuple[Head, ...] = field(default=())

    @property
    def status(self) -> int:
        return int(self.head.start[1])

    @property
    def method(self) -> str:
        return self.head.start[0]

    @property
    def target(self) -> str:
        return self.head.start[1]


class Wire:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(PATIENCE)
        self._buffer = b""
        self.ended = False

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()
        self.ended = True

    def request(self) -> Message | None:
        """The next request, None where the client has left."""
        if not self._buffer and not self._more():
            return None
        head = self._head()
        body, trailers = self._content(head, none_means_empty=True)
        return Message(head, body, trailers)

    def response(self, method: str) -> Message:
        """The next final response, with the interim ones before it."""
        interims: list[Head] = []
        head = self._head()
        while head.start[1].startswith("1"):
            interims.append(head)
            head = self._head()
        if method == "HEAD" or head.start[1] in ("204", "304"):
            body, trailers = b"", ()
        else:
            body, trailers = self._content(head, none_means_empty=False)
        if "close" in (head.get("Connection") or "").lower():
            self.ended = True
        return Message(head, body, trailers, tuple(interims))

    def _head(self) -> Head:
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                raise BrokenMessageError(f"the head broke off: {self._buffer!r}")
        block, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        start, *lines = block.decode("latin-1").split("\r\n")
        one, two, three = (*start.split(" ", 2), "", "")[:3]
        return Head((one, two, three), _lines(lines))

    def _content(self, head: Head, *, none_means_empty: bool) -> tuple[bytes, Lines]:
        if head.get("Transfer-Encoding") is not None:
            return self._chunked()
        length = head.all("Content-Length")
        if len(set(length)) > 1:
            raise BrokenMessageError(f"several lengths: {length}")
        if length:
            return self._exactly(int(length[0])), ()
        if none_means_empty:
            return b"", ()
        self.ended = True
        while self._more():
            pass
        body, self._buffer = self._buffer, b""
        return body, ()

    def _chunked(self) -> tuple[bytes, Lines]:
        body = b""
        while size := int(self._line().split(b";")[0], 16):
            body += self._exactly(size)
            if self._line():
                raise BrokenMessageError("a chunk is longer than it says")
        trailers = []
        while line := self._line():
            trailers.append(line.decode("latin-1"))
        return body, _lines(trailers)

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if not self._more():
                raise BrokenMessageError("a line broke off")
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._more():
                raise BrokenMessageError(f"{len(self._buffer)} of {size} bytes of content")
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece

    def _more(self) -> bool:
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        self._buffer += data
        self.ended = self.ended or not data
        return bool(data)


def head_bytes(start: str, lines: Iterable[tuple[str, str]]) -> bytes:
    """A head as it goes over the wire."""
    return "".join([start, "\r\n", *(f"{name}: {value}\r\n" for name, value in lines), "\r\n"]).encode(
        "latin-1"
    )


def _lines(lines: Iterable[str]) -> Lines:
    return tuple((name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines))
