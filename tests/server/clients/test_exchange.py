"""Requests and responses pass as they are, one after the other on a connection."""

from __future__ import annotations

import asyncio

import pytest

from proxy.engine.downstream import ClientGone, Downstream
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.response import Response
from proxy.server.clients.line import Line
from proxy.server.settings import ServerSettings
from proxy.visibility.account import Account
from tests.server.conftest import Listening
from tests.server.served import GET, LAST, content_of, echo, saying, target


async def test_a_request_reaches_the_handler_as_it_was_sent(listening: Listening) -> None:
    seen: list[Downstream] = []

    async def handle(client: Downstream, account: Account) -> None:
        seen.append(client)
        await target(client, account)

    served = await listening(handle)
    await served.ask(
        b"PuRGE /a%2F//../b;c??\xc3\xa9 HTTP/1.1\r\nhOst: Example:80\r\nX-A: \xff\r\nx-a: 2\r\n\r\n"
    )
    received = seen[0].received
    assert received.method == b"PuRGE"
    assert received.target == b"/a%2F//../b;c??\xc3\xa9"
    assert list(received.fields) == [(b"hOst", b"Example:80"), (b"X-A", b"\xff"), (b"x-a", b"2")]
    assert (received.scheme, received.authority) == (b"http", b"Example:80")
    assert seen[0].content is None


async def test_a_response_reaches_the_client_as_it_was_given(listening: Listening) -> None:
    lines = [
        (b"X-B", b"1"),
        (b"Server", b"\xe9"),
        (b"x-b", b"2"),
        (b"CONTENT-LENGTH", b"2"),
        (b"X-Empty", b""),
    ]
    served = await listening(saying(Response(299, Fields(lines), b"Rather f\xefne"), b"ok", length=2))
    assert await served.everything(LAST) == (
        b"HTTP/1.1 299 Rather f\xefne\r\nX-B: 1\r\nServer: \xe9\r\nx-b: 2\r\n"
        b"CONTENT-LENGTH: 2\r\nX-Empty: \r\n"
        b"Via: 1.1 pellucid\r\nConnection: close\r\n\r\nok"
    )


async def test_an_answer_is_kept_account_of(listening: Listening) -> None:
    served = await listening(saying(Response(200, NO_FIELDS, b"OK"), b"four", length=4))
    wire = await served.connect()
    await wire.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    answer = await wire.answer()
    [account] = await served.records(1)
    host, port = wire.writer.get_extra_info("sockname")
    assert account.client == f"{host}:{port}"
    assert account.received is not None
    assert account.received.target == b"/a"
    assert account.response == answer.head
    assert (account.request_bytes, account.response_bytes) == (3, 4)
    assert account.first_byte is not None
    assert account.duration is not None
    assert 0 <= account.first_byte <= account.duration
    assert account.complete
    assert account.error == ""


async def test_every_exchange_has_an_id_of_its_own(listening: Listening) -> None:
    served = await listening(target)
    await served.everything(GET + GET + LAST)
    assert len({account.id for account in await served.records(3)}) == 3


async def test_a_connection_is_used_again(listening: Listening) -> None:
    served = await listening(target)
    wire = await served.connect()
    for path in (b"/1", b"/2", b"/3"):
        await wire.send(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await wire.answer()
        assert answer.content == path
        assert answer.field(b"connection") is None


async def test_pipelined_requests_are_answered_in_order(listening: Listening) -> None:
    under_way = 0

    async def slowly(client: Downstream, account: Account) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(0.01 if client.received.target == b"/0" else 0)
        await target(client, account)
        under_way -= 1

    served = await listening(slowly)
    wire = await served.connect()
    await wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50)))
    assert [(await wire.answer()).content for _ in range(50)] == [b"/%d" % number for number in range(50)]


async def test_pipelined_requests_with_content(listening: Listening) -> None:
    served = await listening(echo)
    wire = await served.connect()
    await wire.send(
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n"
        b"POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" + GET
    )
    contents = [(await wire.answer()).content.partition(b"\r\n\r\n")[2] for _ in range(4)]
    assert contents == [b"abc", b"def", b"", b""]


async def test_after_close_nothing_more_is_served(listening: Listening) -> None:
    served = await listening(target)
    data = await served.everything(LAST + GET)
    assert data.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close\r\n" in data
    assert len(await served.records(1)) == 1


