"""The command `pellucid`: finds the command that was asked for, and says in one line what was wrong."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from typing import NoReturn, TextIO

import click

from proxy import __version__
from proxy.message.errors import ConfigurationError, PellucidError

COMMANDS = {
    "serve": "Run the proxy in front of an HTTP API.",
    "explain": "Say what caches make of one URL's response, and why.",
    "inspect": "Report on logs: what they show of an API, and what hides the rest.",
    "purge": "Remove what is stored, or have it count as stale.",
    "warm": "Ask for many URLs through the proxy, so that it has them.",
    "audit": "Replay recorded requests to find the state that answers depend on.",
    "demo": "Show in the terminal what becomes of carts when a server is killed.",
    "compare": "Measure Pellucid beside other proxies, and ways of keeping state beside each other.",
}
"""Each command and what it does, so that `--help` need not import them all."""


class Commands(click.Group):
    """Imports a command's module only when that command is asked for: `serve` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"proxy.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pellucid")
def pellucid() -> None:
    """A caching reverse proxy that says, for every message, what it understood and why it acted."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its status.

    Where it can't be carried out, one clear line says why: 2 where what was asked for is wrong, 1 otherwise.
    """
    try:
        status = pellucid.main(arguments, prog_name="pellucid", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        _leave(2)
    except click.ClickException as error:
        _refuse(error.format_message())
    except ConfigurationError as error:
        _refuse(str(error))
    except PellucidError as error:
        _refuse(str(error), 1)
    except OSError as error:  # most often of standard output, as on a full disk
        _refuse(str(error), 1)
    except click.Abort:
        _leave(130)
    _leave(status if isinstance(status, int) else 0)


def _refuse(message: str, status: int = 2) -> NoReturn:
    with suppress(OSError):
        print("pellucid:", " ".join(message.split()), file=sys.stderr)
    _leave(status)


def _leave(status: int) -> NoReturn:
    """End with that status, once all that was said is out: what nobody reads any more is no failure."""
    try:
        _flush(sys.stdout)
    except OSError as error:
        if not status:  # else something was said already
            status = 1
            with suppress(OSError):
                print(f"pellucid: can't write standard output ({error.strerror})", file=sys.stderr)
    with suppress(OSError):
        _flush(sys.stderr)
    sys.exit(status)


def _flush(stream: TextIO | None) -> None:
    """Have all written that was said there, or see to it that nobody tries once more.

    Raises OSError where that fails for another reason than that its reader has gone.
    """
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise
