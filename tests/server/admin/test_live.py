"""Exchanges as they end: who watches sees them, and who watches badly harms nobody."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from proxy.message.fields import Fields
from proxy.message.response import Response
from proxy.server.admin import live
from proxy.server.admin.recent import WAITING, WATCHERS
from proxy.server.admin.site import make_admin
from tests.server.running import Client, Running, Serve, account, events, problem, until


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
async def client(running: Running, aiohttp_client: Serve) -> Client:
    return await aiohttp_client(make_admin(running.sources))


class TestLive:
    async def test_exchanges_arrive_as_they_end(self, client: Client, running: Running) -> None:
        running.end(account("before"))
        async with client.get("/live") as response:
            assert response.content_type == "text/event-stream"
            running.end(account("one"), account("two"))
            found = await events(response, 2)
        assert [(name, json.loads(data)["id"]) for name, data in found] == [
            ("exchange", "one"),
            ("exchange", "two"),
        ]

    async def test_who_is_too_slow_is_told_how_many_it_lost(self, client: Client, running: Running) -> None:
        async with client.get("/live") as response:
            running.end(*(account(f"{number}") for number in range(WAITING + 3)))
            first, second = await events(response, 2)
        assert first == ("lost", "3")
        assert json.loads(second[1])["id"] == "3"

    async def test_silence_is_broken_so_that_a_dead_connection_shows(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live, "SILENCE", 0.01)
        async with client.get("/live") as response:
            while await response.content.readline() != b": nothing new\n":
                pass

    async def test_a_watcher_that_went_leaves_its_place(
        self, client: Client, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live, "SILENCE", 0.01)
        response = await client.get("/live")
        assert len(running.recent._watchers) == 1
        response.close()
        await until(lambda: not running.recent._watchers)

    async def test_a_watcher_that_never_reads_is_given_up(
        self, client: Client, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live, "PATIENCE", 0.05)
        monkeypatch.setattr(live, "PAUSE", 0.0)
        host, port = client.server.host, client.server.port
        _, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.write(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: bool(running.recent._watchers))
        large = Response(200, Fields(((b"X-Large", b"x" * 60_000),)))
        while running.recent._watchers:
            running.end(*(account("large", response=large) for _ in range(20)))
            await asyncio.sleep(0.005)
        writer.close()

    async def test_a_record_that_cannot_be_made_breaks_the_stream_off(
        self, client: Client, running: Running, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with client.get("/live") as response:
            running.end(account("a", error=object()))
            with pytest.raises(aiohttp.ClientError):
                await response.content.read()
        assert "broke off" in caplog.text
        assert not running.recent._watchers

    async def test_only_so_many_may_watch(self, client: Client, running: Running) -> None:
        responses = [await client.get("/live") for _ in range(WATCHERS)]
        assert "watch" in await problem(await client.get("/live"), 503)
        for response in responses:
            response.close()

    async def test_when_the_address_closes_the_stream_ends(self, client: Client, running: Running) -> None:
        async with client.get("/live") as response:
            closing = asyncio.ensure_future(client.server.close())
            rest = await response.content.read()
            assert rest == b"retry: 2000\n\n"
            await closing

    async def test_head_asks_for_no_stream(self, client: Client) -> None:
        response = await client.head("/live")
        assert (response.status, response.content_type) == (200, "text/event-stream")
