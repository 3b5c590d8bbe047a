"""Servers that say more than they were asked: nobody may get another's answer for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from proxy.upstream.address import Server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


class Plain:
    """A server in plain sockets: what it sends is there before the event loop can look."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.server = Server("http", "127.0.0.1", self.listening.getsockname()[1])
        self.connections: list[socket.socket] = []

    async def accept(self) -> socket.socket:
        connection, _ = await asyncio.get_running_loop().sock_accept(self.listening)
        self.connections.append(connection)
        return connection

    async def answer(self, connection: socket.socket, *answers: bytes) -> None:
        """Wait for a request's head and send its answer."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += await asyncio.get_running_loop().sock_recv(connection, 65536)
        for answer in answers:
            connection.sendall(answer)

    def close(self) -> None:
        for connection in (self.listening, *self.connections):
            connection.close()


@pytest_asyncio.fixture
async def plain() -> AsyncIterator[Plain]:
    plain = Plain()
    yield plain
    plain.close()


async def fetched(client, plain, *answers, method=b"GET"):
    """One exchange on a connection of its own, and that connection."""
    asking = asyncio.ensure_future(client.fetch(method))
    connection = await plain.accept()
    await plain.answer(connection, *answers)
    return connection, await asking


@pytest.mark.parametrize("method", [b"GET", b"POST"])
@pytest.mark.parametrize("stray", [EVIL, None])
async def test_what_came_a_moment_before_the_next_request_is_no_answer(kit, plain, method, stray):
    client = kit.client(plain.server)
    connection, first = await fetched(client, plain, OK)
    assert first == (200, b"ok")
    if stray is None:
        connection.shutdown(socket.SHUT_RDWR)
    else:
        connection.sendall(stray)
    _, second = await fetched(client, plain, OK, method=method)
    assert second == (200, b"ok")


async def test_a_server_that_strays_serves_once_per_connection_for_a_while(kit, plain):
    client = kit.client(plain.server)
    await fetched(client, plain, OK + EVIL)
    for _ in range(3):
        _, answer = await fetched(client, plain, OK)
        assert answer == (200, b"ok")
    assert len(plain.connections) == 4
    client.pool._distrusted = 0.0
    connection, _ = await fetched(client, plain, OK)
    again = asyncio.ensure_future(client.fetch())
    await plain.answer(connection, OK)
    assert await again == (200, b"ok")


async def test_bytes_on_an_idle_connection_cost_the_other_connections_their_places(kit, plain):
    client = kit.client(plain.server)
    asking = [asyncio.ensure_future(client.fetch()) for _ in range(2)]
    for connection in [await plain.accept(), await plain.accept()]:
        await plain.answer(connection, OK)
    assert await asyncio.gather(*asking) == [(200, b"ok")] * 2
    assert len(client.pool._idle) == 2
    plain.connections[0].sendall(EVIL)
    await kit.until(lambda: not client.pool._idle)


async def test_a_server_may_say_that_it_has_waited_long_enough(kit, plain):
    """Some send 408 on an idle connection before they close it (RFC 9110 §15.5.9): no reason for distrust."""
    client = kit.client(plain.server)
    connection, _ = await fetched(client, plain, OK)
    connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    await kit.until(lambda: not client.pool._idle)
    connection, _ = await fetched(client, plain, OK)
    again = asyncio.ensure_future(client.fetch())
    await plain.answer(connection, OK)
    assert await again == (200, b"ok")


@pytest.mark.parametrize(("method", "status"), [(b"GET", 200), (b"POST", 408)])
async def test_a_408_that_crossed_an_idempotent_request_is_not_its_answer(kit, plain, method, status):
    client = kit.client(plain.server)
    connection, _ = await fetched(client, plain, OK)
    asking = asyncio.ensure_future(client.fetch(method))
    farewell = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    await plain.answer(connection, farewell)
    if status == 200:
        await plain.answer(await plain.accept(), OK)
    assert (await asking)[0] == status


async def test_a_408_on_a_fresh_connection_is_passed_on(kit, plain):
    client = kit.client(plain.server)
    _, answer = await fetched(client, plain, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    assert answer == (408, b"")


@pytest.mark.parametrize(
    ("announcement", "again"),
    [
        (b"Content-Length: 4\r\n", False),
        (b"Transfer-Encoding: chunked\r\n", False),
        (b"Content-Length: 0\r\n", True),
        (b"", True),
    ],
)
async def test_a_204_that_announces_content_is_the_last_on_its_connection(kit, plain, announcement, again):
    client = kit.client(plain.server)
    await fetched(client, plain, b"HTTP/1.1 204 No Content\r\n" + announcement + b"\r\n")
    assert bool(client.pool._idle) is again


async def test_an_error_tells_how_often_it_was_tried(kit, plain):
    client = kit.client(plain.server, connections=1, waiting=0)
    asking = asyncio.ensure_future(client.fetch())
    connection = await plain.accept()
    with pytest.raises(Exception, match="requests wait") as refused:
        await client.fetch()
    await plain.answer(connection, OK)
    await asking
    again = asyncio.ensure_future(client.fetch())
    await plain.answer(connection)
    connection.close()
    connection = await plain.accept()
    await plain.answer(connection, b"nonsense\r\n\r\n")
    with pytest.raises(Exception, match="HTTP/1") as malformed:
        await again
    assert (refused.value.attempts, malformed.value.attempts) == (0, 2)
