"""`pellucid serve`: the proxy in front of an HTTP API."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace

import click

from proxy import __version__
from proxy.config import Configuration, load
from proxy.message.errors import ConfigurationError
from proxy.server.app import Proxy
from proxy.units import parse_address, parse_size, show_address


@click.command(name="serve")
@click.option("--upstream", metavar="URL", help="The server behind: http://HOST[:PORT] or https://….")
@click.option("--listen", metavar="H:P", default="127.0.0.1:8080", show_default=True, help="Where to listen.")
@click.option("--admin", metavar="H:P", help="Where the dashboard and the figures are; nowhere by default.")
@click.option("--log", metavar="FILE", help="A line of JSON for each exchange; - for standard output.")
@click.option("--config", metavar="FILE", help="Settings in TOML.")
@click.option("--set", "settings", metavar="S.N=V", multiple=True, help="One setting, as server.idle=30s.")
@click.option("--memory", metavar="SIZE", help="The budget of the memory tier. [default: 256MiB]")
@click.option(
    "--store", metavar="WHERE", default="memory", show_default=True, help="Where responses are kept."
)
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
    upstream: str | None,
    listen: str,
    admin: str | None,
    log: str | None,
    config: str | None,
    settings: tuple[str, ...],
    memory: str | None,
    store: str,
    keep_host: bool,
    watch: str,
    color: str,
) -> int:
    """Run the proxy in front of an HTTP API until SIGTERM or SIGINT; exchanges under way are finished."""
    configuration = load(config, list(settings))
    if upstream is None:
        raise ConfigurationError("no server to stand in front of: give --upstream URL")
    if store != "memory":
        raise ConfigurationError("--store can only be memory", evidence=repr(store))
    if memory is not None:
        configuration = _with_memory(configuration, memory)
    if keep_host:
        configuration = replace(configuration, server=replace(configuration.server, keep_host=True))
    proxy = Proxy(
        configuration,
        upstream=upstream,
        listen=parse_address(listen),
        admin=parse_address(admin) if admin is not None else None,
        log=log,
        watch=sys.stderr.isatty() if watch == "auto" else watch == "always",
        color=color,
    )
    return _run(serve(proxy))


async def serve(proxy: Proxy) -> None:
    """Start, say so, and go on until a signal says to stop. A second signal does not wait for exchanges."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    hurried = asyncio.Event()

    def stop() -> None:
        (hurried if asked.is_set() else asked).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, proxy.reopen_log)
    try:
        await proxy.start()
        print(_ready(proxy), flush=True)
        trouble = await proxy.probe()
        if trouble:
            print(f"pellucid: {trouble}; answering 502 until it can be", file=sys.stderr, flush=True)
        await asked.wait()
    finally:
        await proxy.stop(hurried)


def _run(main: Coroutine[None, None, None]) -> int:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _with_memory(configuration: Configuration, memory: str) -> Configuration:
    storage = replace(configuration.storage, memory=parse_size(memory))
    return replace(configuration, storage=storage)


def _ready(proxy: Proxy) -> str:
    line = f"pellucid {__version__} listens on http://{show_address(*proxy.address)} in front of {proxy.upstream}"
    if proxy.admin_address is not None:
        line += f", dashboard at http://{show_address(*proxy.admin_address)}/"
    return line
