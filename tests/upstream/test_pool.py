"""Connections that are kept, shared out, limited and given up."""

from __future__ import annotations

import asyncio

import pytest

from proxy.upstream.address import Server
from proxy.upstream.contract import Overloaded, Unreachable, UpstreamError


async def test_one_connection_serves_one_exchange_after_another(kit, ok):
    client, origin = await kit.talk(kit.answering(*[ok] * 5))
    for _ in range(5):
        assert await client.fetch() == (200, b"ok")
    assert (origin.connections, len(origin.requests)) == (1, 5)


async def test_the_connection_is_free_with_the_last_byte_though_nobody_has_read_it(kit, ok):
    client, origin = await kit.talk(kit.answering(ok, ok))
    first = await client.send()
    second = await client.send()
    first.close()
    assert await kit.read_all(second) == b"ok"
    assert origin.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=0\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ],
)
async def test_a_connection_that_must_not_serve_again_does_not(kit, ok, answer):
    async def script(conversation):
        await conversation.request()
        await conversation.say(answer if conversation.origin.connections == 1 else ok)
        await conversation.closed()

    client, origin = await kit.talk(script)
    _, content = await client.fetch()
    assert content in (b"ok", b"")
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 2


async def test_bytes_on_an_idle_connection_are_never_an_answer(kit, ok):
    async def script(conversation):
        await conversation.request()
        await conversation.say(ok)
        if conversation.origin.connections == 1:
            await go.wait()
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            assert await conversation.closed() == b""
            gone.set()
        await conversation.closed()

    go, gone = asyncio.Event(), asyncio.Event()
    client, origin = await kit.talk(script)
    assert await client.fetch() == (200, b"ok")
    go.set()
    await gone.wait()
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 2


async def test_a_closed_idle_connection_is_noticed_before_it_is_used(kit, ok):
    async def script(conversation):
        await conversation.request()
        await conversation.say(ok)

    client, origin = await kit.talk(script)
    assert await client.fetch() == (200, b"ok")
    await kit.until(lambda: not client.pool._idle)
    response = await client.send(b"POST")
    assert (response.head.status, response.timing.reused, response.timing.attempts) == (200, False, 1)
    assert origin.connections == 2


async def test_a_refused_connection(kit):
    origin = await kit.origin(kit.answering())
    await origin.stop()
    client = kit.client(origin)
    with pytest.raises(Unreachable) as caught:
        await client.send()
    assert (caught.value.token, caught.value.status) == ("connection_refused", 502)
    assert caught.value.server == str(origin.server)


async def test_the_last_used_connection_serves_first(kit, ok):
    async def script(conversation):
        number = conversation.origin.connections
        while await conversation.request():
            if conversation.origin.connections < 3:
                await all_there.wait()
            elif not all_there.is_set():
                all_there.set()
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)

    all_there = asyncio.Event()
    client, origin = await kit.talk(script)
    await asyncio.gather(*[client.fetch() for _ in range(3)])
    last = [*client.pool._idle][-1]
    for _ in range(3):
        await client.fetch()
        assert [*client.pool._idle][-1] is last
    assert origin.connections == 3


async def test_connections_are_limited_and_requests_wait_in_order(kit):
    busy = most = 0

    async def script(conversation):
        nonlocal busy, most
        while request := await conversation.request():
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.002)
            busy -= 1
            target = request.split()[1]
            close = b"Connection: close\r\n" if target.endswith(b"3") else b""
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + close + b"\r\nok")
            if close:
                return

    client, origin = await kit.talk(script, connections=3)
    answers = await asyncio.gather(*[client.fetch(b"GET", b"/%d" % number) for number in range(30)])
    assert answers == [(200, b"ok")] * 30
    assert most <= 3
    order = [int(request.split()[1][1:]) for request in origin.requests]
    assert all(abs(place - number) <= 4 for place, number in enumerate(order))


