"""Time limits: each with a token of its own."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.upstream.address import Server
from proxy.upstream.alarm import Alarm
from proxy.upstream.contract import Content, TooSlow

SOON = 0.03


async def silent(conversation):
    await conversation.closed()


async def test_no_answer(kit):
    client, origin = await kit.talk(silent, first_byte=SOON)
    with pytest.raises(TooSlow) as caught:
        await client.send()
    assert (caught.value.token, caught.value.status) == ("http_response_timeout", 504)
    assert caught.value.server == str(origin.server)


async def test_a_head_that_trickles_in_is_no_answer(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(*[b"%c" % byte for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10000])

    client, _ = await kit.talk(script, first_byte=SOON)
    with pytest.raises(TooSlow) as caught:
        await client.send()
    assert caught.value.token == "http_response_timeout"


async def test_each_interim_response_buys_time(kit):
    async def script(conversation):
        await conversation.request()
        for _ in range(10):
            await asyncio.sleep(0.06)
            await conversation.say(b"HTTP/1.1 102 Processing\r\n\r\n")
        await conversation.say(b"HTTP/1.1 204 Done\r\n\r\n")
        await conversation.closed()

    client, _ = await kit.talk(script, first_byte=0.5)
    assert await client.fetch() == (204, b"")
    assert len(client.interims) == 10


async def test_silence_in_the_content(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        await conversation.closed()

    client, _ = await kit.talk(script, between_bytes=SOON)
    response = await client.send()
    assert await response.read() == b"hello"
    with pytest.raises(TooSlow) as caught:
        await response.read()
    assert (caught.value.token, caught.value.status) == ("connection_read_timeout", 504)


async def test_a_slow_reader_is_not_the_servers_fault(kit, ok):
    client, _ = await kit.talk(kit.answering(ok), between_bytes=0.01, first_byte=5.0)
    response = await client.send()
    await asyncio.sleep(0.05)
    assert await kit.read_all(response) == b"ok"


async def test_a_slow_client_is_not_the_servers_fault(kit, ok):
    async def pieces():
        yield b"he"
        await asyncio.sleep(0.6)
        yield b"llo"

    client, _ = await kit.talk(kit.answering(ok), first_byte=0.5, between_bytes=0.5)
    answer = await client.fetch(b"PUT", b"/", (b"Content-Length", b"5"), content=Content(5, pieces()))
    assert answer == (200, b"ok")


async def test_after_the_content_the_servers_time_runs(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.closed()

    client, _ = await kit.talk(script, first_byte=SOON)
    content = kit.content_of(b"hello", length=5)
    with pytest.raises(TooSlow) as caught:
        await client.send(b"PUT", b"/", (b"Content-Length", b"5"), content=content)
    assert caught.value.token == "http_response_timeout"


async def test_a_server_that_takes_no_content(kit):
    async def script(conversation):
        await asyncio.Event().wait()

    async def pieces():
        while True:
            yield b"x" * 262144

    client, _ = await kit.talk(script, between_bytes=SOON)
    with pytest.raises(TooSlow) as caught:
        await client.send(b"POST", content=Content(None, pieces()))
    assert (caught.value.token, caught.value.status) == ("connection_write_timeout", 504)


async def test_connecting(kit):
    with socket.socket() as full:  # its queue holds one connection, which is there already
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            client = kit.client(Server("http", "127.0.0.1", full.getsockname()[1]), connect=0.1)
            with pytest.raises(TooSlow) as caught:
                await client.send()
    assert (caught.value.token, caught.value.status) == ("connection_timeout", 504)


async def test_looking_up_the_name(kit):
    async def look_up(host, port):
        await asyncio.Event().wait()

    client = kit.client(Server("http", "slow.example", 80), look_up=look_up, connect=SOON)
    with pytest.raises(TooSlow) as caught:
        await client.send()
    assert (caught.value.token, caught.value.status) == ("dns_timeout", 504)


async def test_a_timeout_does_not_outlive_its_exchange(kit):
    """What is left of one exchange's time on the connection must not end the next."""

    async def script(conversation):
        while await conversation.request():
            await asyncio.sleep(0.06)
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    client, origin = await kit.talk(script, first_byte=0.5, between_bytes=0.5)
    responses = [await client.send() for _ in range(10)]
    assert origin.connections == 1
    assert [await kit.read_all(response) for response in responses] == [b"ok"] * 10


class Clock:
    """The part of an event loop that an alarm uses, with a time of its own."""

    class Timer:
        def __init__(self, moment, callback):
            self.moment, self.callback, self.cancelled = moment, callback, False

        def when(self):
            return self.moment

        def cancel(self):
            self.cancelled = True

    def __init__(self):
        self.now = 0.0
        self.timers = []

    def time(self):
        return self.now

    def call_at(self, moment, callback):
        self.timers.append(self.Timer(moment, callback))
        return self.timers[-1]

    def reach(self, moment):
        while due := [timer for timer in self.timers if not timer.cancelled and timer.moment <= moment]:
            first = min(due, key=Clock.Timer.when)
            self.timers.remove(first)
            self.now = first.moment
            first.callback()
        self.now = moment


def test_an_alarm_goes_off_once_at_the_last_moment_that_was_set():
    clock, calls = Clock(), []
    alarm = Alarm(clock)
    alarm.set(10, lambda: calls.append("late"))
    alarm.set(1, lambda: calls.append("earlier"))
    clock.reach(20)
    assert calls == ["earlier"]
    alarm.set(1, lambda: calls.append("put off"))
    alarm.set(5, lambda: calls.append("later"))
    clock.reach(24.9)
    assert calls == ["earlier"]
    clock.reach(25)
    assert calls == ["earlier", "later"]


def test_a_cleared_alarm_is_silent_and_a_stopped_one_leaves_no_timer():
    clock, calls = Clock(), []
    alarm = Alarm(clock)
    alarm.set(1, lambda: calls.append("cleared"))
    alarm.clear()
    clock.reach(2)
    alarm.set(1, lambda: calls.append("stopped"))
    alarm.stop()
    assert all(timer.cancelled for timer in clock.timers)
    clock.reach(4)
    assert calls == []


def test_setting_an_alarm_anew_makes_no_new_timer():
    clock = Clock()
    alarm = Alarm(clock)
    for _ in range(1000):
        alarm.set(60, lambda: None)
        clock.reach(clock.now + 0.01)
        alarm.clear()
    assert len(clock.timers) == 1
