"""An origin that answers as each case has it, and remembers what it was asked."""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from tests.conformance.script import At, Line, Reply, Value
from tests.conformance.wire import BrokenMessageError, Lines, Message, Wire, head_bytes


@dataclass
class Script:
    """What one case has the origin do: the replies for the next requests, and the requests that came.

    The last reply is given again where it is `sticky`, and a 599 to whatever nobody expected.
    """

    name: str
    began: float
    placeholders: dict[str, str] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    sticky: bool = False
    seen: list[Message] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def next(self, request: Message) -> Reply:
        with self.arrived:
            self.seen.append(request)
            self.arrived.notify_all()
            if len(self.replies) > 1 or (self.replies and not self.sticky):
                return self.replies.pop(0)
            if self.replies:
                return self.replies[0]
            return Reply(status=599, reason="Unexpected", number=-1)

    def content(self, reply: Reply) -> bytes:
        if reply.body is not None:
            return reply.body
        if reply.status in (204, 205, 304):
            return b""
        return f"{self.name} reply {reply.number}\n".encode()

    def rendered(self, lines: tuple[Line, ...]) -> Lines:
        """Dates are told from when the case began, and placeholders stand for what only the case knows."""
        return tuple((name, self._rendered(value)) for name, value in lines)

    def _rendered(self, value: Value) -> str:
        if isinstance(value, At):
            return value(self.began)
        for placeholder, known in self.placeholders.items():
            value = value.replace(placeholder, known)
        return value


class Origin:
    """Listens on loopback; `scripts` are found by the first segment of the path."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """To be called once the proxy has ended, and its connections with it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = Wire(connection)
        connection.settimeout(None)
        with connection:
            try:
                while (request := wire.request()) is not None:
                    if not self._answer(request, connection):
                        return
            except (BrokenMessageError, OSError):
                return

    def _answer(self, request: Message, connection: socket.socket) -> bool:
        """Answer one request; whether the connection goes on."""
        script = self.scripts.get(request.target.split("/")[1].partition("?")[0])
        if script is None:
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return True
        reply = script.next(request)
        for status, lines in reply.interims:
            connection.sendall(head_bytes(f"HTTP/1.1 {status} Interim", script.rendered(lines)))
        if reply.delay:
            time.sleep(reply.delay)
        if reply.framing in ("nothing", "reset"):
            if reply.framing == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        data, persists = response_bytes(script, reply, request.method)
        connection.sendall(data)
        return persists


def sent_lines(script: Script, reply: Reply) -> Lines:
    """The field lines that speak of the response itself, as they are sent."""
    if isinstance(reply.date, At):
        moment = time.time() if reply.date == At(0) else script.began
        date: Lines = (("Date", reply.date(moment)),)
    else:
        date = (("Date", reply.date),) if reply.date is not None else ()
    return (*date, ("Reply", str(reply.number)), *script.rendered(reply.lines))


def response_bytes(script: Script, reply: Reply, method: str) -> tuple[bytes, bool]:
    """All of a response, and whether another may follow on the connection."""
    lines = list(sent_lines(script, reply))
    body = script.content(reply)
    start = f"HTTP/{reply.version} {reply.status} {reply.reason}"
    framed = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in lines)
    if reply.framing == "length" and not framed and reply.status not in (204, 304):
        lines.append(("Content-Length", str(len(body))))
    elif reply.framing == "short":
        lines.append(("Content-Length", str(len(body) + 10)))
    elif "chunk" in reply.framing:
        lines.append(("Transfer-Encoding", "chunked"))
        whole = reply.framing == "chunked"
        body = b"%x\r\n%b\r\n" % (len(body), body) + (b"0\r\n" if whole else b"ff\r\n")
        if whole:
            trailers = script.rendered(reply.trailers)
            body += "".join(f"{name}: {value}\r\n" for name, value in trailers).encode() + b"\r\n"
    head = head_bytes(start, lines)
    persists = reply.framing in ("length", "chunked") and reply.version == "1.1"
    return head + (b"" if method == "HEAD" else body), persists