async def test_the_queue_is_limited_and_so_is_the_wait(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.closed()

    client, origin = await kit.talk(script, connections=1, waiting=1, wait=0.05)
    first = asyncio.create_task(client.send())
    await kit.until(lambda: origin.requests)
    second = asyncio.create_task(client.send())
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="wait for") as caught:
        await client.send()
    assert (caught.value.token, caught.value.status) == ("connection_limit_reached", 503)
    with pytest.raises(Overloaded, match="became free"):
        await second
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_who_leaves_the_queue_holds_nothing_back(kit, ok):
    async def script(conversation):
        while await conversation.request():
            await go.wait()
            await conversation.say(ok)

    go = asyncio.Event()
    client, origin = await kit.talk(script, connections=1)
    tasks = [asyncio.create_task(client.fetch()) for _ in range(4)]
    await kit.until(lambda: origin.requests)
    tasks[1].cancel()
    go.set()
    assert await tasks[0] == (200, b"ok")
    tasks[2].cancel()
    assert await tasks[3] == (200, b"ok")
    assert await client.fetch() == (200, b"ok")


async def test_failing_connections_leave_room_for_the_next(kit, ok):
    origin = await kit.origin(kit.answering(*[ok] * 3))
    port = origin.port
    await origin.stop()
    client = kit.client(origin, connections=1)
    results = await asyncio.gather(*[client.send() for _ in range(5)], return_exceptions=True)
    assert all(isinstance(result, Unreachable) for result in results)
    await kit.origin(kit.answering(ok), port=port)
    assert await client.fetch() == (200, b"ok")


async def test_idle_connections_are_closed_after_a_while(kit, ok):
    async def script(conversation):
        await conversation.request()
        await conversation.say(ok)
        assert await conversation.closed() == b""
        closed.set()

    closed = asyncio.Event()
    client, _ = await kit.talk(script, idle=0.02)
    await client.fetch()
    await closed.wait()
    assert not client.pool._idle


