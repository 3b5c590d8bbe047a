"""Runs one replica: accepts connections, says so in one line, stops cleanly on SIGTERM and SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from dataclasses import dataclass

from aiohttp import web

from backend.app import build, runner
from backend.problems import ShopError
from backend.settings import Settings

if sys.platform == "win32":  # pragma: no cover - uvloop isn't for Windows
    new_event_loop = asyncio.new_event_loop
else:
    from uvloop import new_event_loop


class CannotServe(ShopError):  # noqa: N818 - what is wrong is in its message
    """The replica can't be started as it was asked for; the message is one line."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 for any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def run(settings: Settings, address: Address) -> None:
    """Serves until a signal says to stop; raises CannotServe."""
    with asyncio.Runner(loop_factory=new_event_loop) as loop:
        loop.run(_serve(settings, address))


async def _serve(settings: Settings, address: Address) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        app = build(settings)
    except sqlite3.Error as error:
        raise CannotServe(f"can't keep records in {settings.data}: {error}") from error
    running = runner(app)
    await running.setup()
    try:
        site = web.TCPSite(running, address.host, address.port)
        try:
            await site.start()
        except OSError as error:
            raise CannotServe(f"can't listen on {address}: {_reason(error)}") from error
        host, port = running.addresses[0][:2]
        print(
            f"The shop ({settings.style}, {settings.products} products, seed {settings.seed}) "
            f"accepts connections on http://{Address(host, port)}",
            flush=True,
        )
        await stopped.wait()
    finally:
        await running.cleanup()


def _reason(error: OSError) -> str:
    """The system's own words; those of name resolution have negative numbers."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
