"""A stretch of network between the proxy and one replica, that can be cut: a process of its own.

Commands come by standard input, each is confirmed by a line: `swallow` (what the proxy sends still arrives,
what the replica answers doesn't), `cut` (every connection is broken off, and no new one is accepted), `heal`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable

_TRIES, _PAUSE = 50, 0.1


class Relay:
    """Passes bytes on between whoever connects and a port of loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._port = 0
        self._swallowing = False
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    async def listen(self) -> int:
        """Accept connections, on the same port each time; gives the port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        if self._server is None or not self._server.is_serving():  # cut meanwhile
            writer.transport.abort()
            back.transport.abort()
            return
        self._open |= {writer, back}
        ways = (
            asyncio.create_task(self._pass_on(reader, back, lambda: False)),
            asyncio.create_task(self._pass_on(there, writer, lambda: self._swallowing)),
        )
        self._passing.update(ways)
        await asyncio.wait(ways)
        self._passing.difference_update(ways)
        self._open -= {writer, back}
        for end in (writer, back):
            end.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, drop: Callable[[], bool]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not drop():
                    writer.write(data)
                    await writer.drain()
            writer.close()

    async def obey(self, command: str) -> None:
        """Do as one of the commands says."""
        match command:
            case "swallow":
                self._swallowing = True
            case "cut":
                if self._server is not None:
                    self._server.close()
                for one in list(self._open):
                    one.transport.abort()
            case "heal":
                self._swallowing = False
                await self._listen_again()

    async def _listen_again(self) -> None:
        """At the same port, which somebody else may have for a moment. Raises OSError."""
        for _ in range(_TRIES - 1):
            with contextlib.suppress(OSError):
                await self.listen()
                return
            await asyncio.sleep(_PAUSE)
        await self.listen()

    async def close(self) -> None:
        """Break everything off, for good."""
        ends = list(self._open)
        await self.obey("cut")
        while self._passing:
            await asyncio.wait(self._passing)
            await asyncio.sleep(0)
        for end in ends:
            with contextlib.suppress(OSError):
                await end.wait_closed()


async def _main(target: int) -> None:
    relay = Relay(target)
    print(await relay.listen(), flush=True)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        await relay.obey(line.decode().strip())
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
