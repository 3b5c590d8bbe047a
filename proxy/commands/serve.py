"""`pellucid serve`: the proxy in front of an HTTP API."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

import click

from proxy import __version__
from proxy.commands.serving.reloading import Reloading
from proxy.config import load
from proxy.message.errors import ConfigurationError
from proxy.server.app import Address, Proxy
from proxy.server.configuration import Settings
from proxy.server.log.records import RecordLog, say
from proxy.server.log.terminal import Color, Terminal
from proxy.server.log.turn import Turn
from proxy.server.process import collect_seldom, hold_standard_streams, print_line, return_large_blocks
from proxy.units import parse_address, show_address
from proxy.upstream.address import Server, parse_weighted
from proxy.visibility.redaction import Redaction

MOST_WORKERS = 256
"""More processes than that serve nobody better."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for, read and checked."""

    settings: Settings
    upstreams: tuple[tuple[Server, float], ...]
    listen: Address
    admin: Address | None
    log: str | None
    watch: bool
    color: Color


@click.command(name="serve", context_settings={"max_content_width": 110})
@click.option(
    "--upstream", metavar="URL", multiple=True,
    help="A server behind: http://HOST[:PORT] or https, and ,weight=N after it; may be given often.",
)  # fmt: skip
@click.option("--balance", metavar="HOW", help="Which of several is asked: round-robin, least, hash, sticky.")
@click.option("--listen", metavar="H:P", default="127.0.0.1:8080", show_default=True, help="Where to listen.")
@click.option("--admin", metavar="H:P", help="Where the dashboard and the figures are; nowhere by default.")
@click.option("--log", metavar="FILE", help="A line of JSON for each exchange; - for standard output.")
@click.option("--config", metavar="FILE", help="Settings in TOML.")
@click.option("--set", "settings", metavar="S.N=V", multiple=True, help="One setting, as server.idle=30s.")
@click.option("--memory", metavar="SIZE", help="What stored responses may take.  [default: 256MiB]")
@click.option(
    "--store",
    metavar="WHERE",
    help="Where responses are kept: memory, disk:DIR, valkey://H:P, or several.  [default: memory]",
)
@click.option("--workers", metavar="N", default="1", show_default=True, help="How many processes serve.")
@click.option("--keep-host", is_flag=True, help="Forward the client's Host instead of the upstream's own.")
@click.option(
    "--watch",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="A line for each exchange on standard error; auto: where that is a terminal.",
)
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours in those lines."
)
def command(
    upstream: tuple[str, ...],
    balance: str | None,
    listen: str,
    admin: str | None,
    log: str | None,
    config: str | None,
    settings: tuple[str, ...],
    memory: str | None,
    store: str | None,
    workers: str,
    keep_host: bool,
    watch: str,
    color: Color,
) -> int:
    """Run the proxy in front of an HTTP API until SIGTERM or SIGINT; exchanges under way are finished."""
    hold_standard_streams()
    return_large_blocks()
    if balance is not None:
        settings = (*settings, f"balance.policy={balance}")
    if memory is not None:
        settings = (*settings, f"storage.memory={memory}")
    chosen = loaded = load(config, list(settings))
    if keep_host:
        chosen = replace(chosen, server=replace(chosen.server, keep_host=True))
    if store is not None:
        chosen = replace(chosen, storage=replace(chosen.storage, store=store))
    processes = _workers(workers)
    named = [parse_weighted(one) for one in upstream]
    wanted = Wanted(
        chosen,
        _servers(named, chosen),
        parse_address(listen),
        parse_address(admin) if admin is not None else None,
        log,
        watch == "always" or (watch == "auto" and sys.stderr is not None and sys.stderr.isatty()),
        color,
    )
    reloading = Reloading(config, settings, named, loaded)
    if processes > 1:
        from proxy.commands.serving.several import serve_with

        serve_with(wanted, processes, reloading)
    else:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(wanted, reloading))
    return 0


async def serve(wanted: Wanted, reloading: Reloading) -> None:
    """Start, say so, and go on until a signal says to stop. A second signal does not wait for exchanges."""
    redaction = Redaction.of(wanted.settings.log)
    with ExitStack() as outlets:
        log, terminal = open_outlets(outlets, wanted, redaction)
        proxy = Proxy(wanted.settings, wanted.upstreams, log=log, terminal=terminal, redaction=redaction)

        def anew() -> None:
            if log is not None:
                log.reopen()
            servers = reloading.servers(proxy.servers or [])
            if servers is not None:
                proxy.change_servers(servers)

        asked, hurried = _on_signals(anew)
        try:
            address = await proxy.start(wanted.listen)
            admin = await proxy.start_admin(wanted.admin, redaction) if wanted.admin is not None else None
            collect_seldom()
            print_line(started_line(wanted, address, admin))
            trouble = await proxy.probe()
            if trouble:
                say(f"the upstream can't be reached yet ({trouble}); answering 502 until it can")
            if place := proxy.unreached():
                say(f"{place} can't be reached yet; going on without it until it can")
            await asked.wait()
        finally:
            await proxy.stop(hurried)


def open_outlets(
    outlets: ExitStack, wanted: Wanted, redaction: Redaction, turn: Turn | None = None
) -> tuple[RecordLog | None, Terminal | None]:
    """Where exchanges are told of, closed with `outlets`; `turn` is what processes have that write there.

    Raises ConfigurationError.
    """
    log = RecordLog(wanted.log, redaction, turn=turn) if wanted.log is not None else None
    if log is not None:
        outlets.callback(log.close)
    watched = wanted.watch and sys.stderr is not None
    terminal = Terminal(sys.stderr, redaction, color=wanted.color) if watched else None
    if terminal is not None:
        outlets.callback(terminal.close)
    return log, terminal


def started_line(wanted: Wanted, address: Address, admin: Address | None) -> str:
    """What is said when clients are served at `address`."""
    line = f"pellucid {__version__} listens on http://{show_address(*address)}"
    line += " in front of " + ", ".join(one.url for one, _ in wanted.upstreams)
    return line + (f", dashboard at http://{show_address(*admin)}/" if admin is not None else "")


def _on_signals(anew: Callable[[], None]) -> tuple[asyncio.Event, asyncio.Event]:
    """What the first, and what the second signal to stop sets; SIGHUP calls `anew`."""
    loop = asyncio.get_running_loop()
    asked, hurried = asyncio.Event(), asyncio.Event()

    def stop() -> None:
        (hurried if asked.is_set() else asked).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, anew)
    return asked, hurried


def _servers(named: list[tuple[Server, float]], settings: Settings) -> tuple[tuple[Server, float], ...]:
    """The servers behind: those of the command line, then those of the configuration."""
    found = (*named, *(parse_weighted(one) for one in settings.balance.servers))
    if not found:
        raise ConfigurationError("no server to stand in front of: give --upstream URL")
    return found


def _workers(text: str) -> int:
    """How many processes serve: a number, or `auto` for as many as there are processors to run on."""
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_WORKERS):
        raise ConfigurationError(f"--workers is a number from 1 to {MOST_WORKERS}, or auto", evidence=text)
    return int(text)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop, None for asyncio's own."""
    try:
        import uvloop
    except ImportError:  # not on every platform
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
