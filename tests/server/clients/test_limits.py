"""Clients that are slow, many or greedy cost no more than the settings say."""

from __future__ import annotations

import asyncio
import socket
from unittest.mock import MagicMock

import pytest

from proxy.engine.downstream import Downstream
from proxy.message.fields import NO_FIELDS
from proxy.message.response import Response
from proxy.server.clients.forwarding import Forwarding
from proxy.server.clients.listener import Manager
from proxy.server.settings import ServerSettings
from proxy.visibility.account import Account
from tests.server.conftest import Listening
from tests.server.served import GET, LAST, content_of, echo, saying, target


async def test_a_head_must_come_in_time_from_its_first_byte(listening: Listening) -> None:
    served = await listening(target, ServerSettings(header_time=0.1, linger=0.05))
    wire = await served.connect()
    await wire.send(GET)
    await wire.answer()
    await asyncio.sleep(0.15)  # idle: no head has begun
    for byte in GET[:8]:
        await wire.send(bytes([byte]))
        await asyncio.sleep(0.03)
        if wire.reader._buffer:  # type: ignore[attr-defined]
            break
    answer = await wire.answer()
    assert (answer.head.status, answer.field(b"connection")) == (408, b"close")
    assert await wire.rest() == b""
    account = (await served.records(2))[1]
    assert account.raw
    assert GET.startswith(account.raw)


async def test_content_must_keep_coming(listening: Listening) -> None:
    served = await listening(echo, ServerSettings(content_time=0.05, linger=0.05))
    answer = await served.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
    assert (answer.head.status, answer.field(b"connection")) == (408, b"close")


async def test_content_may_take_long_as_long_as_it_keeps_coming(listening: Listening) -> None:
    served = await listening(echo, ServerSettings(content_time=0.2))
    wire = await served.connect()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
    for byte in b"hello!":
        await asyncio.sleep(0.05)
        await wire.send(bytes([byte]))
    assert (await wire.answer()).content.endswith(b"hello!")


