"""Datasette serves a SQLite file behind the proxy; a person browses it with curl, once and again."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.real.running import Running, free_port, pellucid, program

PAGES = {
    "/towns": "a database's page, max-age=5",
    "/towns/towns": "a table",
    "/towns/towns.json?_shape=objects": "its rows as JSON",
    "/towns/towns/1": "one row",
}


def towns(folder: Path) -> Path:
    path = folder / "towns.db"
    with sqlite3.connect(path) as database:
        database.execute("create table towns (id integer primary key, name text, inhabitants integer)")
        database.executemany(
            "insert into towns (name, inhabitants) values (?, ?)", [("Aachen", 262_000), ("Zwolle", 133_000)]
        )
    database.close()
    return path


async def curl(url: str, *arguments: str) -> str:
    """What curl prints, the head of the response first."""
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--include", *arguments, url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode()


def slugs(record: dict[str, Any]) -> list[str]:
    return [reason["slug"] for reason in record["decision"]["reasons"]]


@pytest.fixture
async def command(tmp_path: Path) -> list[str]:
    path = towns(tmp_path)
    return [sys.executable, "-m", "datasette", "serve", str(path), "--setting", "default_cache_ttl", "60"]


async def browse(proxy: Running, *arguments: str) -> list[str]:
    return [await curl(proxy.url + page, *arguments) for page in PAGES]


async def test_pages_that_say_how_long_they_are_fresh_hit_the_second_time(
    tmp_path: Path, command: list[str]
) -> None:
    port = free_port()
    async with (
        program(*command, "--port", str(port), port=port, cwd=tmp_path) as origin,
        pellucid(origin.url, tmp_path) as proxy,
    ):
        first = await browse(proxy)
        second = await browse(proxy)
        assert all("Cache-Status: pellucid;fwd=uri-miss" in page for page in first)
        assert all("Cache-Status: pellucid;hit" in page for page in second)
        assert [page.partition("\r\n\r\n")[2] for page in first] == [
            page.partition("\r\n\r\n")[2] for page in second
        ]
        assert "Zwolle" in second[1]
        records = await proxy.records_of(2 * len(PAGES))
        assert [record["decision"]["outcome"] for record in records] == ["forwarded"] * 4 + ["hit"] * 4


async def test_another_cookie_is_another_question(tmp_path: Path, command: list[str]) -> None:
    """Datasette says `Vary: Cookie, Authorization`: nobody gets what was made for somebody else's cookie."""
    port = free_port()
    async with (
        program(*command, "--port", str(port), port=port, cwd=tmp_path) as origin,
        pellucid(origin.url, tmp_path) as proxy,
    ):
        await curl(proxy.url + "/towns")
        other = await curl(proxy.url + "/towns", "--cookie", "ds_actor=somebody")
        assert "Cache-Status: pellucid;fwd=vary-miss" in other


async def test_what_says_nothing_of_its_freshness_is_forwarded_each_time(
    tmp_path: Path, command: list[str]
) -> None:
    port = free_port()
    async with (
        program(*command, "--port", str(port), port=port, cwd=tmp_path) as origin,
        pellucid(origin.url, tmp_path) as proxy,
    ):
        for _ in range(2):
            assert "fwd=uri-miss" in await curl(proxy.url + "/-/versions.json")
        records = await proxy.records_of(2)
        assert all(record["decision"]["stored"] is False for record in records)
        assert all(slugs(record) for record in records)
