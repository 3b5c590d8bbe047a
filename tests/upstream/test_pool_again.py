"""What is sent again on another connection, and what never is."""

from __future__ import annotations

import asyncio
from unittest.mock import MagicMock

import pytest

from proxy.message.head import HeadLimits
from proxy.message.request import Request
from proxy.upstream.address import Server
from proxy.upstream.connection import Connection
from proxy.upstream.contract import TooSlow, Unreachable, UpstreamError
from proxy.upstream.exchange import Exchange
from proxy.upstream.sending import outgoing
from proxy.upstream.settings import UpstreamSettings


def leaving_on_the_second_request(ok):
    """A server whose connections are good for one exchange, as a client finds out with the next."""

    async def script(conversation):
        await conversation.request()
        await conversation.say(ok)
        await conversation.request()

    return script


async def test_an_idempotent_request_is_sent_again_when_its_old_connection_was_dead(kit, ok):
    client, origin = await kit.talk(leaving_on_the_second_request(ok))
    await client.fetch()
    response = await client.send(b"GET", b"/again")
    assert await kit.read_all(response) == b"ok"
    assert (response.timing.attempts, response.timing.reused) == (2, False)
    assert [request.split()[1] for request in origin.requests] == [b"/", b"/again", b"/again"]


async def test_it_is_not_sent_a_third_time(kit, ok):
    async def script(conversation):
        await conversation.request()
        if conversation.origin.connections == 1:
            await conversation.say(ok)
            await conversation.request()

    client, origin = await kit.talk(script)
    await client.fetch()
    with pytest.raises(Unreachable) as caught:
        await client.send()
    assert caught.value.token == "connection_terminated"
    assert len(origin.requests) == 3


@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"FROBNICATE"])
async def test_other_requests_are_not_sent_again(kit, ok, method):
    client, origin = await kit.talk(leaving_on_the_second_request(ok))
    await client.fetch()
    with pytest.raises(Unreachable) as caught:
        await client.send(method)
    assert caught.value.token == "connection_terminated"
    assert len(origin.requests) == 2


async def test_a_request_is_not_sent_again_once_its_content_was_read(kit, ok):
    client, origin = await kit.talk(leaving_on_the_second_request(ok))
    await client.fetch()
    content = kit.content_of(b"hello", length=5)
    with pytest.raises(Unreachable):
        await client.send(b"PUT", b"/", (b"Content-Length", b"5"), content=content)
    assert len(origin.requests) == 2


async def test_content_that_still_waits_for_100_can_be_sent_again(kit, ok):
    async def script(conversation):
        if conversation.origin.connections == 1:
            await conversation.request()
            await conversation.say(ok)
            await conversation.head()
        else:
            await conversation.head()
            await conversation.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert await conversation.reader.readexactly(5) == b"hello"
            await conversation.say(ok)
            await conversation.closed()

    client, _ = await kit.talk(script, expectation=30.0)
    await client.fetch()
    lines = (b"Content-Length", b"5"), (b"Expect", b"100-continue")
    assert await client.fetch(b"PUT", b"/", *lines, content=kit.content_of(b"hello", length=5)) == (
        200,
        b"ok",
    )


async def test_nothing_is_sent_again_once_an_answer_has_begun(kit, ok):
    async def script(conversation):
        await conversation.request()
        await conversation.say(ok)
        await conversation.request()
        await conversation.say(b"HTTP/1.1 103 Early Hints\r\n\r\n")

    client, origin = await kit.talk(script)
    await client.fetch()
    with pytest.raises(UpstreamError):
        await client.send()
    assert len(origin.requests) == 2


async def test_a_slow_answer_is_no_reason_to_ask_again(kit, ok):
    async def script(conversation):
        await conversation.request()
        await conversation.say(ok)
        await conversation.request()
        await conversation.closed()

    client, origin = await kit.talk(script, first_byte=0.05)
    await client.fetch()
    with pytest.raises(TooSlow):
        await client.send()
    assert len(origin.requests) == 2


async def test_a_retry_finds_room_though_all_connections_are_taken(kit, ok):
    async def script(conversation):
        await conversation.request()
        await conversation.say(ok)
        if conversation.origin.connections <= 2:
            await conversation.request()
            if conversation.origin.connections < 2:
                await asyncio.sleep(0.01)
        else:
            await conversation.request()
            await conversation.say(ok)
            await conversation.closed()

    client, _ = await kit.talk(script, connections=1)
    await client.fetch()
    assert await asyncio.gather(client.fetch(), client.fetch()) == [(200, b"ok")] * 2


async def test_whatever_was_not_sent_at_all_is_sent_on_a_fresh_connection(kit, ok):
    """The connection may be lost between being handed over and being used."""
    client, origin = await kit.talk(kit.answering(ok, ok))
    await client.fetch()
    take = client.pool._take_idle

    def take_and_lose():
        connection = take()
        connection.abort()
        return connection

    client.pool._take_idle = take_and_lose
    response = await client.send(b"POST")
    assert (response.head.status, response.timing.attempts) == (200, 2)
    assert len(origin.requests) == 2


async def test_what_comes_before_the_request_was_sent_is_no_answer(kit):
    """Content is sent by a task of its own, so the head may not be out yet when the bytes come."""
    pool = kit.client(Server("http", "127.0.0.1", 9)).pool
    transport = MagicMock(**{"is_closing.return_value": False, "get_extra_info.return_value": None})
    connection = Connection(pool.server, pool)
    connection.connection_made(transport)
    request = Request(b"POST", b"/")
    exchange = Exchange(connection, request, UpstreamSettings(), HeadLimits())
    content = kit.content_of(b"hello")
    sending = asyncio.create_task(exchange.perform(outgoing(request, content), content, MagicMock()))
    connection.loop.call_soon(connection.data_received, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(Unreachable):
        await sending
    assert not exchange.sent
    assert not exchange.answered
    transport.write.assert_not_called()
    transport.abort.assert_called()
