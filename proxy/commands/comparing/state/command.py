"""`pellucid compare state` as a command: what it may be asked, and what it refuses."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from proxy.commands.comparing import output
from proxy.message.errors import ConfigurationError, PellucidError

if TYPE_CHECKING:
    from proxy.commands.comparing.state.comparison import Wanted
    from proxy.commands.comparing.state.results import Report, Settings

_FORMS = ("text", "json", "html")
_QUICK_STYLES = ("sessions-sticky", "sessions-shared", "resources", "tokens-signed")


@click.command(name="state", short_help="Ways of keeping state: what statelessness buys, and what it costs.")
@click.option(
    "--format", "form", type=click.Choice(_FORMS), help="What to write; text, or as FILE's name says."
)
@click.option(
    "-o", "--output", "place", metavar="FILE", help="Where to write it; standard output by default."
)
@click.option("--styles", metavar="A,B", help="These styles or variants only, as sessions,tokens-signed.")
@click.option("--only", metavar="X,Y", help="Of visibility, reliability, scalability, downside: these only.")
@click.option("--repeats", metavar="N", type=click.IntRange(1, 100), help="Rounds.  [default: 3]")
@click.option(
    "--seconds", metavar="S", type=click.FloatRange(2, 600), help="Of each run, after the blow.  [default: 3]"
)
@click.option("--seed", metavar="N", type=click.IntRange(0, 10**9), default=1, show_default=True)
@click.option("--quick", is_flag=True, help="One round of the main things, in about a minute and a half.")
@click.option("--from", "earlier", metavar="FILE", help="Show an earlier run's JSON again; measure nothing.")
def state(
    form: str | None,
    place: str | None,
    styles: str | None,
    only: str | None,
    repeats: int | None,
    seconds: float | None,
    seed: int,
    quick: bool,
    earlier: str | None,
) -> int:
    """The same shop keeps its shoppers' state in several ways; the same shoppers shop in each.

    Measured are visibility (what a cache can do), reliability (replicas are killed, restarted, held and cut
    off), scalability (replicas are added, shoppers grow to 100,000) and what carrying the state costs.
    Everything runs on loopback, in a temporary folder, with its own replicas, and takes about 15 minutes.
    Interrupted, it reports what it has. What isn't installed is left out; pip install 'pellucid[demo]'.
    """
    if seconds is not None and not math.isfinite(seconds):
        raise click.BadParameter("not a number of seconds", param_hint="'--seconds'")
    form = output.form_of(form, place)
    if form not in _FORMS:
        raise ConfigurationError("this report has no such form: text, json or html", evidence=form)
    output.require_place(place)
    from proxy.commands.comparing.state.comparison import Wanted

    try:
        if earlier is not None:
            report, status = _read(earlier), 0
        else:
            names = output.names(styles) or (_QUICK_STYLES if quick else ())
            settings = _settings(quick, repeats, seconds, seed)
            wanted = Wanted(names, output.names(only), settings, ("pellucid", *sys.argv[1:]))
            report, status = _measure(wanted)
    except ConfigurationError:
        raise
    except PellucidError as error:
        print("pellucid:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    output.write(_rendered(report, form, colors=place is None), place)
    return status or int(any(run.faults for run in report.runs))


def _settings(quick: bool, repeats: int | None, seconds: float | None, seed: int) -> Settings:
    from proxy.commands.comparing.state.results import Settings

    if not quick:
        return Settings(repeats=repeats or 3, seconds=seconds or 3.0, quick=False, seed=seed)
    return Settings(
        repeats=repeats or 1,
        seconds=seconds or 2.5,
        quick=True,
        seed=seed,
        visits=2,
        most=5_000,
        lines=(0, 1, 5, 20, 50),
        drills=60,
        scenarios=("kill",),
        steps=(0.0, 1.0),
    )


def _measure(wanted: Wanted) -> tuple[Report, int]:
    """The report, of what there is where it was interrupted; and the exit status. Raises PellucidError."""
    from proxy.commands.comparing.children import end_all
    from proxy.commands.comparing.interruption import ending
    from proxy.commands.comparing.reports.progress import progress
    from proxy.commands.comparing.state.comparison import prepare

    measurement = prepare(wanted)
    status = 0
    with ending(), progress() as (told, begun):
        try:
            measurement.run(told, begun)
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
        finally:
            end_all()
    return measurement.report(interrupted=bool(status)), status


def _rendered(report: Report, form: str, *, colors: bool) -> str:
    from proxy.commands.comparing.state.reports import page, text

    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report), indent=1).decode() + "\n"
    return text.render(report, colors=colors) if form == "text" else page.render(report)


def _read(path: str) -> Report:
    from proxy.commands.comparing.state.results import Report

    try:
        return msgspec.json.decode(output.read(path), type=Report)
    except msgspec.DecodeError as error:
        raise ConfigurationError("not the JSON of this measurement", evidence=f"{path} ({error})") from error
