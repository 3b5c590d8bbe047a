"""`pellucid explain`: what an intermediary can see of one response, and what caches make of it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from io import TextIOWrapper

import click
import msgspec

from proxy.commands.explaining.explanation import explain
from proxy.commands.explaining.fetching import fetch
from proxy.commands.explaining.rendering import render
from proxy.commands.explaining.wanted import METHODS, make_request, parse_header, parse_url, perhaps_secret
from proxy.config import load
from proxy.upstream.contract import UpstreamError
from proxy.visibility.record import escape
from proxy.visibility.redaction import Redaction


@click.command(name="explain", context_settings={"max_content_width": 110})
@click.argument("url", metavar="URL")
@click.option(
    "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="A field to send; may be given often."
)
@click.option("--method", metavar="METHOD", default="GET", help=f"One of {', '.join(METHODS)}.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.option("--config", metavar="FILE", help="Settings in TOML, as for serve.")
@click.option(
    "--set", "settings", metavar="S.N=V", multiple=True, help="One setting, as cache.stale_limit=1h."
)
@click.option("--reveal", is_flag=True, help="Also show what can be read out of credentials.")
def command(
    url: str,
    headers: tuple[str, ...],
    method: str,
    form: str,
    config: str | None,
    settings: tuple[str, ...],
    reveal: bool,
) -> int:
    """Fetch one URL and say whether a shared cache stores the response, why, and what would follow.

    Redirects are not followed. Credentials are sent, but not shown.
    """
    chosen = load(config, list(settings))
    given = [parse_header(header) for header in headers]
    server, target = parse_url(url)
    request = make_request(server, target, method, given)
    log = chosen.log
    redaction = Redaction(log.key, (*log.redact, *perhaps_secret(given)), log.redact_parameters)
    try:
        had = asyncio.run(fetch(server, request, chosen))
    except UpstreamError as error:
        print("pellucid:", " ".join(redaction.text(str(error)).split()), file=sys.stderr)
        return 1
    explanation = explain(had, chosen.cache, redaction, reveal=reveal)
    if isinstance(sys.stdout, TextIOWrapper):
        with suppress(ValueError):
            sys.stdout.reconfigure(errors="replace")  # what a terminal can't show must not end the command
    if form == "json":
        line = escape(msgspec.json.format(msgspec.json.encode(explanation), indent=2))
        print(line.decode("utf-8"))
    else:
        render(explanation)
    return 0
