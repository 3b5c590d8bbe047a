"""Gathers what sitemaps list: files of this machine, and such as are fetched through the proxy."""

from __future__ import annotations

from pathlib import Path

from proxy.commands.warming.asking import Asking, Unasked
from proxy.commands.warming.sitemap import LARGEST, BadSitemap, Sitemap, read_sitemap
from proxy.commands.warming.wanted import Wanted
from proxy.message.errors import ConfigurationError

MOST = 1000
"""How many sitemaps one leads to, at most."""


async def add_sitemap(where: str, wanted: Wanted, asking: Asking) -> None:
    """Add what the sitemap at `where` (a file or a URL) lists, and those that it leads to.

    Those are fetched through the proxy, if they are of hosts that may be asked for. Raises BadSitemap,
    Unasked, and ConfigurationError for a file that can't be read.
    """
    left, seen = [where], {where}
    while left:
        one = left.pop(0)
        try:
            content = await _content(one, wanted, asking, first=one is where)
            found = read_sitemap(content) if content is not None else Sitemap()
        except (BadSitemap, Unasked):
            if one is where:
                raise
            wanted.left_out["a sitemap that can't be read"] += 1
            continue
        for page in found.pages:
            wanted.add(page)
        for further in found.sitemaps:
            if further not in seen and len(seen) < MOST:
                seen.add(further)
                left.append(further)


async def _content(where: str, wanted: Wanted, asking: Asking, *, first: bool) -> bytes | None:
    if first and "://" not in where:
        return _of_file(where)
    target = wanted.read(where)
    if target is None:
        if first:
            raise BadSitemap("not a URL of the form http://HOST/PATH")
        wanted.left_out["a sitemap whose URL is none"] += 1
        return None
    if not wanted.allows(target.host):
        wanted.left_out[f"a sitemap of another host: {target.host}"] += 1
        return None
    return await asking.read(target, LARGEST)


def _of_file(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"can't read {name}", evidence=error.strerror or "") from error
