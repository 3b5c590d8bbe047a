"""The command line of the sample backend: python -m backend."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import click

from backend.serving import Address, CannotServe, run
from backend.settings import Settings
from backend.styles import STYLES

PROGRAM = "python -m backend"
USAGE_ERROR = 2


class AddressType(click.ParamType[Address]):
    """HOST:PORT, an IPv6 host in brackets."""

    name = "host:port"

    def convert(
        self, value: str | Address, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        if isinstance(value, Address):
            return value
        host, colon, port = value.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not (colon and bare and port.isascii() and port.isdigit() and int(port) <= 65_535) or (
            ":" in bare and bare == host
        ):
            self.fail(f"{value!r} isn't HOST:PORT, such as 127.0.0.1:8090.", param, ctx)
        return Address(bare, int(port))


class Amount(click.FloatRange):
    """A number in a range; no "nan", which is neither in nor out of any."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} isn't a number.", param, ctx)
        return number


def _secret(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if value is not None and len(value) < 8:
        raise click.BadParameter("a secret has at least 8 characters.", ctx, param)
    return value or ""


@click.command(epilog="Customers to log in as: ann / apple, ben / birch, cleo / cedar.")
@click.option(
    "--style",
    type=click.Choice(list(STYLES)),
    default="resources",
    show_default=True,
    help="Where the shopper's state is kept.",
)
@click.option(
    "--listen",
    type=AddressType(),
    default="127.0.0.1:8090",
    show_default=True,
    help="Where to accept connections; port 0 for any free one.",
)
@click.option(
    "--latency",
    metavar="MS",
    type=Amount(0, 60_000),
    default=0,
    show_default=True,
    help="Milliseconds to wait before each answer.",
)
@click.option(
    "--seed",
    metavar="N",
    type=int,
    default=1,
    show_default=True,
    help="What the catalogue is made from; the same seed makes the same one.",
)
@click.option(
    "--products",
    metavar="N",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="How many products there are.",
)
@click.option(
    "--secret",
    envvar="SHOP_SECRET",
    callback=_secret,
    help="What tokens are signed with. Give all replicas the same one: a token from one is good at no other "
    "otherwise. Without it each process makes its own, and tokens end with it. Also read from SHOP_SECRET.",
)
@click.option(
    "--data",
    metavar="FILE",
    default=":memory:",
    help="SQLite file for orders and for the carts of `resources`, shared by replicas; in memory without it.",
)
@click.option(
    "--session-limit",
    metavar="N",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="How many sessions are remembered; the longest unused is forgotten first.",
)
@click.option(
    "--session-minutes",
    metavar="N",
    type=Amount(0, min_open=True),
    default=30,
    show_default=True,
    help="How long a session is remembered after its last use.",
)
@click.option(
    "--token-minutes",
    metavar="N",
    type=Amount(0, min_open=True, max=525_600),
    default=120,
    show_default=True,
    help="How long a token is good after it was handed out.",
)
def serve(
    style: str,
    listen: Address,
    latency: float,
    seed: int,
    products: int,
    secret: str,
    data: str,
    session_limit: int,
    session_minutes: float,
    token_minutes: float,
) -> None:
    """One replica of a small shop, in one of three styles of keeping state."""
    settings = Settings(
        style=style,
        seed=seed,
        products=products,
        latency=latency / 1000,
        secret=secret,
        data=data,
        session_limit=session_limit,
        session_lifetime=session_minutes * 60,
        token_lifetime=token_minutes * 60,
    )
    run(settings, listen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives the exit status: 0, or 2 with one line on stderr for what can't be used."""
    try:
        serve.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        problem = error.format_message()
    except CannotServe as error:
        problem = str(error)
    except click.Abort:
        return 130
    else:
        return 0
    print(f"{PROGRAM}: {' '.join(problem.split())}", file=sys.stderr)
    return USAGE_ERROR