async def slow_reader(served: object) -> tuple[asyncio.AbstractEventLoop, socket.socket]:
    """A client whose system takes little for it while it doesn't read."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await loop.sock_connect(sock, served.address)  # type: ignore[attr-defined]
    return loop, sock


async def test_a_slow_reader_makes_writing_wait(listening: Listening) -> None:
    written = 0
    waiting: list[int] = []

    async def handle(client: Downstream, account: Account) -> None:
        nonlocal written
        await client.start(Response(200, NO_FIELDS, b"OK"), None)
        for _ in range(1000):
            await client.write(b"x" * 65536)
            written += 65536
        await client.finish(NO_FIELDS)

    served = await listening(handle)
    loop, sock = await slow_reader(served)
    with sock:
        await loop.sock_sendall(sock, LAST)
        before = -1
        while written != before:
            before = written
            await asyncio.sleep(0.05)
        waiting.append(written)
        received = 0
        while data := await loop.sock_recv(sock, 1 << 20):
            received += len(data)
    assert waiting[0] < 16 << 20
    assert received > 1000 * 65536
    assert (await served.records(1))[0].complete


async def test_a_client_that_reads_nothing_is_let_go(listening: Listening) -> None:
    served = await listening(
        saying(Response(200, NO_FIELDS, b"OK"), *[b"x" * 65536] * 200), ServerSettings(stall=0.1)
    )
    loop, sock = await slow_reader(served)
    with sock:
        await loop.sock_sendall(sock, GET)
        [account] = await served.records(1)
    assert not account.complete
    assert "read nothing" in account.error


async def test_a_client_that_reads_slowly_is_not_let_go(listening: Listening) -> None:
    served = await listening(
        saying(Response(200, NO_FIELDS, b"OK"), *[b"x" * 65536] * 10), ServerSettings(stall=0.1)
    )
    served.listener._servers[0].sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 200_000)
    loop, sock = await slow_reader(served)
    received = 0
    with sock:
        await loop.sock_sendall(sock, LAST)
        while data := await loop.sock_recv(sock, 8192):
            received += len(data)
            await asyncio.sleep(0.01)
    assert received > 10 * 65536
    assert (await served.records(1))[0].complete


async def test_a_fast_sender_is_held_back(listening: Listening) -> None:
    go_on = asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        await go_on.wait()
        await client.start(Response(200, NO_FIELDS, b"OK"), 4)
        await client.write(b"%d" % (len(await content_of(client)) >> 20))
        await client.write(b"  ")
        await client.finish(NO_FIELDS)

    served = await listening(handle)
    wire = await served.connect()
    sent = 0
    wire.writer.transport.set_write_buffer_limits(0)
    wire.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (64 << 20))

    async def send() -> None:
        nonlocal sent
        for _ in range(1024):
            await wire.send(b"x" * 65536)
            sent += 65536

    sending = asyncio.ensure_future(send())
    before = -1
    while sent != before:
        before = sent
        await asyncio.sleep(0.05)
    assert sent < 32 << 20
    go_on.set()
    await sending
    assert (await wire.answer()).content == b"64  "


async def test_pipelining_is_held_back(listening: Listening) -> None:
    """However many requests are sent ahead, only so many bytes of them wait, also while they are served."""
    waiting: list[int] = []

    async def handle(client: Downstream, account: Account) -> None:
        [connection] = manager.open
        waiting.append(len(connection.requests._buffer))
        await target(client, account)

    served = await listening(handle, ServerSettings(read_buffer=1000))
    manager = served.listener._manager
    assert manager is not None
    wire = await served.connect()
    count = 1000
    request = GET.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 1000 + b"\r\n\r\n")
    sending = asyncio.ensure_future(wire.send(request * count))
    for _ in range(count):
        await wire.answer()
    await sending
    assert max(waiting) < (256 << 10) + 2000


FEW = pytest.mark.parametrize(
    "settings",
    [
        ServerSettings(connections=2, linger=0.05),
        ServerSettings(connections_per_client=2, linger=0.05),
    ],
)


class Busy:
    """A handler that keeps its clients waiting until it may answer."""

    def __init__(self) -> None:
        self.waiting = 0
        self.answer = asyncio.Event()

    async def __call__(self, client: Downstream, account: Account) -> None:
        self.waiting += 1
        await self.answer.wait()
        await target(client, account)


@FEW
async def test_connections_over_the_limit_are_told_so(listening: Listening, settings: ServerSettings) -> None:
    busy = Busy()
    served = await listening(busy, settings)
    first, second = await served.connect(), await served.connect()
    await first.send(GET)
    await second.send(GET[:10])  # the head of its request is on its way
    while not busy.waiting:  # noqa: ASYNC110 - the test's own time limit ends it
        await asyncio.sleep(0)
    third = await served.connect()
    answer = await third.answer()
    assert (answer.head.status, answer.field(b"connection")) == (503, b"close")
    assert b"error=http_request_denied" in (answer.field(b"proxy-status") or b"")
    assert await third.rest() == b""
    [account] = await served.records(1)
    assert "connections" in account.error
    busy.answer.set()
    await second.send(GET[10:])
    for wire in (first, second):
        assert (await wire.answer()).head.status == 200
    await first.close()
    await served.until_open(1)
    assert (await served.ask(GET)).head.status == 200


@FEW
async def test_the_connection_that_was_idle_longest_makes_room(
    listening: Listening, settings: ServerSettings
) -> None:
    served = await listening(target, settings)
    first, second = await served.connect(), await served.connect()
    for wire in (first, second, first):
        await wire.send(GET)
        await wire.answer()
    third = await served.connect()
    await third.send(GET)
    assert (await third.answer()).head.status == 200
    assert await second.rest() == b""
    await first.send(GET)
    assert (await first.answer()).head.status == 200
    assert served.listener.connections == 2
    assert all(account.decision is None for account in await served.records(5))


async def test_nobody_makes_room_for_a_greedy_client() -> None:
    manager = Manager(target, lambda _: None, ServerSettings(connections_per_client=1), Forwarding())
    idle, other = (MagicMock(client=f"192.0.2.{number}:1", ready=True, idle_until=0.0) for number in (1, 2))
    busy, late = (MagicMock(client=f"192.0.2.2:{number}", ready=False, idle_until=0.0) for number in (3, 4))
    assert manager.admit(idle) is None
    assert manager.admit(busy) is None
    refusal = manager.admit(late)
    assert refusal is not None
    assert "192.0.2.2" in refusal.message
    idle.force_close.assert_not_called()
    manager.left(busy, ())
    manager.left(late, ())
    assert manager.admit(other) is None


async def test_those_over_the_limit_are_bounded_too(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.server.clients.listener._REFUSED_AT_ONCE", 3)
    busy = Busy()
    served = await listening(busy, ServerSettings(connections=1))
    first = await served.connect()
    await first.send(GET)
    wires = [first, *[await served.connect() for _ in range(12)]]
    await served.records(12)
    assert served.listener.connections <= 4
    busy.answer.set()
    for wire in wires:
        await wire.close()
