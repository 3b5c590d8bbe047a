"""One question over one connection, as simply as can be: whether a server is there, and what it says."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse

from proxy.commands.comparing.errors import ComparisonError

_POLL = 0.002
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """A whole answer; `head_bytes` is how long its head was on the wire, roughly."""

    status: int
    fields: tuple[tuple[str, str], ...]
    content: bytes


def ask(port: int, request: bytes, timeout: float = _TIMEOUT) -> Told:
    """Send a request to a port of loopback and read the whole answer. Raises ComparisonError."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as line:
            line.sendall(request)
            response = HTTPResponse(line)
            try:
                response.begin()
                content = response.read()
                return Told(response.status, tuple(response.getheaders()), content)
            finally:
                response.close()
    except (OSError, HTTPException) as error:
        shown = str(error) or type(error).__name__
        raise ComparisonError("no whole answer came", evidence=shown) from error


def get(port: int, target: str) -> Told:
    """The same for a plain GET."""
    return ask(port, f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())


def accepts(port: int) -> bool:
    """Whether somebody accepts connections on that port of loopback."""
    with socket.socket() as line:
        line.settimeout(1.0)
        return line.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pause() -> None:
    """Wait a moment before looking again."""
    time.sleep(_POLL)
