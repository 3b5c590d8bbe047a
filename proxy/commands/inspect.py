"""`pellucid inspect`: what logs show of an API, and what hides the rest."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

import click
import msgspec

from proxy.commands.inspecting import text
from proxy.commands.inspecting.choosing import Choice, parse_moment
from proxy.commands.inspecting.progress import bar
from proxy.commands.inspecting.running import Job, Run, processors
from proxy.config import load
from proxy.message.errors import ConfigurationError, PellucidError
from proxy.visibility.inspecting.report import Report
from proxy.visibility.inspecting.reporting import Wishes, report
from proxy.visibility.reading import Reading
from proxy.visibility.record import escape

FORMATS = ("text", "json", "html")
_BY_SUFFIX = {".json": "json", ".html": "html", ".htm": "html"}


@click.command(name="inspect", context_settings={"max_content_width": 110})
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write; by the name of -o.")
@click.option("-o", "--output", metavar="FILE", help="Where to write it; standard output by default.")
@click.option("--log-format", metavar="F", default="", help="The logs' format; found by itself otherwise.")
@click.option("--endpoint", "endpoints", metavar="PATH", multiple=True, help="Only paths like /users/{id}.")
@click.option("--status", "statuses", metavar="S", multiple=True, help="Only 404, 5xx or 400-499.")
@click.option("--since", metavar="T", help="Only from a time on, or for so long: 2h.")
@click.option("--until", metavar="T", help="Only before a time.")
@click.option("--reason", "reasons", metavar="SLUG", multiple=True, help="Only with this reason.")
@click.option("--where", "where", metavar="EXPR", multiple=True, help="Only where this is true of a record.")
@click.option("--reveal", is_flag=True, help="Show the values of credentials.")
@click.option("--workers", metavar="N", type=click.IntRange(1, 64), help="Processes; as many as processors.")
@click.option("--no-predictions", is_flag=True, help="Leave out what changes would bring: it is faster.")
@click.option("--config", metavar="FILE", help="Settings in TOML, as for serve.")
@click.option(
    "--set", "settings", metavar="S.N=V", multiple=True, help="One setting, as cache.stale_limit=1h."
)
def command(
    files: tuple[str, ...],
    form: str | None,
    output: str | None,
    log_format: str,
    endpoints: tuple[str, ...],
    statuses: tuple[str, ...],
    since: str | None,
    until: str | None,
    reasons: tuple[str, ...],
    where: tuple[str, ...],
    reveal: bool,
    workers: int | None,
    no_predictions: bool,
    config: str | None,
    settings: tuple[str, ...],
) -> int:
    """Report on logs: records of Pellucid, HAR files, access logs; - is standard input.

    What a log does not hold can't be reported; the report says which field would help.
    """
    chosen = load(config, list(settings))
    now = time.time()
    choice = Choice(
        endpoints,
        statuses,
        None if since is None else parse_moment(since, now),
        None if until is None else parse_moment(until, now),
        reasons,
        where,
    )
    choice.condition()
    _keep_logs(files, output)
    log = chosen.log
    reading = Reading(
        format=log_format, redact=log.redact, redact_parameters=log.redact_parameters, reveal=reveal
    )
    if log.key:
        reading = replace(reading, key=log.key)
    job = Job(reading, choice, chosen.cache, workers or processors())
    wishes = Wishes(choice.shown(), reveal, not no_predictions)
    try:
        found = _inspect(files, job, wishes)
    except ConfigurationError:
        raise
    except PellucidError as error:
        print(f"pellucid: {error}", file=sys.stderr)
        return 1
    _write(found, form or _BY_SUFFIX.get(Path(output or "").suffix.lower(), "text"), output)
    return 0


def _keep_logs(files: Sequence[str], output: str | None) -> None:
    """Raises ConfigurationError where the report would be written over a log."""
    for file in files if output is not None else ():
        with suppress(OSError, ValueError):
            if os.path.samefile(file, output or ""):
                raise ConfigurationError("the report would be written over the log", evidence=file)


def _inspect(files: Sequence[str], job: Job, wishes: Wishes) -> Report:
    with bar(files) as progress, Run(job, progress.advance) as run:
        total, sources = run.count(files)
        progress.reckon()
        return report(total, sources, wishes, run.predict)


def _write(found: Report, form: str, output: str | None) -> None:
    if output is None:
        try:
            _print(found, form)
        except BrokenPipeError:  # whoever reads has seen enough
            _silence()
        except OSError as error:
            _silence()
            raise ConfigurationError(f"can't write standard output ({error.strerror})") from error
        return
    written = _rendered(found, form)
    try:
        Path(output).write_text(written + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"can't write {output} ({error.strerror})") from error


def _silence() -> None:
    """What is still to be written goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(found: Report, form: str) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        with suppress(ValueError):
            sys.stdout.reconfigure(errors="replace")  # what a terminal can't show must not end the command
    if form == "text":
        text.show(found, sys.stdout)
    else:
        print(_rendered(found, form))
    sys.stdout.flush()


def _rendered(found: Report, form: str) -> str:
    if form == "json":
        return escape(msgspec.json.format(msgspec.json.encode(found), indent=2)).decode("utf-8")
    if form == "html":
        from proxy.commands.inspecting.html import html  # needs more than the other forms do

        return html(found)
    return text.render(found)
