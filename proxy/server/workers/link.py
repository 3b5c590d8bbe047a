"""A way between two processes, on which one asks and the other answers; several questions at a time."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec

from proxy.message.errors import PellucidError

_SIZE = 4

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_log = logging.getLogger(__name__)


class LinkBroken(PellucidError):  # noqa: N818
    """The other process is gone, or it doesn't answer."""

    status = 503


class Refused(PellucidError):  # noqa: N818
    """The other process does not do what it was asked; the message says why."""

    status = 409


class Link:
    """One end. A frame is a length and, as MessagePack, a number, what is asked or if it went well, a value.

    `answer` gives, for a question's name and value, the answer; a PellucidError is told to whoever asked.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self.broken = False

    @classmethod
    async def over(cls, file: int) -> Link:
        """A link over a connected socket, which is the link's from now on."""
        return cls(*await asyncio.open_unix_connection(sock=socket.socket(fileno=file)))

    async def ask(self, what: str, value: object = None) -> Any:
        """The answer to a question. Raises LinkBroken, or Refused."""
        if self.broken:
            raise LinkBroken("the other process is gone")
        self._number += 1
        number = self._number
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            try:
                await self._send((number, what, value))
            except OSError as error:
                raise LinkBroken("the other process is gone") from error
            return await answer
        finally:
            self._asked.pop(number, None)

    async def run(self, answer: Callable[[str, Any], Awaitable[Any]] | None = None) -> None:
        """Take what comes until the other end is gone; to be run once, for as long as the link is used."""
        try:
            while True:
                size = int.from_bytes(await self._reader.readexactly(_SIZE), "big")
                number, what, value = _decode(await self._reader.readexactly(size))
                if isinstance(what, bool):
                    self._answered(number, what, value)
                elif answer is not None:
                    task = asyncio.get_running_loop().create_task(self._answer(number, answer(what, value)))
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass  # the other process has ended, or is about to
        finally:
            await self._close()

    def _answered(self, number: int, well: bool, value: Any) -> None:
        asked = self._asked.get(number)
        if asked is not None and not asked.done():
            if well:
                asked.set_result(value)
            else:
                asked.set_exception(Refused(value[0], status=value[1]))

    async def _answer(self, number: int, answer: Awaitable[Any]) -> None:
        try:
            told = (number, True, await answer)
        except PellucidError as error:
            told = (number, False, (str(error), error.status))
        except Exception:
            _log.exception("another process could not be answered")
            told = (number, False, ("an error of the proxy itself", 500))
        with suppress(OSError):
            await self._send(told)

    async def _send(self, value: tuple[int, str | bool, object]) -> None:
        data = _encode(value)
        self._writer.write(len(data).to_bytes(_SIZE, "big") + data)
        await self._writer.drain()

    async def _close(self) -> None:
        self.broken = True
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(LinkBroken("the other process is gone"))
        for task in self._answering:
            task.cancel()
        self._writer.close()
        await asyncio.gather(*self._answering, return_exceptions=True)
        with suppress(OSError):
            await self._writer.wait_closed()
