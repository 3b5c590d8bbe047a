"""Streams that are longer than what is held in memory, both ways."""

from __future__ import annotations

import asyncio

from proxy.upstream.contract import Content
from proxy.upstream.inbox import FULL

PIECE = bytes(range(256)) * 256
PIECES = 512  # 32 MiB: more than the sockets of both sides hold


def connections(client):
    return client.pool._active


async def test_a_slow_reader_slows_the_server_down(kit):
    sent = 0

    async def script(conversation):
        nonlocal sent
        await conversation.request()
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(PIECE) * PIECES))
        for _ in range(PIECES):
            await conversation.say(PIECE)
            sent += 1

    client, _ = await kit.talk(script)
    response = await client.send()
    while True:  # until the server gets no further
        before = sent
        await asyncio.sleep(0.05)
        if sent == before and response._inbox.size >= FULL:
            break
    assert sent < PIECES
    assert response._inbox.size <= 2 * FULL
    total = most = 0
    while piece := await response.read():
        most = max(most, len(piece))
        assert piece == (PIECE * 10)[total % 256 : total % 256 + len(piece)]
        total += len(piece)
    assert total == len(PIECE) * PIECES
    assert most <= 2 * FULL


async def test_a_slow_server_slows_the_content_down(kit, ok):
    given = received = 0

    async def script(conversation):
        nonlocal received
        await conversation.head()
        await go.wait()
        while received < len(PIECE) * PIECES:
            received += len(await conversation.reader.read(65536))
        await conversation.say(ok)
        await conversation.closed()

    async def pieces():
        nonlocal given
        for _ in range(PIECES):
            given += 1
            yield PIECE
            held.append(sum(c._transport.get_write_buffer_size() for c in connections(client)))

    go = asyncio.Event()
    held: list[int] = []
    client, _ = await kit.talk(script)
    length = len(PIECE) * PIECES
    sending = asyncio.create_task(
        client.fetch(b"PUT", b"/", (b"Content-Length", b"%d" % length), content=Content(length, pieces()))
    )
    before = -1
    while given != before or not given:  # until nothing more is taken
        before = given
        await asyncio.sleep(0.05)
    assert given < PIECES
    go.set()
    assert await sending == (200, b"ok")
    assert received == length
    assert max(held) <= 4 * len(PIECE)


async def test_a_reader_that_stops_in_the_midst_of_content_leaves_the_connection_readable_for_the_next(
    kit, ok
):
    """The last bytes may come while the connection is paused for what is unread before them."""
    size = FULL + 1000

    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size)
        await conversation.request()
        await conversation.say(ok)
        await conversation.closed()

    client, origin = await kit.talk(script)
    slow = await client.send()
    await kit.until(lambda: slow._inbox.size >= FULL)
    first = await slow.read()
    rest = await kit.read_all(slow)
    assert len(first + rest) == size
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 1
