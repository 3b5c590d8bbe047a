"""One shopper's connection to the proxy: whole answers or none, and every byte counted."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

_VERSIONS = ("HTTP/1.0 ", "HTTP/1.1 ")
FAILED = frozenset((500, 502, 503, 504))
"""What a shopper takes for a failure, and tries again."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request. `state` is how many of its bytes are there to say which state is meant, or what it is."""

    method: str
    target: str
    fields: Sequence[tuple[str, str]] = ()
    content: bytes = b""
    state: int = 0

    def encode(self) -> bytes:
        """As it is sent."""
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: shop.example", "Accept: application/json"]
        lines += [f"{name}: {value}" for name, value in self.fields]
        if self.content or self.method in ("POST", "PUT"):
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.content)}"]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + self.content


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `failure` says in a word why nothing whole came, or that it is a failure; else empty.

    `sent` and `received` are bytes on the wire.
    """

    status: int = 0
    fields: tuple[tuple[str, str], ...] = ()
    content: bytes = b""
    failure: str = ""
    sent: int = 0
    received: int = 0
    seconds: float = 0.0

    def field(self, name: str) -> str:
        """A field's first value, empty where it isn't there."""
        return next((value for known, value in self.fields if known == name), "")

    def cookies(self) -> dict[str, str]:
        """The cookies that it hands out; empty values take one back."""
        values = [value for name, value in self.fields if name == "set-cookie"]
        return dict(value.partition(";")[0].split("=", 1) for value in values if "=" in value)

    def document(self) -> dict[str, object]:
        """Its JSON; empty where it has none."""
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(self.content, type=dict[str, object])
        return {}

    @property
    def problem(self) -> str:
        """The name of the shop's problem that it tells of, or empty."""
        if not self.field("content-type").startswith("application/problem+json"):
            return ""
        return str(self.document().get("type", "")).rpartition("#")[2]


class Line:
    """A connection that is opened when it is needed, kept, and opened anew where it has been lost."""

    def __init__(self, port: int, patience: float) -> None:
        self._port = port
        self._patience = patience
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, message: Message) -> Answer:
        """Ask once. A kept connection that turns out to be closed before anything came is tried once anew."""
        data, began = message.encode(), time.perf_counter()
        try:
            async with asyncio.timeout(self._patience):
                kept = self._streams is not None
                answer = await self._once(data)
                if answer is None and kept and message.method == "GET":
                    answer = await self._once(data)
        except TimeoutError:
            answer = Answer(failure="no answer in time")
            self.close()
        except OSError as error:
            answer = Answer(failure=f"{type(error).__name__}")
            self.close()
        if answer is None:
            answer = Answer(failure="connection closed")
        if answer.status in FAILED:
            answer = replace(answer, failure=f"status {answer.status}")
        return replace(answer, sent=len(data), seconds=time.perf_counter() - began)

    async def _once(self, data: bytes) -> Answer | None:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        try:
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            status, fields = parse_head(head)
            content, extra = await _content(reader, status, dict(fields))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            self.close()
            return None
        if dict(fields).get("connection", "").lower() == "close":
            self.close()
        return Answer(status, fields, content, received=len(head) + len(content) + extra)

    def close(self) -> None:
        """Let go of the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def parse_head(head: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Status and fields, names in lower case. Raises ValueError for what is no response."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    if not first.startswith(_VERSIONS):
        raise ValueError("not a response")
    pairs = (line.partition(":") for line in lines)
    return int(first[9:12]), tuple((name.lower(), value.strip()) for name, _, value in pairs)


async def _content(reader: asyncio.StreamReader, status: int, fields: dict[str, str]) -> tuple[bytes, int]:
    """The content, and how many bytes there were beside it."""
    if status in (204, 304):
        return b"", 0
    if fields.get("transfer-encoding", "").lower() == "chunked":
        pieces: list[bytes] = []
        extra = 0
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.partition(b";")[0], 16)
            data = await reader.readexactly(size + 2)
            extra += len(line) + 2
            if not size:
                return b"".join(pieces), extra
            pieces.append(data[:size])
    return await reader.readexactly(int(fields.get("content-length", "0"))), 0
