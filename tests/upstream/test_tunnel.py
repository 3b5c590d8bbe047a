"""Connections after 101 (Switching Protocols)."""

from __future__ import annotations

import asyncio

import pytest

from proxy.upstream.contract import Content, MalformedResponse
from proxy.upstream.inbox import FULL

UPGRADE = ((b"Connection", b"upgrade"), (b"Upgrade", b"echo"))
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"


async def echo(conversation):
    await conversation.request()
    await conversation.say(SWITCHING + b"welcome")
    while data := await conversation.reader.read(65536):
        await conversation.say(data)
    await conversation.say(b"bye")


async def test_bytes_go_both_ways_until_both_sides_have_ended(kit):
    client, origin = await kit.talk(echo)
    response = await client.send(b"GET", b"/", *UPGRADE)
    assert origin.requests[0].endswith(b"Connection: upgrade\r\nUpgrade: echo\r\n\r\n")
    assert response.head.status == 101
    assert response.head.fields.get(b"upgrade") == b"echo"
    tunnel = response.tunnel()
    assert await tunnel.read() == b"welcome"
    await tunnel.write(b"\x00\x01\xff")
    assert await tunnel.read() == b"\x00\x01\xff"
    await tunnel.close_writing()
    assert await tunnel.read() == b"bye"
    assert await tunnel.read() == b""
    tunnel.close()


async def test_the_server_may_end_first_and_still_listen(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(SWITCHING)
        conversation.writer.write_eof()
        heard.set_result(await conversation.closed())

    heard = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    tunnel = (await client.send(b"GET", b"/", *UPGRADE)).tunnel()
    assert await tunnel.read() == b""
    await tunnel.write(b"still here")
    await tunnel.close_writing()
    assert await heard == b"still here"
    tunnel.close()


async def test_a_slow_side_slows_the_other_down(kit):
    piece = b"x" * 65536
    given = 0

    async def script(conversation):
        await conversation.request()
        await conversation.say(SWITCHING)
        while True:
            await conversation.say(piece)

    client, origin = await kit.talk(script)
    tunnel = (await client.send(b"GET", b"/", *UPGRADE)).tunnel()

    async def write():
        nonlocal given
        while True:
            await tunnel.write(piece)
            given += 1

    writing = asyncio.create_task(write())
    before = -1
    while given != before or tunnel._inbox.size < FULL:
        before = given
        await asyncio.sleep(0.05)
    assert tunnel._inbox.size <= 2 * FULL
    writing.cancel()
    assert len(await tunnel.read()) <= 2 * FULL
    await origin.stop()
    while await tunnel.read():
        pass
    tunnel.close()


async def test_no_time_limit_ends_a_quiet_tunnel(kit):
    client, _ = await kit.talk(echo, first_byte=0.05, between_bytes=0.05)
    tunnel = (await client.send(b"GET", b"/", *UPGRADE)).tunnel()
    assert await tunnel.read() == b"welcome"
    reading = asyncio.create_task(tunnel.read())
    await asyncio.sleep(0.15)
    assert not reading.done()
    await tunnel.write(b"after all")
    assert await reading == b"after all"
    tunnel.close()


async def test_closing_the_response_closes_the_tunnel(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(SWITCHING)
        heard.set_result(await conversation.closed())

    heard = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    response = await client.send(b"GET", b"/", *UPGRADE)
    tunnel = response.tunnel()
    reading = asyncio.create_task(tunnel.read())
    await asyncio.sleep(0)
    await tunnel.write(b"last words")
    response.close()
    assert await heard == b"last words"
    assert await reading == b""


async def test_a_reset_ends_the_tunnel(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(SWITCHING)
        await go.wait()
        conversation.abort()

    go = asyncio.Event()
    client, _ = await kit.talk(script)
    tunnel = (await client.send(b"GET", b"/", *UPGRADE)).tunnel()
    go.set()
    assert await tunnel.read() == b""
    await tunnel.write(b"into the void")
    await tunnel.close_writing()
    tunnel.close()
    assert not client.pool._active


async def test_a_tunnel_counts_as_a_connection_until_it_ends(kit):
    client, origin = await kit.talk(echo, connections=1)
    response = await client.send(b"GET", b"/", *UPGRADE)
    waiting = asyncio.create_task(client.send(b"GET", b"/", *UPGRADE))
    await asyncio.sleep(0.01)
    assert origin.connections == 1
    response.tunnel().close()
    (await waiting).tunnel().close()
    assert origin.connections == 2


async def test_a_refused_upgrade_is_an_ordinary_response(kit, ok):
    client, origin = await kit.talk(kit.answering(ok, ok))
    assert await client.fetch(b"GET", b"/", *UPGRADE) == (200, b"ok")
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 1


async def test_nobody_switches_protocols_unasked(kit):
    client, _ = await kit.talk(echo)
    with pytest.raises(MalformedResponse, match="nothing was asked"):
        await client.send()


async def test_the_tunnel_starts_after_the_whole_request(kit):
    async def script(conversation):
        await conversation.head()
        await conversation.say(SWITCHING)
        received.set_result(await conversation.reader.readexactly(10))
        await conversation.closed()

    async def pieces():
        yield b"hello"
        await asyncio.sleep(0.02)
        yield b"world"

    received = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    response = await client.send(
        b"POST", b"/", *UPGRADE, (b"Content-Length", b"10"), content=Content(10, pieces())
    )
    await response.tunnel().write(b"tunnelled")
    assert await received == b"helloworld"
    response.close()


async def test_there_is_no_tunnel_where_the_rest_of_the_request_fails(kit):
    class GoneError(Exception):
        pass

    async def script(conversation):
        await conversation.head()
        await conversation.say(SWITCHING)
        switched.set()
        received.set_result(await conversation.closed())

    async def pieces():
        yield b"hello"
        await switched.wait()
        await asyncio.sleep(0.01)
        raise GoneError

    switched = asyncio.Event()
    received = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    with pytest.raises(GoneError):
        await client.send(b"POST", b"/", *UPGRADE, (b"Content-Length", b"10"), content=Content(10, pieces()))
    assert await received == b"hello"
    assert not client.pool._active
