"""`pellucid audit`: replays recorded safe requests to find the state that answers depend on."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from proxy.commands.auditing.rendering import plan_text, render
from proxy.commands.auditing.sending import Sender
from proxy.config import load
from proxy.message.errors import ConfigurationError, PellucidError
from proxy.server.configuration import Settings
from proxy.units import parse_duration
from proxy.upstream.address import Server, parse_server
from proxy.visibility.auditing import planning
from proxy.visibility.auditing.choosing import EXCLUDED, Choosing, Chosen
from proxy.visibility.auditing.judging import verdicts
from proxy.visibility.auditing.shape import FORMAT, Audit
from proxy.visibility.reading import Reading, open_source
from proxy.visibility.record import escape
from proxy.visibility.redaction import Redaction


@click.command(name="audit", context_settings={"max_content_width": 110})
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--upstream", "upstreams", metavar="URL", multiple=True, required=True,
    help="A replica to send to, such as http://127.0.0.1:8090; may be given often. Nothing else is asked.",
)  # fmt: skip
@click.option("--log-format", default="", metavar="FORMAT", help="How FILE is written; else found by itself.")
@click.option("--rate", default=20.0, show_default=True, help="Requests a second, at most.")
@click.option("--each", default=5, show_default=True, help="Requests of each kind for an endpoint, at most.")
@click.option("--limit", default=300, show_default=True, help="Different requests in all, at most.")
@click.option("--pause", default="2s", show_default=True, help="How long to wait before asking once more.")
@click.option(
    "--exclude", default=EXCLUDED, metavar="REGEX",
    help="Targets that are left alone; '' for none.  [default: what is called logout or delete]",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List what would be sent, and send nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.option("-o", "--output", metavar="FILE", help="Where to write it instead.")
@click.option("--config", metavar="FILE", help="Settings in TOML, as for serve.")
@click.option("--set", "settings", metavar="S.N=V", multiple=True, help="One setting, as for serve.")
def command(
    files: tuple[str, ...],
    upstreams: tuple[str, ...],
    log_format: str,
    rate: float,
    each: int,
    limit: int,
    pause: str,
    exclude: str,
    dry_run: bool,
    form: str,
    output: str | None,
    config: str | None,
    settings: tuple[str, ...],
) -> int:
    """Replay the safe requests of a log and say, endpoint by endpoint, what state the answers depend on.

    The same bytes are sent twice, in another order, to another replica, without each credential in turn, and
    after a pause. Credentials come from a HAR; records and access logs hide them: these requests are sent
    without. No credential is ever printed.
    """
    options = load(config, list(settings))
    servers = [parse_server(url) for url in upstreams]
    _check(rate, each, limit, exclude)
    waiting = parse_duration(pause)
    redaction = Redaction.of(options.log)
    choosing = Choosing(redaction, each=each, most=limit, excluded=exclude)
    chosen = _read(files, log_format, choosing)
    if chosen is None:
        return 1
    if dry_run:
        print(plan_text(chosen, [str(server) for server in servers], pause=waiting > 0), end="")
        return 0
    try:
        audit = asyncio.run(_audit(chosen, servers, options, rate, waiting))
    except KeyboardInterrupt:
        print("pellucid: stopped before the end; nothing is told of what was not finished", file=sys.stderr)
        return 130
    _write(audit, form, output)
    return 0


def _check(rate: float, each: int, limit: int, exclude: str) -> None:
    if not 0 < rate <= 10_000:
        raise ConfigurationError("--rate has to be above 0 and at most 10000", evidence=f"{rate:g}")
    for name, value in (("each", each), ("limit", limit)):
        if value < 1:
            raise ConfigurationError(f"--{name} has to be 1 or more", evidence=str(value))
    try:
        re.compile(exclude)
    except re.error as error:
        raise ConfigurationError(
            f"--exclude is not a regular expression ({error})", evidence=exclude
        ) from None


def _read(files: tuple[str, ...], log_format: str, choosing: Choosing) -> Chosen | None:
    """What there is to replay; None, and a line that says why, where there is nothing."""
    reading = Reading(format=log_format, reveal=True)
    try:
        for file in files:
            with open_source(file, reading) as source:
                for batch in source.batches():
                    choosing.add(batch.observations)
    except ConfigurationError:
        raise
    except PellucidError as error:
        print(f"pellucid: {error}", file=sys.stderr)
        return None
    chosen = choosing.chosen()
    if not chosen.asked:
        why = "; ".join(f"{one.count} × {one.why}" for one in chosen.left_out)
        print(f"pellucid: there is no request to replay{f' ({why})' if why else ''}", file=sys.stderr)
        return None
    return chosen


async def _audit(
    chosen: Chosen, servers: list[Server], options: Settings, rate: float, pause: float
) -> Audit:
    began = time.monotonic()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("requests", total=planning.most(chosen.asked, len(servers)))
        sender = Sender(servers, options.upstream, rate, lambda sent: progress.update(task, completed=sent))
        cases = await sender.run(chosen.asked, pause)
    return Audit(
        FORMAT,
        tuple(str(server) for server in servers),
        sender.sent,
        round(time.monotonic() - began, 3),
        verdicts(cases),
        chosen.left_out,
        chosen.hidden,
    )


def _write(audit: Audit, form: str, output: str | None) -> None:
    if form == "json":
        text = escape(msgspec.json.format(msgspec.json.encode(audit), indent=2)).decode() + "\n"
    else:
        text = render(audit)
    if output is None:
        print(text, end="")
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"can't write {output}", evidence=error.strerror or "") from error
