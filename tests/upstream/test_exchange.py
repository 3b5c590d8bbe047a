"""Whole exchanges with servers that send exactly these bytes."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from proxy.message.fields import Fields
from proxy.upstream.contract import BrokenResponse, MalformedResponse, Unreachable, UpstreamError


async def test_head_and_content_come_as_they_were_sent(kit):
    client, origin = await kit.talk(
        kit.answering(
            b"HTTP/1.1 200 Fine  by me\r\nX-oDD:  a \r\nConnection: x\r\nContent-length: 5\r\n\r\nhello"
        )
    )
    response = await client.send(b"GET", b"/a?b", (b"x-CASE", b"1"), (b"X-Other", b"2"))
    assert origin.requests == [
        b"GET /a?b HTTP/1.1\r\nHost: origin.example\r\nx-CASE: 1\r\nX-Other: 2\r\n\r\n"
    ]
    assert response.head.status == 200
    assert response.head.reason == b"Fine  by me"
    assert list(response.head.fields) == [(b"X-oDD", b"a"), (b"Connection", b"x"), (b"Content-length", b"5")]
    assert response.length == 5
    assert await kit.read_all(response) == b"hello"
    assert await response.read() == b""


async def test_chunked_content_with_trailers(kit):
    client, _ = await kit.talk(
        kit.answering(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nDigest: abc\r\n\r\n"
        )
    )
    response = await client.send()
    assert response.length is None
    assert await kit.read_all(response) == b"hello, world"
    assert list(response.trailers) == [(b"Digest", b"abc")]


async def test_content_that_ends_with_the_connection(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.0 200 OK\r\n\r\n", b"some", b" more")

    client, _ = await kit.talk(script)
    response = await client.send()
    assert response.length is None
    assert await kit.read_all(response) == b"some more"


@pytest.mark.parametrize(
    ("method", "head"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_responses_without_content_leave_the_connection_usable(kit, ok, method, head):
    client, origin = await kit.talk(kit.answering(head, ok))
    response = await client.send(method)
    assert response.length == 0
    assert await response.read() == b""
    assert await client.fetch() == (200, b"ok")
    assert origin.connections == 1


async def test_interim_responses_are_passed_on_as_they_come(kit):
    heads = [b"HTTP/1.1 %d Wait\r\nLink: </%d>\r\n\r\n" % (status, status) for status in (100, 102, 103, 199)]
    seen_first = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await conversation.say(heads[0])
        await seen_first.wait()
        await conversation.say(
            heads[1] + heads[2][:9], heads[2][9:] + heads[3] + b"HTTP/1.1 204 Done\r\n\r\n"
        )
        await conversation.closed()

    client, _ = await kit.talk(script)
    passing_on = client.interim

    async def interim(response):
        await passing_on(response)
        seen_first.set()

    client.interim = interim
    assert await client.fetch() == (204, b"")
    assert [response.status for response in client.interims] == [100, 102, 103, 199]
    assert client.interims[2].fields == Fields([(b"Link", b"</103>")])


async def test_what_the_interim_callback_raises_ends_the_exchange(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        closed.set_result(await conversation.closed())

    class GoneError(Exception):
        pass

    async def interim(response):
        raise GoneError

    closed = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    client.interim = interim
    with pytest.raises(GoneError):
        await client.send()
    assert await closed == b""


@pytest.mark.parametrize(
    ("answer", "kind", "token"),
    [
        (b"", Unreachable, "connection_terminated"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", BrokenResponse, "http_response_incomplete"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", BrokenResponse, "http_response_incomplete"),
        (b"<html>hello</html>", MalformedResponse, "http_protocol_error"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", MalformedResponse, "http_protocol_error"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", MalformedResponse, "http_protocol_error"),
        (b"HTTP/2 200\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/0.9 200 OK\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 099 Low\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 20x OK\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", MalformedResponse, "http_protocol_error"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            MalformedResponse,
            "http_protocol_error",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            MalformedResponse,
            "http_response_transfer_coding",
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000, MalformedResponse, "http_response_header_section_size"),
        (
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
            MalformedResponse,
            "http_response_header_section_size",
        ),
        (b"HTTP/1.1 103 Hint\r\n\r\n" * 20000, MalformedResponse, "http_response_header_section_size"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", MalformedResponse, "http_protocol_error"),
    ],
)
async def test_what_is_no_response_is_an_error_with_its_token(kit, answer, kind, token):
    async def script(conversation):
        await conversation.request()
        await conversation.say(answer)

    client, origin = await kit.talk(script)
    with pytest.raises(UpstreamError) as caught:
        await client.send()
    assert type(caught.value) is kind
    assert caught.value.token == token
    assert caught.value.status == 502
    assert caught.value.server == str(origin.server)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "beginning", [b"<html>", b"HTTP/2 200\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"ICY 200 OK\r\n"]
)
async def test_another_protocol_is_noticed_though_the_server_keeps_the_connection_open(kit, beginning):
    async def script(conversation):
        await conversation.request()
        await conversation.say(beginning)
        await conversation.closed()

    client, _ = await kit.talk(script)
    with pytest.raises(MalformedResponse, match="doesn't answer in HTTP/1"):
        await client.send()


@pytest.mark.parametrize(
    ("answer", "before", "kind", "token"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
            b"hello",
            BrokenResponse,
            "http_response_incomplete",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            b"hello",
            BrokenResponse,
            "http_response_incomplete",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n",
            b"hello",
            BrokenResponse,
            "http_response_incomplete",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
            b"",
            MalformedResponse,
            "http_response_transfer_coding",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + b"x" * 70000,
            b"",
            MalformedResponse,
            "http_response_trailer_section_size",
        ),
    ],
)
async def test_content_that_breaks_off_is_never_taken_for_whole(kit, answer, before, kind, token):
    head, _, content = answer.partition(b"\r\n\r\n")

    async def script(conversation):
        await conversation.request()
        await conversation.say(head + b"\r\n\r\n", content)

    client, _ = await kit.talk(script)
    response = await client.send()
    assert before == b"" or await response.read() == before
    with pytest.raises(UpstreamError) as caught:
        await response.read()
    assert type(caught.value) is kind
    assert caught.value.token == token
    with pytest.raises(kind):
        await response.read()


async def test_a_reset_ends_close_delimited_content_with_an_error(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 200 OK\r\n\r\nsome")
        await go.wait()
        conversation.abort()

    go = asyncio.Event()
    client, _ = await kit.talk(script)
    response = await client.send()
    assert await response.read() == b"some"
    go.set()
    with pytest.raises(BrokenResponse):
        await response.read()


async def test_closing_early_closes_the_connection(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        closed.set_result(await conversation.closed())

    closed = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    response = await client.send()
    response.close()
    assert await closed == b""
    with pytest.raises(BrokenResponse, match="given up"):
        await response.read()


async def test_leaving_while_waiting_for_the_head_closes_the_connection(kit):
    async def script(conversation):
        await conversation.request()
        asked.set()
        closed.set_result(await conversation.closed())

    asked = asyncio.Event()
    closed = asyncio.get_running_loop().create_future()
    client, _ = await kit.talk(script)
    sending = asyncio.create_task(client.send())
    await asked.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await closed == b""


WHOLE = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 103 Hints\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
]


async def test_damaged_responses_are_responses_or_upstream_errors(kit):
    """And none of them leaves anything behind for the next exchange."""
    random = Random(9112)

    async def script(conversation):
        while request := await conversation.request():
            if request.startswith(b"HEAD"):
                await conversation.say(b"HTTP/1.1 299 Mine\r\nContent-Length: 0\r\n\r\n")
                continue
            data = bytearray(random.choice(WHOLE))
            for _ in range(random.randrange(3)):
                place = random.randrange(len(data))
                data[place : place + random.randrange(3)] = random.randbytes(random.randrange(3))
            await conversation.say(bytes(data))
            if random.random() < 0.7:
                return

    client, _ = await kit.talk(script, first_byte=0.2, between_bytes=0.2)
    outcomes = set()
    for _ in range(60):
        try:
            status, content = await client.fetch()
            outcomes.add("response")
            assert status == 299 or len(content) <= 120
        except UpstreamError as error:
            outcomes.add(error.token)
        status, content = await client.fetch(b"HEAD")
        assert (status, content) == (299, b"")
    assert "response" in outcomes
    assert len(outcomes) > 2


async def test_timing_tells_first_and_later_exchanges_apart(kit, ok):
    client, origin = await kit.talk(kit.answering(ok, ok))
    first = (await client.send()).timing
    second = (await client.send()).timing
    assert (first.server, first.reused, first.attempts) == (str(origin.server), False, 1)
    assert first.connect > 0
    assert first.first_byte > 0
    assert (second.reused, second.connect) == (True, 0.0)