async def test_content_of_unknown_length_goes_chunked(listening: Listening) -> None:
    lines = Fields([(b"Content-Length", b"99")])
    served = await listening(saying(Response(200, lines, b"OK"), b"one ", b"", b"two"))
    data = await served.everything(LAST)
    assert data.endswith(
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    assert b"Content-Length" not in data


@pytest.mark.parametrize("te", [b"", b"TE: trailers\r\n"])
async def test_trailers_go_to_those_who_want_them(listening: Listening, te: bytes) -> None:
    trailers = Fields([(b"Digest", b"x"), (b"Content-Length", b"5")])
    served = await listening(saying(Response(200, NO_FIELDS, b"OK"), b"one", trailers=trailers))
    answer = await served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + te + b"\r\n")
    assert answer.content == b"one"
    assert list(answer.trailers) == ([(b"Digest", b"x")] if te else [])


async def test_a_wrong_content_length_never_gets_out(listening: Listening) -> None:
    for value in (b"99", b"2, 2", b""):
        response = Response(200, Fields([(b"Content-Length", value), (b"content-length", value)]), b"OK")
        served = await listening(saying(response, b"ok", length=2))
        answer = await served.ask(GET)
        assert answer.head.fields.all(b"content-length") == (b"2",)


@pytest.mark.parametrize("status", [204, 304])
async def test_responses_without_content(listening: Listening, status: int) -> None:
    lines = Fields([(b"Content-Length", b"5"), (b"ETag", b'"a"')])
    served = await listening(saying(Response(status, lines, b"Fine"), length=0))
    wire = await served.connect()
    await wire.send(GET + GET)
    for _ in range(2):
        answer = await wire.answer()
        assert answer.head.status == status
        assert answer.field(b"content-length") == (None if status == 204 else b"5")
        assert answer.field(b"transfer-encoding") is None


@pytest.mark.parametrize("length", [0, None])
async def test_head_has_the_fields_but_no_content(listening: Listening, length: int | None) -> None:
    served = await listening(saying(Response(200, Fields([(b"Content-Length", b"5")]), b"OK"), length=length))
    wire = await served.connect()
    await wire.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
    for _ in range(2):
        answer = await wire.answer(b"HEAD")
        assert answer.field(b"content-length") == b"5"
        assert answer.field(b"transfer-encoding") is None


async def test_hop_by_hop_fields_of_a_response_stay_here(listening: Listening) -> None:
    lines = [(b"Connection", b"X-Private"), (b"X-Private", b"1"), (b"Keep-Alive", b"5"), (b"X-Public", b"2")]
    served = await listening(saying(Response(200, Fields(lines), b"OK", (1, 0)), length=0))
    answer = await served.ask(GET)
    assert list(answer.head.fields) == [
        (b"X-Public", b"2"),
        (b"Via", b"1.0 pellucid"),
        (b"Content-Length", b"0"),
    ]


async def test_http_1_0_clients_get_the_end_of_the_connection(listening: Listening) -> None:
    served = await listening(saying(Response(200, NO_FIELDS, b"OK"), b"one ", b"two"))
    data = await served.everything(b"GET / HTTP/1.0\r\n\r\n")
    assert data == b"HTTP/1.1 200 OK\r\nVia: 1.1 pellucid\r\nConnection: close\r\n\r\none two"


async def test_http_1_0_clients_may_ask_for_more(listening: Listening) -> None:
    served = await listening(target)
    wire = await served.connect()
    for path in (b"/1", b"/2"):
        await wire.send(b"GET " + path + b" HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        answer = await wire.answer()
        assert answer.content == path
        assert answer.field(b"connection") == b"keep-alive"


async def test_what_is_at_hand_at_the_same_time_leaves_in_one_piece(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = Line.write

    def noted(line: Line, data: bytes) -> None:
        written.append(data)
        write(line, data)

    monkeypatch.setattr(Line, "write", noted)
    served = await listening(target)
    await served.ask(GET)
    assert written == [b"HTTP/1.1 200 OK\r\nVia: 1.1 pellucid\r\nContent-Length: 1\r\n\r\n/"]


async def test_a_head_does_not_wait_for_content(listening: Listening) -> None:
    go_on = asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), 4)
        await go_on.wait()
        await client.write(b"late")
        await client.finish(NO_FIELDS)

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(GET)
    assert (await wire.head()).status == 200
    go_on.set()
    assert await wire.exactly(4) == b"late"


