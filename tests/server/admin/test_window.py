"""The report on the last minutes: of what is kept, bounded, and without credentials."""

from __future__ import annotations

import asyncio
import json

import jsonschema
import pytest

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.server.admin import window as module
from proxy.server.admin.recent import head_size
from proxy.server.admin.site import make_admin
from proxy.server.admin.window import SECONDS, Window
from proxy.visibility.inspecting.schema import schema
from tests.server.running import NOW, SECRET, Client, Running, Serve, account, problem


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
async def client(running: Running, aiohttp_client: Serve) -> Client:
    return await aiohttp_client(make_admin(running.sources))


async def test_the_report_is_that_of_the_command(client: Client, running: Running) -> None:
    for number in range(5):
        running.sources.window.add(account(f"x{number}"))
    response = await client.get("/inspect")
    assert (response.status, response.content_type) == (200, "application/json")
    text = await response.text()
    assert SECRET not in text
    found = json.loads(text)
    jsonschema.Draft202012Validator(schema()).validate(found)
    assert found["summary"]["figures"]["exchanges"] == 5
    assert found["summary"]["figures"]["hits"] == 5


async def test_it_can_be_had_as_a_page(client: Client, running: Running) -> None:
    running.sources.window.add(account("x"))
    response = await client.get("/inspect?format=html")
    assert (response.status, response.content_type) == (200, "text/html")
    assert "/orders" in await response.text()


async def test_of_nothing_there_is_a_report_too(client: Client) -> None:
    found = await (await client.get("/inspect")).json()
    assert found["summary"]["figures"]["exchanges"] == 0


async def test_other_formats_are_refused(client: Client) -> None:
    assert "json, html, text" in await problem(await client.get("/inspect?format=pdf"), 400)


async def test_one_report_is_made_at_a_time(client: Client, running: Running) -> None:
    first = asyncio.create_task(client.get("/inspect"))
    while not running.sources.window._making.locked():  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert "another report" in await problem(await client.get("/inspect"), 503)
    assert (await first).status == 200


async def test_a_report_that_takes_too_long_is_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    assert "too long" in await problem(await client.get("/inspect"), 503)


def test_so_many_bytes_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    one = account("x")
    monkeypatch.setattr(module, "MOST_BYTES", 10 * head_size(one))
    window = Window()
    for number in range(100):
        window.add(account(f"x{number % 10}"))
    assert 5 <= len(window.exchanges(NOW)) <= 10
    assert window._bytes == sum(size for _, _, size, _ in window._kept) > 0


def test_so_many_are_kept_and_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 200)
    window = Window()
    for number in range(250):
        window.add(account(f"x{number}", started=NOW + number / 1_000))
    assert [one.id for one in window.exchanges(NOW + 6)][:1] == ["x50"]
    assert len(window.exchanges(NOW + 6)) == 200
    window.add(account("last", started=NOW + 10 + SECONDS))
    assert [one.id for one in window.exchanges(NOW + 10 + SECONDS)] == ["last"]
    assert window.exchanges(NOW + 1e6) == []


def test_large_heads_take_no_room() -> None:
    window = Window()
    window.add(account("x", received=Request(b"GET", b"/", Fields([(b"X", b"y" * 9_000)]))))
    assert window.exchanges(NOW) == []
