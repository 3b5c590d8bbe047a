"""A network between a proxy and a server that a test can make worse."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress


class Relay:
    """Passes bytes on. `delay` in seconds; while `frozen` nothing goes through and nothing is closed."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.delay = 0.0
        self.nonsense: bytes | None = None
        self.port = 0
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def cut(self) -> None:
        """Close all connections, and every new one at once."""
        self._refusing = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._refusing = False

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.thaw()
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        with suppress(OSError, asyncio.CancelledError):
            if not self._refusing:
                await self._join(reader, writer)
        writer.transport.abort()
        self._writers.discard(writer)
        self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers.add(back)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back, spoils=False))
                group.create_task(self._pump(there, writer, spoils=True))
        except* OSError:
            pass
        finally:
            back.transport.abort()
            self._writers.discard(back)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, spoils: bool
    ) -> None:
        while data := await reader.read(65536):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._thawed.wait()
            if spoils and self.nonsense is not None:
                data = self.nonsense
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError
