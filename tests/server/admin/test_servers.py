"""Servers that are added and drained at the admin address: what is understood, however it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from proxy.message.errors import ConfigurationError
from proxy.server.admin.site import make_admin
from proxy.upstream.address import Server
from tests.server.running import Client, Running, Serve, problem


class Known:
    """Servers that are only remembered; there can be no more than two."""

    def __init__(self) -> None:
        self.added: list[tuple[str, float]] = []

    async def figures(self) -> list[dict[str, Any]]:
        return [{"server": name} for name, _ in self.added]

    async def add(self, server: Server, weight: float) -> None:
        if len(self.added) == 2:
            raise ConfigurationError("there are enough")
        self.added.append((server.url, weight))

    async def drain(self, name: str) -> None:
        raise ConfigurationError("it is the last server", evidence=name)


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
async def client(known: Known, aiohttp_client: Serve) -> Client:
    return await aiohttp_client(make_admin(replace(Running().sources, servers=known)))


JSON = {"Content-Type": "application/json"}


async def test_what_comes_in_pieces_is_read_to_its_end(client: Client, known: Known) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"url": "http://127.0', b'.0.1:8091", ', b'"weight": 2}'):
            yield piece
            await (await client.get("/upstreams")).read()  # so that each is there before the next is sent

    response = await client.post("/upstreams", data=pieces(), headers=JSON)
    assert (response.status, await response.json()) == (201, {"server": "127.0.0.1:8091"})
    assert known.added == [("http://127.0.0.1:8091", 2.0)]


@pytest.mark.parametrize(
    ("content", "status", "about"),
    [
        (b'{"url": "http://a.example", "wait": 1}', 400, "wait"),
        (b'{"url": "ftp://a.example"}', 400, "http://"),
        (b'{"url": "http://\xff"}', 400, "not a server"),
        (b"{", 400, "not a server"),
        (b'{"url": "http://a.example"}' + b" " * 4096, 413, "4096 bytes"),
    ],
)
async def test_what_is_no_server_is_refused(
    client: Client, known: Known, content: bytes, status: int, about: str
) -> None:
    assert about in await problem(await client.post("/upstreams", data=content, headers=JSON), status)
    assert known.added == []


async def test_what_a_page_can_send_unasked_is_not_taken(client: Client, known: Known) -> None:
    content = b'{"url": "http://a.example"}'
    refused = await client.post("/upstreams", data=content, headers={"Content-Type": "text/plain"})
    assert "media type" in await problem(refused, 415)
    assert known.added == []


async def test_what_can_t_be_changed_is_said(client: Client) -> None:
    for number in range(2):
        added = await client.post("/upstreams", json={"url": f"http://a{number}.example"})
        assert added.status == 201
    one_more = await client.post("/upstreams", json={"url": "http://c.example"})
    assert "enough" in await problem(one_more, 409)
    assert "last server" in await problem(await client.delete("/upstreams/a.example:80"), 409)
