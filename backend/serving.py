"""Runs one replica: accepts connections, says so in one line, stops cleanly on SIGTERM and SIGINT."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from backend.app import STYLE, build, runner
from backend.problems import ShopError
from backend.settings import Settings
from backend.styles import FLASK
from backend.tokens.keys import BadKeys

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
    """Serves until a signal says to stop; raises ShopError where that can't be."""
    if settings.style == FLASK:
        _run_flask(settings, address)
        return
    with asyncio.Runner(loop_factory=new_event_loop) as loop:
        loop.run(_serve(settings, address))


def say_ready(settings: Settings, address: Address) -> None:
    """The one line on stdout."""
    print(
        f"The shop ({settings.style}, {settings.products} products, seed {settings.seed}) "
        f"accepts connections on http://{address}",
        flush=True,
    )


def reload(again: Callable[[], None]) -> None:
    """What SIGHUP asks for; keys that can't be used are said on stderr, and the old ones stay."""
    try:
        again()
    except BadKeys as error:
        print(f"The keys stay as they were: {error}", file=sys.stderr, flush=True)


async def _serve(settings: Settings, address: Address) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    app = build(settings)
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload, app[STYLE].reload)
    running = runner(app)
    try:
        await running.setup()
        site = web.TCPSite(running, address.host, address.port)
        try:
            await site.start()
        except OSError as error:
            raise cannot_listen(address, error) from error
        host, port = running.addresses[0][:2]
        say_ready(settings, Address(host, port))
        await stopped.wait()
    finally:
        await running.cleanup()


def cannot_listen(address: Address, error: OSError) -> CannotServe:
    """In the system's own words; those of name resolution have negative numbers."""
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    return CannotServe(f"can't listen on {address}: {reason}")


def _run_flask(settings: Settings, address: Address) -> None:
    try:
        from backend.flasks.serving import serve
    except ImportError as error:
        raise CannotServe(
            f"the style flask needs {error.name or 'flask'}: pip install 'pellucid[demo]'"
        ) from error
    serve(settings, address)
