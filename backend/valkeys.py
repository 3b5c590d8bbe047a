"""A Valkey that replicas share: its address, and asking it with or without an event loop.

Both kinds of line have the same coroutine to ask with, so that what is asked is written once. The one for
threads never waits in an event loop: `at_once` runs what is built on it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import valkey
import valkey.asyncio
import valkey.exceptions

from backend.records.contract import unavailable

T = TypeVar("T")
Word = bytes | str | int
PATIENCE = 2.0
"""How many seconds an answer may take."""
LINES = 32
SCHEMES = ("valkey", "valkeys", "unix")


def is_address(text: str) -> bool:
    """Whether this names a Valkey: valkey://HOST:PORT[/DATABASE], valkeys:// with TLS, unix:///SOCKET."""
    return text.partition("://")[0] in SCHEMES and "://" in text


def shown(address: str) -> str:
    """The address without credentials; raises ValueError where it can't be one."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise ValueError("no socket is named")
        return f"unix://{parts.path}"
    if not parts.hostname:
        raise ValueError("no host is named")
    if parts.path.strip("/") and not parts.path.strip("/").isdigit():
        raise ValueError("a database is a number")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 6379}{parts.path.rstrip('/')}"


class Line(ABC):
    """Asks the Valkey at `where`; raises Problem("store-unavailable") where there is no proper answer."""

    where: str

    @abstractmethod
    async def ask(self, *words: Word) -> Any:
        """The reply to one command, texts as bytes."""

    @abstractmethod
    async def close(self) -> None: ...


class LoopLine(Line):
    """For coroutines."""

    def __init__(self, address: str) -> None:
        self.where = shown(address)
        self._pool = valkey.asyncio.BlockingConnectionPool.from_url(
            address,
            max_connections=LINES,
            timeout=PATIENCE,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
        )
        self._client = valkey.asyncio.Valkey(connection_pool=self._pool)

    async def ask(self, *words: Word) -> Any:
        try:
            return await self._client.execute_command(*words)  # type: ignore[no-untyped-call]
        except (valkey.exceptions.ValkeyError, OSError) as error:
            raise unavailable() from error

    async def close(self) -> None:
        await self._client.aclose()
        await self._pool.disconnect()


class ThreadLine(Line):
    """For threads: the coroutine blocks, and so needs no event loop."""

    def __init__(self, address: str) -> None:
        self.where = shown(address)
        self.client = valkey.Valkey.from_url(
            address, max_connections=LINES, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )

    async def ask(self, *words: Word) -> Any:
        try:
            return self.client.execute_command(*words)  # type: ignore[no-untyped-call]
        except (valkey.exceptions.ValkeyError, OSError) as error:
            raise unavailable() from error

    async def close(self) -> None:
        self.client.close()  # type: ignore[no-untyped-call]


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, which must not wait for anything; for threads without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    coroutine.close()
    raise RuntimeError("a coroutine that was to end at once has waited")
