"""`pellucid purge`: removes what is stored, or has it count as stale, in one proxy or several."""

from __future__ import annotations

import asyncio
import sys

import click

from proxy.commands.purging.rendering import as_json, as_text
from proxy.commands.purging.sending import send, unique
from proxy.engine.purging import Wish, checked
from proxy.message.errors import ConfigurationError, PellucidError
from proxy.units import parse_address


@click.command(name="purge", context_settings={"max_content_width": 110})
@click.argument("urls", metavar="[URL]...", nargs=-1)
@click.option("--prefix", "prefixes", metavar="URL", multiple=True, help="All URLs that begin with this one.")
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True,
    help="All that has this tag in Surrogate-Key, Cache-Tag or Cache-Groups (see the setting cache.tags).",
)  # fmt: skip
@click.option(
    "--group", "groups", metavar="GROUP", multiple=True,
    help="All of this cache group (RFC 9875) of the origin that --origin names.",
)  # fmt: skip
@click.option(
    "--match",
    metavar="REGEX",
    multiple=True,
    help="All URLs in which this regular expression is found.",
)
@click.option("--all", "everything", is_flag=True, help="All that is stored.")
@click.option("--origin", metavar="URL", default="", help="The origin of groups, as clients name it.")
@click.option("--soft", is_flag=True, help="It stays, but counts as stale: it is validated before use.")
@click.option("--dry-run", is_flag=True, help="Only count it.")
@click.option(
    "--admin", "admins", metavar="H:P", multiple=True, default=("127.0.0.1:8081",), show_default=True,
    help="The admin address of a proxy; may be given often.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
def command(
    urls: tuple[str, ...],
    prefixes: tuple[str, ...],
    tags: tuple[str, ...],
    groups: tuple[str, ...],
    match: tuple[str, ...],
    everything: bool,
    origin: str,
    soft: bool,
    dry_run: bool,
    admins: tuple[str, ...],
    form: str,
) -> int:
    """Remove what is stored for URLs, all their variants with them; - reads them from standard input.

    From the answer on none of it is used any more, and what was on its way meanwhile is not stored. Exit
    status: 0 where something was found, 1 where nothing of it was stored, 2 where a proxy could not be asked,
    or did not do it.
    """
    wish = Wish(
        urls=list(_read(urls)),
        prefixes=list(prefixes),
        tags=list(tags),
        groups=list(groups),
        match=list(match),
        all=everything,
        origin=origin,
        soft=soft,
        dry=dry_run,
    )
    _check(wish)
    done = asyncio.run(send(wish, unique([parse_address(admin) for admin in admins])))
    print(as_json(done, soft=soft, dry=dry_run) if form == "json" else as_text(done), end="")
    for one in done:
        if one.error:
            print(f"pellucid: {one.admin}: {' '.join(one.error.split())}", file=sys.stderr)
    if any(one.error for one in done):
        return 2
    return 0 if any(one.answer is not None and any(one.answer.entries.values()) for one in done) else 1


def _read(urls: tuple[str, ...]) -> list[str]:
    """The URLs, those on standard input in the place of `-`: one a line."""
    found: list[str] = []
    for url in urls:
        if url == "-":
            lines = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").splitlines()
            found += [line.strip() for line in lines if line.strip()]
        else:
            found.append(url)
    return found


def _check(wish: Wish) -> None:
    """Raises ConfigurationError where it can't be understood, before anybody is asked."""
    for text in (*wish.urls, *wish.prefixes, *wish.tags, *wish.groups, *wish.match, wish.origin):
        if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
            raise ConfigurationError("not UTF-8", evidence=ascii(text[:80]))
    if not wish.count:
        raise ConfigurationError("nothing is named: give a URL, --prefix, --tag, --group, --match or --all")
    try:
        checked(wish, bounded=False)
    except PellucidError as error:
        raise ConfigurationError(str(error)) from error
