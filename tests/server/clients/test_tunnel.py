"""After 101 (Switching Protocols): bytes both ways."""

from __future__ import annotations

import asyncio

import pytest

from proxy.engine.downstream import Downstream
from proxy.message.fields import Fields
from proxy.message.response import Response
from proxy.server.settings import ServerSettings
from proxy.upstream.contract import BrokenResponse
from proxy.visibility.account import Account
from tests.server.conftest import Listening
from tests.server.served import GET, Served, Wire, target

ASK = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCH = Response(
    101,
    Fields([(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), (b"Sec-WebSocket-Accept", b"x")]),
    b"Switching Protocols",
)


class Far:
    """The other end of a tunnel, in the place of the connection upstream."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        self.received = bytearray()
        self.room = asyncio.Event()
        self.room.set()
        self.ended = asyncio.Event()
        self.closed = asyncio.Event()
        self.counts: tuple[int, int] | None = None

    async def read(self) -> bytes:
        item = await self.incoming.get()
        if isinstance(item, Exception):
            raise item
        return item

    async def write(self, data: bytes) -> None:
        await self.room.wait()
        self.received += data

    async def close_writing(self) -> None:
        self.ended.set()

    def close(self) -> None:
        self.closed.set()

    async def __call__(self, client: Downstream, account: Account) -> None:
        if client.received.target == b"/declined":
            await target(client, account)
        else:
            self.counts = await client.tunnel(SWITCH, self)


async def opened(served: Served, after: bytes = b"") -> Wire:
    wire = await served.connect()
    await wire.send(ASK + after)
    assert (await wire.head()).status == 101
    return wire


async def test_the_upgrade_is_passed_on(listening: Listening) -> None:
    far = Far()
    served = await listening(far)
    wire = await served.connect()
    await wire.send(ASK)
    head = await wire.head()
    assert list(head.fields) == [
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
        (b"Sec-WebSocket-Accept", b"x"),
        (b"Via", b"1.1 pellucid"),
    ]
    far.incoming.put_nowait(b"")
    assert await wire.rest() == b""


async def test_bytes_pass_both_ways_until_both_sides_have_ended(listening: Listening) -> None:
    far = Far()
    served = await listening(far)
    wire = await opened(served)
    await wire.send(b"ping\r\n\r\nGET / HTTP/1.1\r\n\r\n")
    far.incoming.put_nowait(b"pong")
    assert await wire.exactly(4) == b"pong"
    wire.writer.write_eof()
    await far.ended.wait()
    far.incoming.put_nowait(b"and more")
    far.incoming.put_nowait(b"")
    assert await wire.rest() == b"and more"
    [account] = await served.records(1)
    assert far.received == b"ping\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    assert far.counts == (26, 12)
    assert (account.request_bytes, account.response_bytes) == (26, 12)
    assert account.complete
    assert account.response is not None
    assert account.response.status == 101
    assert far.closed.is_set()


async def test_the_other_side_may_end_first(listening: Listening) -> None:
    far = Far()
    served = await listening(far)
    wire = await opened(served)
    far.incoming.put_nowait(b"")
    assert await wire.rest() == b""
    await wire.send(b"still here")
    wire.writer.write_eof()
    [account] = await served.records(1)
    assert far.received == b"still here"
    assert account.complete


async def test_what_the_client_sends_early_belongs_to_the_tunnel(listening: Listening) -> None:
    far = Far()
    served = await listening(far)
    wire = await opened(served, GET)
    wire.writer.write_eof()
    await far.ended.wait()
    assert far.received == GET
    far.incoming.put_nowait(b"")
    await served.records(1)
    assert len(served.accounts) == 1


async def test_a_declined_upgrade_changes_nothing(listening: Listening) -> None:
    served = await listening(Far())
    wire = await served.connect()
    await wire.send(ASK.replace(b"/chat", b"/declined") * 2)
    for _ in range(2):
        answer = await wire.answer()
        assert (answer.head.status, answer.content) == (200, b"/declined")


@pytest.mark.parametrize("who", ["client", "far"])
async def test_a_tunnel_that_breaks_is_not_complete(listening: Listening, who: str) -> None:
    far = Far()
    served = await listening(far)
    wire = await opened(served)
    if who == "client":
        await wire.reset()
    else:
        far.incoming.put_nowait(BrokenResponse("broken"))
    [account] = await served.records(1)
    assert far.closed.is_set()
    assert not account.complete
    assert account.error


async def test_a_tunnel_without_traffic_ends(listening: Listening) -> None:
    far = Far()
    served = await listening(far, ServerSettings(tunnel_idle=0.05))
    wire = await opened(served)
    assert await wire.rest() == b""
    [account] = await served.records(1)
    assert "nothing came" in account.error


async def test_traffic_one_way_is_enough(listening: Listening) -> None:
    far = Far()
    served = await listening(far, ServerSettings(tunnel_idle=0.2))
    wire = await opened(served)
    for _ in range(8):
        await asyncio.sleep(0.05)
        await wire.send(b".")
    far.incoming.put_nowait(b"fine")
    assert await wire.exactly(4) == b"fine"
    far.incoming.put_nowait(b"")


async def test_the_sender_is_held_back_when_the_other_side_takes_nothing(listening: Listening) -> None:
    far = Far()
    served = await listening(far)
    wire = await opened(served)
    far.room.clear()
    sent = 0
    wire.writer.transport.set_write_buffer_limits(0)

    async def send() -> None:
        nonlocal sent
        for _ in range(512):
            await wire.send(b"x" * 65536)
            sent += 65536
        wire.writer.write_eof()

    sending = asyncio.ensure_future(send())
    before = -1
    while sent != before:
        before = sent
        await asyncio.sleep(0.05)
    assert sent < 16 << 20
    far.room.set()
    await sending
    await far.ended.wait()
    assert len(far.received) == 32 << 20
    far.incoming.put_nowait(b"")
    await served.records(1)


async def test_what_came_before_the_end_is_not_lost(listening: Listening) -> None:
    far = Far()
    served = await listening(far)
    wire = await opened(served)
    far.room.clear()
    for _ in range(3):
        await wire.send(b"one more ")
        await asyncio.sleep(0.01)
    wire.writer.write_eof()
    await asyncio.sleep(0.01)
    far.room.set()
    await far.ended.wait()
    assert far.received == b"one more " * 3
    far.incoming.put_nowait(b"")
    assert (await served.records(1))[0].complete


async def test_stopping_ends_tunnels_when_the_time_is_over(listening: Listening) -> None:
    far = Far()
    served = await listening(far, ServerSettings(grace=0.05))
    await opened(served)
    await served.listener.stop()
    assert far.closed.is_set()
    assert not served.accounts[0].complete
