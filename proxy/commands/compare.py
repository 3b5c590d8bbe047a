"""`pellucid compare`: benchmarks that anyone can rerun."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click
import msgspec

from proxy.message.errors import ConfigurationError, PellucidError

if TYPE_CHECKING:
    from proxy.commands.comparing.results import Report

FORMS = ("text", "json", "html", "markdown")
_SUFFIXES = {".json": "json", ".html": "html", ".htm": "html", ".md": "markdown"}


@click.group(name="compare", context_settings={"max_content_width": 110})
def command() -> None:
    """Measure Pellucid beside others, in one run on this machine."""


@command.command(name="proxies")
@click.option(
    "--format", "form", type=click.Choice(FORMS), help="What to write; text, or what FILE's name says."
)
@click.option("-o", "--output", metavar="FILE", help="Where to write it, rather than to standard output.")
@click.option("--only", metavar="A,B", help="These contenders only.")
@click.option("--workloads", metavar="X,Y", help="These workloads only.")
@click.option("--repeats", metavar="N", type=click.IntRange(1, 100), help="Rounds.  [default: 5]")
@click.option("--seconds", metavar="S", type=click.FloatRange(0.05, 600), help="Of each round.  [default: 2]")
@click.option("--connections", metavar="N", type=click.IntRange(1, 4000), default=64, show_default=True)
@click.option("--quick", is_flag=True, help="One round of one second: to see that everything works.")
@click.option("--load", type=click.Choice(["wrk", "own"]), help="Who asks; wrk where it is installed.")
@click.option("--from", "earlier", metavar="FILE", help="Show an earlier run's JSON again; measure nothing.")
def proxies(
    form: str | None,
    output: str | None,
    only: str | None,
    workloads: str | None,
    repeats: int | None,
    seconds: float | None,
    connections: int,
    quick: bool,
    load: str | None,
    earlier: str | None,
) -> int:
    """Pellucid beside nginx, Varnish, HAProxy, Squid, Caddy, mitmproxy and aiohttp alone.

    Each is one process on one core, in front of the same origin, under the same load, with its access log on.
    Who isn't installed is left out; `pip install 'pellucid[compare]'` brings nginx and Caddy. Everything runs
    on loopback, in a temporary folder, and takes about a quarter of an hour.
    """
    from proxy.commands.comparing.comparison import Wanted, compare
    from proxy.commands.comparing.reports.progress import progress

    if seconds is not None and not math.isfinite(seconds):
        raise click.BadParameter("not a number of seconds", param_hint="'--seconds'")
    form = form or _SUFFIXES.get(Path(output or "").suffix.lower(), "text")
    _require_place(output)
    try:
        if earlier is not None:
            report = _read(earlier)
        else:
            wanted = Wanted(
                only=_names(only),
                workloads=_names(workloads),
                repeats=repeats or (1 if quick else 5),
                seconds=seconds or (1.0 if quick else 2.0),
                connections=connections,
                load=load or "",
                command=("pellucid", *sys.argv[1:]),
            )
            with _ending(), progress() as (told, begun):
                report = compare(wanted, told, begun)
    except ConfigurationError:
        raise
    except PellucidError as error:
        print("pellucid:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    _write(_rendered(report, form), output)
    return 0


def _rendered(report: Report, form: str) -> str:
    from proxy.commands.comparing.reports import markdown, page, text

    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"
    render = {"text": text.render, "html": page.render, "markdown": markdown.render}[form]
    return render(report)


def _names(given: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (given or "").split(",") if name.strip())


def _require_place(output: str | None) -> None:
    """Raises ConfigurationError at once where the report could not be written in the end."""
    if output is None:
        return
    path = Path(output)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigurationError("the report can't be written there", evidence=output)


def _read(path: str) -> Report:
    from proxy.commands.comparing.results import Report

    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Report)
    except OSError as error:
        raise ConfigurationError("can't be read", evidence=f"{path} ({error.strerror})") from error
    except msgspec.DecodeError as error:
        raise ConfigurationError("not the JSON of a comparison", evidence=f"{path} ({error})") from error


def _write(text: str, output: str | None) -> None:
    """Write the report; to standard output where the file can't be written after all."""
    if output is not None:
        try:
            Path(output).write_text(text, encoding="utf-8")
            return
        except OSError as error:
            print(f"pellucid: {output} can't be written ({error.strerror})", file=sys.stderr)
    sys.stdout.write(text)


@contextmanager
def _ending() -> Iterator[None]:
    """On SIGINT and SIGTERM leave by way of everything that has to be cleaned up; once, and in peace."""

    def leave(number: int, frame: FrameType | None) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {one: signal.signal(one, leave) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
