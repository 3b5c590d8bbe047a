"""A URL is purged again and again, while others ask for it: is anybody given what was purged?"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load.requests import agent, request
from proxy.commands.comparing.origin.content import version_in
from proxy.commands.comparing.origin.process import COUNT

_PATIENCE = 20.0
_EACH = 3
"""Answers that each reader has between two purges, on average."""


@dataclass(slots=True)
class Seen:
    """What came of it. `purges` are the seconds that each took; `old` are, for each answer that should not
    have been given any more, the seconds from the purge's answer until that was asked for.
    """

    answers: int = 0
    purges: list[float] = field(default_factory=list)
    old: list[float] = field(default_factory=list)

    def note(self, version: int, floor: int, late: float) -> None:
        """An answer to a request that was sent when it had to be `floor` at least, `late` seconds after."""
        self.answers += 1
        if version < floor:
            self.old.append(late)


class Line:
    """One connection, one question after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> Line:
        """Raises OSError."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status code and content. Raises OSError and EOFError."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r")[0]
        return int(head[9:12]), await self._reader.readexactly(int(length or 0))

    async def close(self) -> None:
        """No more questions, and no wait for an answer."""
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def purge(target: str, tags: str = "") -> bytes:
    """A PURGE of a target, or of tags."""
    named = f"Surrogate-Key: {tags}\r\n" if tags else ""
    return f"PURGE {target} HTTP/1.1\r\nHost: api.example.org\r\n{named}\r\n".encode()


async def purged(line: Line, target: str, tags: str = "") -> dict[str, int]:
    """How many entries were purged in each tier. Raises ComparisonError where it was refused."""
    status, said = await line.ask(purge(target, tags))
    if status != 200:
        raise ComparisonError("a purge was refused", evidence=said.decode("utf-8", "replace")[:400])
    counted: dict[str, int] = json.loads(said)["entries"]
    return counted


async def hammer(
    purging: int, reading: Sequence[int], origin: int, target: str, *, tries: int, readers: int
) -> Seen:
    """Purge `target` by the port `purging`, while `readers` ask for it by the ports `reading`, in turn.

    What the origin had given before a purge was sent must not be the answer to what was sent after the purge
    was answered. Raises ComparisonError.
    """
    seen = Seen()
    floor, since = 0, 0.0
    try:
        async with asyncio.timeout(_PATIENCE + tries), contextlib.AsyncExitStack() as stack:

            async def line(port: int) -> Line:
                opened = await Line.to(port)
                stack.push_async_callback(opened.close)
                return opened

            async def read(own: Line) -> None:
                asked = request(target, agent(0))
                while True:
                    due, sent = floor, perf_counter()
                    _, content = await own.ask(asked)
                    seen.note(version_in(content), due, sent - since)

            lines = [await line(reading[number % len(reading)]) for number in range(readers)]
            purger, counter = await line(purging), await line(origin)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(read(own)) for own in lines]
                for _ in range(tries):
                    await _until(lambda due=seen.answers + _EACH * readers: seen.answers >= due)  # type: ignore[misc]
                    _, told = await counter.ask(_count(target))
                    began = perf_counter()
                    await purged(purger, target)
                    since = perf_counter()
                    seen.purges.append(since - began)
                    floor = int(told) + 1
                await _until(lambda due=seen.answers + _EACH * readers: seen.answers >= due)  # type: ignore[misc]
                for task in tasks:
                    task.cancel()
    except (OSError, EOFError, ValueError, ExceptionGroup) as error:
        first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        if isinstance(first, ComparisonError):
            raise first from None
        raise ComparisonError("purging broke off", evidence=f"{type(first).__name__}: {first}") from error
    return seen


def _count(target: str) -> bytes:
    return f"GET {COUNT}?{target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def _until(ready: Callable[[], bool]) -> None:
    while not ready():  # noqa: ASYNC110 - as often as that, an event for each answer would cost more
        await asyncio.sleep(0.0005)
