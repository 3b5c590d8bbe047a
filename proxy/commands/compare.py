"""`pellucid compare`: benchmarks that anyone can rerun."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from proxy.commands.comparing import output
from proxy.commands.comparing.state.command import state
from proxy.message.errors import ConfigurationError, PellucidError

if TYPE_CHECKING:
    from proxy.commands.comparing.results import Report


@click.group(name="compare", context_settings={"max_content_width": 110})
def command() -> None:
    """Measure Pellucid beside others, or ways of keeping state beside each other, on this machine."""


command.add_command(state)


@command.command(name="proxies", short_help="Pellucid beside other proxies.")
@click.option(
    "--format", "form", type=click.Choice(output.FORMS), help="What to write; text, or what FILE's name says."
)
@click.option(
    "-o", "--output", "place", metavar="FILE", help="Where to write it, rather than to standard output."
)
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
    place: str | None,
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
    on loopback, in a temporary folder, and takes about twenty minutes.
    """
    from proxy.commands.comparing.children import end_all
    from proxy.commands.comparing.comparison import Wanted, compare
    from proxy.commands.comparing.interruption import ending
    from proxy.commands.comparing.reports.progress import progress

    if seconds is not None and not math.isfinite(seconds):
        raise click.BadParameter("not a number of seconds", param_hint="'--seconds'")
    form = output.form_of(form, place)
    output.require_place(place)
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
            with ending(), progress() as (told, begun):
                try:
                    report = compare(wanted, told, begun)
                finally:
                    end_all()
    except ConfigurationError:
        raise
    except PellucidError as error:
        print("pellucid:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    output.write(_rendered(report, form, colors=place is None), place)
    return 0


def _rendered(report: Report, form: str, *, colors: bool) -> str:
    from proxy.commands.comparing.reports import markdown, page, text

    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"
    if form == "text":
        return text.render(report, colors=colors)
    return {"html": page.render, "markdown": markdown.render}[form](report)


def _names(given: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (given or "").split(",") if name.strip())


def _read(path: str) -> Report:
    from proxy.commands.comparing.results import Report

    try:
        return msgspec.json.decode(output.read(path), type=Report)
    except msgspec.DecodeError as error:
        raise ConfigurationError("not the JSON of a comparison", evidence=f"{path} ({error})") from error