async def test_a_server_that_closes_earlier_is_closed_earlier(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 204 No\r\nKeep-Alive: timeout=1\r\n\r\n")
        assert await conversation.closed() == b""
        closed.set()

    closed = asyncio.Event()
    client, _ = await kit.talk(script)
    await client.fetch()
    await closed.wait()


async def test_only_so_many_connections_are_kept(kit, ok):
    async def script(conversation):
        await conversation.request()
        if conversation.origin.connections == 4:
            all_there.set()
        await all_there.wait()
        await conversation.say(ok)
        await conversation.closed()

    all_there = asyncio.Event()
    client, origin = await kit.talk(script, idle_connections=2)
    await asyncio.gather(*[client.fetch() for _ in range(4)])
    assert origin.connections == 4
    assert len(client.pool._idle) == 2


async def test_closing_ends_everything(kit, ok):
    async def script(conversation):
        while request := await conversation.request():
            if request.startswith(b"GET /now"):
                await conversation.say(ok)
            elif request.startswith(b"GET /half"):
                await conversation.say(ok[:-1])

    client, origin = await kit.talk(script, connections=3)
    half = await client.send(b"GET", b"/half")
    await client.fetch(b"GET", b"/now")
    never = [asyncio.create_task(client.send(b"GET", b"/never")) for _ in range(3)]
    await kit.until(lambda: len(origin.requests) == 4)
    await client.pool.close()
    results = await asyncio.gather(*never, return_exceptions=True)
    assert [type(result) for result in results] == [Overloaded, Unreachable, Overloaded]
    assert await half.read() == b"o"
    with pytest.raises(UpstreamError):
        await half.read()
    with pytest.raises(Overloaded, match="closed"):
        await client.send()
    assert not client.pool._open


async def test_a_connection_that_opens_after_closing_is_not_used(kit, ok):
    client, origin = await kit.talk(kit.answering(ok))
    pool = client.pool
    opened = pool._dialler.open

    async def open_late(keeper):
        connection = await opened(keeper)
        await pool.close()
        return connection

    pool._dialler.open = open_late
    with pytest.raises(Overloaded, match="closed"):
        await client.send()
    assert origin.requests == []


async def test_who_leaves_with_a_connection_in_hand_gives_it_back(kit, ok):
    client, origin = await kit.talk(kit.answering(*[ok] * 3), connections=1)
    pool = client.pool
    hand_over = pool._hand_over

    def leave(connection):
        handed = hand_over(connection)
        if handed and not second.cancelling():
            second.cancel()
        return handed

    pool._hand_over = leave
    first = asyncio.create_task(client.fetch())
    second = asyncio.create_task(client.fetch())
    third = asyncio.create_task(client.fetch())
    assert await first == (200, b"ok")
    assert await third == (200, b"ok")
    assert second.cancelled()
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 1


async def test_who_leaves_with_room_for_a_connection_gives_it_back(kit, ok):
    async def script(conversation):
        await conversation.request()
        await conversation.say(ok.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    client, _ = await kit.talk(script, connections=1)
    pool = client.pool
    make_room = pool._make_room

    def leave():
        waiting = len(pool._waiting)
        make_room()
        if len(pool._waiting) < waiting and not second.cancelling():
            second.cancel()

    pool._make_room = leave
    first = asyncio.create_task(client.fetch())
    second = asyncio.create_task(client.fetch())
    third = asyncio.create_task(client.fetch())
    assert await first == (200, b"ok")
    assert await third == (200, b"ok")
    assert second.cancelled()
    assert pool._opening == 0


async def test_a_fresh_connection_may_take_the_place_of_an_idle_one(kit, ok):
    client, _ = await kit.talk(kit.answering(ok), connections=1)
    await client.fetch()
    [old] = client.pool._idle
    connection = await client.pool._connection(fresh=True)
    assert connection is not old
    assert not old.usable
    connection.close()


async def test_a_connection_that_cannot_send_its_last_bytes_is_closed_all_the_same(kit, monkeypatch):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await go.wait()

    monkeypatch.setattr("proxy.upstream.connection._LINGER", 0.02)
    go = asyncio.Event()
    client, _ = await kit.talk(script)
    tunnel = (await client.send(b"GET", b"/", (b"Upgrade", b"x"))).tunnel()
    writing = asyncio.create_task(tunnel.write(b"x" * (64 << 20)))
    await asyncio.sleep(0)
    tunnel.close()
    await writing
    await kit.until(lambda: not client.pool._open)
    go.set()


async def test_a_probe_keeps_no_connection_on_which_a_server_would_wait(kit, ok):
    client, origin = await kit.talk(kit.answering(ok, ok))
    assert await client.pool.probe() is None
    await kit.until(lambda: not client.pool._open)
    assert await client.fetch() == (200, b"ok")
    assert await client.pool.probe() is None  # there is one by now, and it stays
    assert await client.fetch() == (200, b"ok")
    assert (origin.connections, len(origin.requests)) == (2, 2)


async def test_probing_tells_why_there_is_no_connection(kit):
    origin = await kit.origin(kit.answering())
    await origin.stop()
    error = await kit.client(origin).pool.probe()
    assert error is not None
    assert error.token == "connection_refused"


async def test_many_clients_at_once_each_get_their_own_answer(kit):
    async def script(conversation):
        while request := await conversation.request():
            number = request.split()[1][1:]
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(number), number))

    client, _ = await kit.talk(script, connections=8)
    numbers = [b"%d" % number for number in range(300)]
    answers = await asyncio.gather(*[client.fetch(b"GET", b"/" + number) for number in numbers])
    assert answers == [(200, number) for number in numbers]


async def test_a_failing_name_service(kit):
    async def look_up(host, port):
        raise OSError(113, "No route to host")

    client = kit.client(Server("http", "lost.example", 80), look_up=look_up)
    with pytest.raises(Unreachable) as caught:
        await client.send()
    assert caught.value.token == "dns_error"
