"""A site of files behind the proxy: warmed before it opens, and purged when a file has changed."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import aiohttp

from tests.real.running import Running, free_port, pellucid, program

YEAR = 365 * 86400


def publish(folder: Path, name: str, text: str) -> None:
    """A page that has not changed for long, so that it counts as fresh for a while (RFC 9111 §4.2.2)."""
    path = folder / name
    path.write_text(text)
    long_ago = time.time() - YEAR
    os.utime(path, (long_ago, long_ago))


async def command(*arguments: str) -> tuple[int, str]:
    """Status and output of a command as a user types it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "proxy", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def get(proxy: Running, name: str) -> tuple[str, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{proxy.url}/{name}") as response:
        return await response.text(), response.headers["Cache-Status"]


async def purge(proxy: Running, name: str) -> object:
    """By the method PURGE."""
    url = f"{proxy.url}/{name}"
    async with aiohttp.ClientSession() as session, session.request("PURGE", url) as response:
        return (await response.json())["entries"]


async def test_a_site_is_warmed_and_purged(tmp_path: Path) -> None:
    site, port, admin = tmp_path / "site", free_port(), f"127.0.0.1:{free_port()}"
    site.mkdir()
    for name in ("a.html", "b.html"):
        publish(site, name, f"{name}, first")
    serving = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    options = ("--admin", admin, "--set", "server.purge_from=127.0.0.1")
    async with (
        program(*serving, port=port, cwd=site),
        pellucid(f"http://127.0.0.1:{port}", tmp_path, *options) as proxy,
    ):
        locations = "".join(f"<url><loc>{proxy.url}/{name}</loc></url>" for name in ("a.html", "b.html"))
        publish(site, "sitemap.xml", f"<urlset>{locations}</urlset>")
        status, out = await command("warm", "--through", proxy.url, "--sitemap", f"{proxy.url}/sitemap.xml")
        assert (status, "stored                  2" in out) == (0, True), out
        assert ";hit;" in (await get(proxy, "a.html"))[1]

        publish(site, "a.html", "a.html, second")
        assert (await get(proxy, "a.html"))[0] == "a.html, first"
        status, out = await command("purge", f"{proxy.url}/a.html", "--admin", admin)
        assert (status, out) == (0, f"{admin}  removed: 1 in memory\n")
        assert (await get(proxy, "a.html"))[0] == "a.html, second"

        assert await purge(proxy, "b.html") == {"memory": 1}
        assert "uri-miss" in (await get(proxy, "b.html"))[1]
        assert (await command("purge", f"{proxy.url}/none", "--admin", admin))[0] == 1

        records = await proxy.records_of(10)
        reasons = [record["decision"]["reasons"][0]["slug"] for record in records]
        assert reasons.count("purged") == 2
        assert reasons.count("nothing-purged") == 1
