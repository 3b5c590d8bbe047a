"""Requests with content on their way to the server."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.upstream.address import Server
from proxy.upstream.contract import BrokenResponse, Content, UpstreamError
from proxy.upstream.sending import outgoing

LENGTH = (b"Content-LENGTH", b"5")


def head_of(*lines: tuple[bytes, bytes], content: Content | None = None) -> list[bytes]:
    return outgoing(Request(b"POST", b"/", Fields(lines)), content).head.split(b"\r\n")[1:-2]


async def nothing():
    return
    yield b""


def test_a_known_length_stays_as_it_was_written():
    assert head_of((b"A", b"b"), LENGTH, (b"C", b"d"), content=Content(5, nothing())) == [
        b"A: b",
        b"Content-LENGTH: 5",
        b"C: d",
    ]


def test_without_a_length_content_goes_chunked():
    assert head_of((b"A", b"b"), content=Content(None, nothing())) == [b"A: b", b"Transfer-Encoding: chunked"]
    assert head_of((b"A", b"b"), content=Content(5, nothing())) == [b"A: b", b"Transfer-Encoding: chunked"]
    assert head_of(LENGTH, content=Content(None, nothing())) == [b"Transfer-Encoding: chunked"]


def test_no_framing_gets_out_that_does_not_fit_the_content():
    assert head_of(LENGTH, (b"A", b"b")) == [b"A: b"]
    assert head_of((b"Transfer-Encoding", b"chunked"), (b"A", b"b")) == [b"A: b"]
    assert head_of((b"Transfer-Encoding", b"x"), LENGTH, content=Content(5, nothing())) == [
        b"Content-LENGTH: 5"
    ]
    assert head_of((b"Content-Length", b"05"), content=Content(5, nothing())) == [b"Content-Length: 5"]
    assert head_of((b"Content-Length", b"7"), LENGTH, content=Content(5, nothing())) == [b"Content-Length: 5"]


def test_without_content_nothing_is_invented():
    assert head_of((b"A", b"b")) == [b"A: b"]
    assert head_of((b"Content-Length", b"0")) == [b"Content-Length: 0"]


async def test_content_of_known_length_goes_as_it_is(kit, ok):
    client, origin = await kit.talk(kit.answering(ok))
    content = kit.content_of(b"he", b"", b"llo", length=5)
    assert await client.fetch(b"PUT", b"/", LENGTH, content=content) == (200, b"ok")
    assert origin.requests == [b"PUT / HTTP/1.1\r\nHost: origin.example\r\nContent-LENGTH: 5\r\n\r\nhello"]


async def test_chunked_content_goes_with_its_trailers(kit, ok):
    async def script(conversation):
        head = await conversation.head()
        sent.set_result(head + await conversation.reader.readuntil(b"A: b\r\n\r\n"))
        await conversation.say(ok)
        await conversation.closed()

    sent = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    content = kit.content_of(b"he", b"", b"l" * 20, trailers=Fields([(b"A", b"b")]))
    assert await client.fetch(b"POST", content=content) == (200, b"ok")
    _, _, body = (await sent).partition(b"\r\n\r\n")
    assert body == b"2\r\nhe\r\n14\r\n" + b"l" * 20 + b"\r\n0\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("pieces", [(b"hell",), (b"hello!",), (b"he", b"lloo"), ()])
async def test_content_of_another_length_than_announced_does_not_pass_for_whole(kit, ok, pieces):
    async def script(conversation):
        sent.set_result(await conversation.closed())

    sent = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    with pytest.raises(UpstreamError, match="not as long as"):
        await client.send(b"PUT", b"/", LENGTH, content=kit.content_of(*pieces, length=5))
    assert len((await sent).partition(b"\r\n\r\n")[2]) < 5


async def test_what_the_pieces_raise_ends_the_exchange(kit):
    class GoneError(Exception):
        pass

    async def pieces():
        yield b"he"
        raise GoneError

    async def script(conversation):
        sent.set_result(await conversation.closed())

    sent = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    with pytest.raises(GoneError):
        await client.send(b"PUT", b"/", LENGTH, content=Content(5, pieces()))
    assert (await sent).endswith(b"\r\n\r\nhe")


@pytest.mark.parametrize("answer", [b"413 Content Too Large", b"302 Found"])
async def test_an_early_refusal_stops_the_content_and_closes_the_connection(kit, ok, answer):
    async def script(conversation):
        await conversation.head()
        if conversation.origin.connections == 1:
            await conversation.say(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\nno" % answer)
            closed.set_result(await conversation.closed())
        else:
            await conversation.say(ok)

    async def pieces():
        yield b"he"
        await asyncio.Event().wait()

    closed = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    status, content = await client.fetch(b"PUT", b"/", LENGTH, content=Content(5, pieces()))
    assert (status, content) == (int(answer[:3]), b"no")
    assert await closed == b"he"
    assert await client.fetch() == (200, b"ok")


async def test_a_server_may_answer_while_it_reads_on(kit, ok):
    """As servers do that work on content as it comes: success, and no word of closing."""

    async def script(conversation):
        await conversation.head()
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(2):
            await conversation.say((await conversation.reader.readexactly(5)).upper())
        await conversation.head()
        await conversation.say(ok)

    async def pieces():
        yield b"hello"
        await answered.wait()
        yield b"world"

    answered = asyncio.Event()
    client, origin = await kit.talk(script)
    response = await client.send(b"PUT", b"/", (b"Content-Length", b"10"), content=Content(10, pieces()))
    assert await response.read() == b"HELLO"
    answered.set()
    assert await kit.read_all(response) == b"WORLD"
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 1


async def test_a_whole_answer_before_the_end_of_the_content_closes_the_connection(kit, ok):
    async def script(conversation):
        await conversation.head()
        await conversation.say(ok)
        await conversation.closed()

    async def pieces():
        yield b"he"
        await asyncio.Event().wait()

    client, origin = await kit.talk(script)
    assert await client.fetch(b"PUT", b"/", LENGTH, content=Content(5, pieces())) == (200, b"ok")
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 2


async def test_an_answer_is_read_where_the_server_closes_without_reading_the_content(kit):
    """What it closed on resets the connection: sending fails while the answer waits to be read."""
    listener = socket.create_server(("127.0.0.1", 0))

    async def pieces():
        yield b"he"
        peer, _ = listener.accept()
        with peer:
            await kit.until(lambda: peer.recv(1000, socket.MSG_PEEK).endswith(b"he"))
            peer.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        yield b"llo"

    client = kit.client(Server("http", "127.0.0.1", listener.getsockname()[1]))
    with listener:
        answer = await client.fetch(b"PUT", b"/", LENGTH, content=Content(5, pieces()))
    assert answer == (413, b"no")


EXPECTING = (LENGTH, (b"Expect", b"100-Continue"))


async def test_expected_100_lets_the_content_go(kit, ok):
    events = []

    async def script(conversation):
        await conversation.head()
        await asyncio.sleep(0.02)
        assert not reading.is_set()
        await conversation.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await conversation.reader.readexactly(5) == b"hello"
        await conversation.say(ok)
        await conversation.closed()

    async def pieces():
        events.append("content")
        reading.set()
        yield b"hello"

    async def interim(response):
        events.append(response.status)

    reading = asyncio.Event()
    client, _ = await kit.talk(script, expectation=30.0)
    client.interim = interim
    assert await client.fetch(b"PUT", b"/", *EXPECTING, content=Content(5, pieces())) == (200, b"ok")
    assert events == [100, "content"]


async def test_without_a_100_the_content_goes_after_a_while(kit, ok):
    client, origin = await kit.talk(kit.answering(ok), expectation=0.01)
    content = kit.content_of(b"hello", length=5)
    assert await client.fetch(b"PUT", b"/", *EXPECTING, content=content) == (200, b"ok")
    assert origin.requests[0].endswith(b"hello")


@pytest.mark.parametrize("status", [b"200 OK", b"417 Expectation Failed"])
async def test_a_final_answer_in_the_place_of_100_keeps_the_content_here(kit, status):
    async def script(conversation):
        await conversation.head()
        await conversation.say(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
        closed.set_result(await conversation.closed())

    async def pieces():
        raise AssertionError("nobody asked for this")
        yield b""

    closed = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script, expectation=30.0)
    response = await client.send(b"PUT", b"/", *EXPECTING, content=Content(5, pieces()))
    assert response.head.status == int(status[:3])
    assert await closed == b""


async def test_a_server_that_leaves_while_content_is_sent_is_an_error(kit):
    async def script(conversation):
        await conversation.head()

    async def pieces():
        while True:
            yield b"x" * 65536
            await asyncio.sleep(0)

    client, _ = await kit.talk(script)
    with pytest.raises(UpstreamError) as caught:
        await client.send(b"POST", content=Content(None, pieces()))
    assert caught.value.token in ("connection_terminated", "http_response_incomplete")


async def test_a_failing_upload_after_the_head_breaks_the_response(kit):
    class GoneError(Exception):
        pass

    async def script(conversation):
        await conversation.head()
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        await conversation.closed()

    async def pieces():
        yield b"he"
        await answered.wait()
        raise GoneError

    answered = asyncio.Event()
    client, _ = await kit.talk(script)
    response = await client.send(b"PUT", b"/", LENGTH, content=Content(5, pieces()))
    answered.set()
    with pytest.raises(GoneError):
        await response.read()


async def test_giving_up_a_response_stops_the_upload(kit):
    async def script(conversation):
        await conversation.head()
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        await conversation.closed()

    async def pieces():
        try:
            yield b"he"
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set_result(None)
            raise

    stopped = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    response = await client.send(b"PUT", b"/", LENGTH, content=Content(5, pieces()))
    response.close()
    await stopped
    with pytest.raises(BrokenResponse):
        await response.read()