async def test_interim_responses_go_on_to_those_who_understand_them(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.interim(
            Response(103, Fields([(b"Link", b"</a>"), (b"Connection", b"x")]), b"Early Hints")
        )
        await target(client, account)
        await client.interim(Response(103))

    served = await listening(handle)
    assert await served.everything(b"GET /x HTTP/1.0\r\n\r\n") == (
        b"HTTP/1.1 200 OK\r\nVia: 1.1 pellucid\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/x"
    )
    wire = await served.connect()
    await wire.send(GET)
    hint = await wire.head()
    assert (hint.status, list(hint.fields)) == (103, [(b"Link", b"</a>")])
    assert (await wire.answer()).content == b"/"


async def test_a_handler_that_fails_is_answered_for(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        raise ZeroDivisionError("secret")

    served = await listening(handle)
    answer = await served.ask(GET)
    assert answer.head.status == 500
    assert b"secret" not in answer.content
    assert b"error=proxy_internal_error" in (answer.field(b"proxy-status") or b"")
    [account] = await served.records(1)
    assert account.id.encode() in answer.content
    assert "ZeroDivisionError" in account.error
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("faulty", ["too much", "too little", "nothing", "no end", "no head", "two heads"])
async def test_a_handler_that_breaks_its_word_never_sends_a_message_that_looks_whole(
    listening: Listening, faulty: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        if faulty == "nothing":
            return
        if faulty == "no head":
            await client.write(b"x")
        await client.start(Response(200, NO_FIELDS, b"OK"), 4)
        if faulty == "two heads":
            await client.start(Response(200, NO_FIELDS, b"OK"), 4)
        await client.write(
            b"hello" if faulty == "too much" else b"hel" if faulty == "too little" else b"four"
        )
        if faulty != "no end":
            await client.finish(NO_FIELDS)

    served = await listening(handle)
    data = await served.everything(LAST)
    if faulty in ("nothing", "no head"):
        assert data.startswith(b"HTTP/1.1 500 ")
    else:
        assert data.partition(b"\r\n\r\n")[2] in (b"", b"hel", b"four")
        assert not (await served.records(1))[0].complete


async def test_a_connection_is_ready_between_requests_only(listening: Listening) -> None:
    during: list[bool] = []

    async def handle(client: Downstream, account: Account) -> None:
        [connection] = manager.open
        during.append(connection.ready)
        await target(client, account)

    served = await listening(handle)
    manager = served.listener._manager
    assert manager is not None
    wire = await served.connect()
    await wire.send(GET)
    await wire.answer()
    await asyncio.sleep(0)
    [connection] = manager.open
    assert (during, connection.ready) == ([False], True)
    await wire.send(GET[:10])
    while connection.ready:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)
    await wire.send(GET[10:])
    await wire.answer()
    assert during == [False, False]


async def test_many_clients_at_once(listening: Listening) -> None:
    served = await listening(echo)

    async def client(number: int) -> None:
        wire = await served.connect()
        for turn in range(5):
            path = b"/%d/%d" % (number, turn)
            await wire.send(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await wire.answer()).content.startswith(b"GET " + path + b" ")

    await asyncio.gather(*(client(number) for number in range(40)))
    assert len(await served.records(200)) == 200


async def test_large_contents_pass_both_ways(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), None)
        assert client.content is not None
        async for piece in client.content.pieces:
            await client.write(piece)
        await client.finish(NO_FIELDS)

    served = await listening(handle, ServerSettings(read_buffer=4096, write_buffer=4096))
    content = bytes(range(256)) * 8192
    wire = await served.connect()
    sending = asyncio.ensure_future(
        wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
    )
    assert (await wire.answer()).content == content
    await sending
    [account] = await served.records(1)
    assert (account.request_bytes, account.response_bytes) == (len(content), len(content))


async def test_content_can_be_read_after_the_answer_has_begun(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), 3)
        await client.write(await content_of(client))
        await client.finish(NO_FIELDS)

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    assert (await wire.head()).status == 200
    await wire.send(
        b"abc" + GET.replace(b"GET", b"POST", 1).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\ndef")
    )
    assert await wire.exactly(3) == b"abc"
    assert (await wire.answer()).content == b"def"


async def test_writing_to_a_client_that_left_says_so(listening: Listening) -> None:
    caught: list[BaseException] = []

    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), None)
        try:
            while True:
                await client.write(b"x" * 65536)
        except (ClientGone, asyncio.CancelledError) as error:
            caught.append(error)
            raise

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(GET)
    await wire.head()
    await wire.reset()
    [account] = await served.records(1)
    assert len(caught) == 1
    assert not account.complete
    assert account.error
