"""`pellucid warm`: asks for many URLs through the proxy, so that it has them before anybody else asks."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from proxy.commands.warming.account import FORMAT, Account, as_json, as_text
from proxy.commands.warming.asking import Asking, Headers, Unasked, variants
from proxy.commands.warming.gathering import add_sitemap
from proxy.commands.warming.logs import most_asked_for
from proxy.commands.warming.wanted import Wanted, host_of
from proxy.message.errors import ConfigurationError, PellucidError
from proxy.message.uri import typed_uri
from proxy.upstream.address import Server, parse_server


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the targets are from."""

    lists: tuple[str, ...]
    sitemaps: tuple[str, ...]
    logs: tuple[str, ...]
    top: int
    log_format: str


@click.command(name="warm", context_settings={"max_content_width": 110})
@click.argument("lists", metavar="[FILE]...", nargs=-1)
@click.option(
    "--sitemap", "sitemaps", metavar="WHERE", multiple=True,
    help="A sitemap or an index of such: a file, or a URL, which is fetched through the proxy as well.",
)  # fmt: skip
@click.option("--log", "logs", metavar="FILE", multiple=True, help="A log: what was asked for most in it.")
@click.option("--top", default=1000, show_default=True, help="How many URLs of each log.")
@click.option(
    "--log-format", default="", metavar="FORMAT", help="How the log is written; else found by itself."
)
@click.option(
    "--through", metavar="URL", default="http://127.0.0.1:8080", show_default=True, help="The proxy to ask."
)
@click.option(
    "--host", "hosts", metavar="HOST", multiple=True,
    help="A host that may be asked for; the first is that of paths.  [default: that of --through]",
)  # fmt: skip
@click.option("--any-host", is_flag=True, help="Ask for URLs of any host, by its name.")
@click.option(
    "--header", "headers", metavar="'N: V'", multiple=True,
    help="A field to send. A name given twice makes two variants; every combination is asked for.",
)  # fmt: skip
@click.option("--rate", default=50.0, show_default=True, help="Requests a second, at most.")
@click.option("--concurrency", default=8, show_default=True, help="Requests at one time, at most.")
@click.option("--limit", default=100_000, show_default=True, help="Different URLs in all, at most.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
def command(
    lists: tuple[str, ...],
    sitemaps: tuple[str, ...],
    logs: tuple[str, ...],
    top: int,
    log_format: str,
    through: str,
    hosts: tuple[str, ...],
    any_host: bool,
    headers: tuple[str, ...],
    rate: float,
    concurrency: int,
    limit: int,
    form: str,
) -> int:
    """Ask for the URLs and paths in lists (one a line; - is standard input), sitemaps and logs.

    A Retry-After is respected. Exit status: 0 where all was answered, 1 where some of it failed or there was
    nothing to ask for, 2 where it can't be carried out at all.
    """
    _check(rate, concurrency, limit, top)
    if not (lists or sitemaps or logs):
        raise ConfigurationError("nothing to ask for: give a list, --sitemap or --log")
    server = parse_server(through)
    kinds = variants(headers)
    account = Account(FORMAT, server.url)
    wanted = _wanted(server, hosts, any_host, sitemaps, limit)
    try:
        asyncio.run(
            _warm(
                Sources(lists, sitemaps, logs, top, log_format),
                server,
                wanted,
                kinds,
                rate,
                concurrency,
                account,
            )
        )
    except KeyboardInterrupt:
        account.interrupted = True
    account.left_out = dict(wanted.left_out)
    print(as_json(account) if form == "json" else as_text(account), end="")
    if account.interrupted:
        return 130
    return 1 if account.failed or not account.asked else 0


def _check(rate: float, concurrency: int, limit: int, top: int) -> None:
    if not 0 < rate <= 100_000:
        raise ConfigurationError("--rate has to be above 0 and at most 100000", evidence=f"{rate:g}")
    for name, value, most in (
        ("concurrency", concurrency, 1000),
        ("limit", limit, 10_000_000),
        ("top", top, 1_000_000),
    ):
        if not 1 <= value <= most:
            raise ConfigurationError(f"--{name} is from 1 to {most}", evidence=str(value))


def _wanted(
    server: Server, hosts: Sequence[str], any_host: bool, sitemaps: Sequence[str], limit: int
) -> Wanted:
    named = [host_of(host) for host in hosts]
    own = host_of(server.authority.decode())
    uris = [uri for where in sitemaps if (uri := typed_uri(where)) is not None]
    allowed = (
        frozenset()
        if any_host
        else frozenset((own, *named, *(host_of(uri.authority.decode()) for uri in uris)))
    )
    return Wanted(named[0] if named else own, allowed, limit)


async def _warm(
    sources: Sources,
    server: Server,
    wanted: Wanted,
    kinds: Sequence[Headers],
    rate: float,
    concurrency: int,
    account: Account,
) -> None:
    began = time.monotonic()
    await _reach(server)
    try:
        async with Asking(server.url, rate, concurrency, account) as asking:
            await _gather(sources, wanted, asking)
            console = Console(stderr=True)
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            with Progress(
                *columns, console=console, disable=not console.is_terminal, transient=True
            ) as progress:
                task = progress.add_task("responses", total=len(wanted.targets) * len(kinds))
                await asking.warm(wanted.targets, kinds, lambda: progress.advance(task))
    finally:
        account.seconds = round(time.monotonic() - began, 3)


async def _reach(server: Server) -> None:
    """Raises ConfigurationError where nobody is there."""
    try:
        async with asyncio.timeout(10):
            _, writer = await asyncio.open_connection(server.host, server.port)
    except OSError as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise ConfigurationError(f"can't reach the proxy at {server.url}", evidence=why) from error
    writer.close()


async def _gather(sources: Sources, wanted: Wanted, asking: Asking) -> None:
    """Fill `wanted`. Raises ConfigurationError for a source that can't be used."""
    for name in sources.lists:
        wanted.add_lines(_lines(name))
    for where in sources.sitemaps:
        try:
            await add_sitemap(where, wanted, asking)
        except Unasked as error:
            raise ConfigurationError("can't have the sitemap", evidence=str(error)) from error
        except PellucidError as error:
            raise ConfigurationError(f"can't use the sitemap {where}", evidence=str(error)) from error
    for log in sources.logs:
        try:
            found = most_asked_for(log, sources.top, sources.log_format)
        except ConfigurationError:
            raise
        except PellucidError as error:
            raise ConfigurationError(f"can't read the log {log}", evidence=str(error)) from error
        wanted.add_lines(found.urls)
        counted = {"hidden in the log": found.hidden, "lines of the log that can't be read": found.unread}
        wanted.left_out.update({why: count for why, count in counted.items() if count})


def _lines(name: str) -> list[str]:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"can't read {name}", evidence=error.strerror or "") from error
    return content.decode("utf-8-sig", "replace").splitlines()
