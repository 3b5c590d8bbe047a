"""The command line of the sample backend: python -m backend."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Sequence
from typing import Any

import click

from backend.problems import ShopError
from backend.records.listing import write_orders
from backend.records.local import LIMIT, MEMORY
from backend.serving import Address, run
from backend.settings import Settings
from backend.styles import FLASK, STYLES
from backend.tokens.contract import LARGEST
from backend.tokens.keys import SHORTEST
from backend.valkeys import is_address, shown

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


def _store(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """The address of a Valkey as it was given, or the name of a file."""
    if value and is_address(value):
        try:
            shown(value)
        except ValueError as error:
            raise click.BadParameter(f"no Valkey has this address: {error}.", ctx, param) from error
    elif value and "://" in value:
        raise click.BadParameter("an address is valkey://HOST:PORT or unix:///SOCKET.", ctx, param)
    return value or ""


def _secrets(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if any(len(secret) < SHORTEST for secret in value):
        raise click.BadParameter(f"a secret has at least {SHORTEST} characters.", ctx, param)
    return value


def _shared(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if value and not is_address(value):
        raise click.BadParameter("it is valkey://HOST:PORT or unix:///SOCKET.", ctx, param)
    return _store(ctx, param, value)


@click.command(epilog="Customers to log in as: ann / apple, ben / birch, cleo / cedar.")
@click.option(
    "--style",
    type=click.Choice([*STYLES, FLASK]),
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
    "--rate",
    metavar="N",
    type=Amount(0, 1_000_000),
    default=0,
    show_default="as many as there is time for",
    help="Answer N requests per second and no more: the others queue.",
)
@click.option(
    "--tokens",
    type=click.Choice(["signed", "encrypted"]),
    default="signed",
    show_default=True,
    help="How `tokens` seals what the client keeps.",
)
@click.option(
    "--sessions",
    type=click.Choice(["client", "server"]),
    default="client",
    show_default=True,
    help="Where `flask` keeps sessions: signed in the cookie, or on the server.",
)
@click.option(
    "--key",
    "--secret",
    "secrets",
    metavar="SECRET",
    multiple=True,
    envvar="SHOP_SECRET",
    callback=_secrets,
    help="What tokens are signed or encrypted with. Give all replicas the same one: a token from one is good "
    "at no other otherwise. Given again, the first one writes and the others only read. Without it each "
    "process makes its own, and tokens end with it. Also read from SHOP_SECRET, with spaces between several.",
)
@click.option(
    "--keys",
    "key_file",
    metavar="FILE",
    help="A file of such secrets, one a line; it is read again on SIGHUP.",
)
@click.option(
    "--data",
    metavar="WHERE",
    callback=_store,
    show_default="the same as --state; otherwise in memory",
    help="Where orders and the carts of `resources` are, shared by replicas: an SQLite file or "
    "valkey://HOST:PORT.",
)
@click.option(
    "--state",
    metavar="WHERE",
    callback=_shared,
    show_default="in this process",
    help="Where sessions are kept on the server, shared by replicas: valkey://HOST:PORT.",
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
@click.option(
    "--token-limit",
    metavar="BYTES",
    type=click.IntRange(200, LARGEST),
    default=LARGEST,
    show_default=True,
    help="How long a token may become before no more goes into the cart.",
)
@click.option(
    "--record-limit",
    metavar="N",
    type=click.IntRange(1),
    default=LIMIT,
    show_default=True,
    help="How many carts and orders each are kept in memory or in a file; the oldest leave first.",
)
@click.option(
    "--fill",
    metavar="N",
    type=click.IntRange(0, 10_000_000),
    default=0,
    help="Begin with the state of N shoppers, as if they had been here.",
)
@click.option("--list-orders", is_flag=True, help="Don't serve: write every order in --data, one a line.")
def serve(listen: Address, list_orders: bool, **chosen: Any) -> None:
    """One replica of a small shop, in one of several styles of keeping state."""
    settings = _settings(**chosen)
    if list_orders:
        asyncio.run(write_orders(settings.data, sys.stdout))
    else:
        run(settings, listen)


def _settings(
    *, latency: float, session_minutes: float, token_minutes: float, data: str, state: str, **others: Any
) -> Settings:
    if data and state and data != state and others["style"] in ("resources", "tokens"):
        raise click.UsageError(f"{others['style']} keeps no sessions: give --data or --state, not both.")
    return Settings(
        latency=latency / 1000,
        session_lifetime=session_minutes * 60,
        token_lifetime=token_minutes * 60,
        data=data or state or MEMORY,
        state=state,
        **others,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives the exit status: 0, or 2 with one line on stderr for what can't be used."""
    try:
        serve.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        problem = error.format_message()
    except ShopError as error:
        problem = str(error)
    except click.Abort:
        return 130
    else:
        return 0
    print(f"{PROGRAM}: {' '.join(problem.split())}", file=sys.stderr)
    return USAGE_ERROR
