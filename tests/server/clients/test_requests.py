"""Requests with content, cut into pieces, and with expectations."""

from __future__ import annotations

import asyncio

import pytest

from proxy.engine.downstream import Downstream
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.response import Response
from proxy.server.settings import ServerSettings
from proxy.visibility.account import Account
from tests.server.conftest import Listening
from tests.server.served import GET, LAST, Wire, content_of, echo, target

REQUESTS = {
    "no content": b"GET /a?b HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n",
    "some content": b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "in chunks": b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=y\r\nhello\r\n3\r\n\r\n!\r\n0\r\nX: y\r\n\r\n",
    "after an empty line": b"\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n",
}


async def sent_in_pieces(wire: Wire, *pieces: bytes) -> None:
    for piece in pieces:
        await wire.send(piece)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.mark.parametrize("case", REQUESTS)
async def test_it_does_not_matter_where_a_request_is_cut(listening: Listening, case: str) -> None:
    served = await listening(echo)
    request = REQUESTS[case]
    wire = await served.connect()
    await wire.send(request)
    whole = (await wire.answer()).content
    for place in range(1, len(request)):
        await sent_in_pieces(wire, request[:place], request[place:])
        assert (await wire.answer()).content == whole


@pytest.mark.parametrize("case", REQUESTS)
async def test_a_request_may_come_byte_by_byte(listening: Listening, case: str) -> None:
    served = await listening(echo)
    request = REQUESTS[case]
    wire = await served.connect()
    await wire.send(request)
    whole = (await wire.answer()).content
    await sent_in_pieces(wire, *[request[at : at + 1] for at in range(len(request))])
    assert (await wire.answer()).content == whole


async def test_content_and_trailers_arrive(listening: Listening) -> None:
    seen: list[object] = []

    async def handle(client: Downstream, account: Account) -> None:
        assert client.content is not None
        seen.extend((client.content.length, await content_of(client), list(client.content.trailers())))
        await target(client, account)

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(REQUESTS["in chunks"].replace(b"X: y\r\n", b"Host: b\r\nX: y\r\n"))
    await wire.answer()
    await wire.send(REQUESTS["some content"])
    await wire.answer()
    assert seen == [None, b"hello\r\n!", [(b"X", b"y")], 5, b"hello", []]
    assert [account.request_bytes for account in await served.records(2)] == [8, 5]


async def test_every_method_may_have_content(listening: Listening) -> None:
    served = await listening(echo)
    for method in (b"GET", b"DELETE", b"OPTIONS", b"QUERY"):
        answer = await served.ask(method + b" / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        assert answer.content.endswith(b"\r\n\r\nhi")


async def test_content_that_nobody_reads_does_not_become_a_request(listening: Listening) -> None:
    served = await listening(target)
    wire = await served.connect()
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    await wire.send(
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(smuggled) + smuggled + GET
    )
    assert (await wire.answer()).content == b"/1"
    assert (await wire.answer()).content == b"/"


async def test_content_that_nobody_reads_is_read_if_it_is_little(listening: Listening) -> None:
    served = await listening(target)
    wire = await served.connect()
    await wire.send(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
    assert (await wire.answer()).field(b"connection") is None
    await wire.send(b"67890" + LAST)
    assert (await wire.answer()).content == b"/last"


async def test_content_whose_reader_gave_up_is_read_if_it_is_little(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        reading = asyncio.ensure_future(content_of(client))
        await asyncio.sleep(0)
        await target(client, account)
        reading.cancel()

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
    assert (await wire.answer()).field(b"connection") is None
    await wire.send(b"67890" + LAST)
    assert (await wire.answer()).content == b"/last"


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
async def test_content_that_nobody_reads_ends_the_connection_if_it_may_be_much(
    listening: Listening, framing: bytes
) -> None:
    served = await listening(target, ServerSettings(drain=100, linger=0.05))
    wire = await served.connect()
    await wire.send(b"POST /1 HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    answer = await wire.answer()
    assert (answer.content, answer.field(b"connection")) == (b"/1", b"close")
    assert await wire.rest() == b""


async def test_the_last_answer_can_be_read_although_the_client_still_sends(listening: Listening) -> None:
    """An immediate close would reset the connection, and the client might lose its answer (RFC 9112 §9.6)."""
    served = await listening(target, ServerSettings(drain=100))
    wire = await served.connect()
    await wire.send(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
    assert (await wire.head()).status == 200
    for _ in range(100):
        await wire.send(b"x" * 10000)
        await asyncio.sleep(0)
    assert await wire.rest() == b"/1"


@pytest.mark.parametrize(
    "body", [b"x\r\n", b"5\r\nhello!\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"0\r\nX : y\r\n\r\n"]
)
async def test_content_that_is_badly_chunked_is_refused(listening: Listening, body: bytes) -> None:
    served = await listening(echo, ServerSettings(linger=0.05))
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    for pieces in ([head + body + GET], [head, body + GET]):
        wire = await served.connect()
        await sent_in_pieces(wire, *pieces)
        answer = await wire.answer()
        assert answer.head.status == 400
        assert answer.field(b"connection") == b"close"
        assert await wire.rest() == b""
    assert [account.complete for account in await served.records(2)] == [True, True]


async def test_content_that_is_known_to_be_bad_is_shown_to_nobody(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        raise AssertionError("who would forward this?")

    served = await listening(handle, ServerSettings(linger=0.05))
    answer = await served.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
    assert answer.head.status == 400


async def test_requests_sent_ahead_do_not_make_other_clients_wait(listening: Listening) -> None:
    served = await listening(target)
    flooding, other = await served.connect(), await served.connect()
    flooding.writer.write(GET * 500)
    other.writer.write(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await other.answer()).content == b"/other"
    before = [account.received.target for account in served.accounts if account.received]
    assert before.index(b"/other") < 250


IN_BYTES = b"POST /bytes HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
IN_BYTES += b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n"


@pytest.mark.parametrize("ends", [False, True])
async def test_content_in_chunks_of_a_byte(listening: Listening, ends: bool) -> None:
    served = await listening(echo)
    wire = await served.connect()
    await wire.send(IN_BYTES + GET + IN_BYTES)
    if ends:
        wire.writer.write_eof()
    for content in (b"x" * 5000, b"", b"x" * 5000):
        assert (await wire.answer()).content.partition(b"\r\n\r\n")[2] == content


async def test_content_in_chunks_of_a_byte_does_not_make_other_clients_wait(listening: Listening) -> None:
    served = await listening(echo)
    slow, quick = await served.connect(), await served.connect()
    slow.writer.write(IN_BYTES)
    quick.writer.write(GET)
    await slow.answer()
    await quick.answer()
    assert [account.request_bytes for account in served.accounts] == [0, 5000]


async def test_the_end_of_the_connection_is_no_end_of_content_in_chunks_of_a_byte(
    listening: Listening,
) -> None:
    served = await listening(echo)
    wire = await served.connect()
    await wire.send(IN_BYTES[:-5])
    wire.writer.write_eof()
    assert await wire.rest() == b""
    [account] = await served.records(1)
    assert not account.complete


@pytest.mark.parametrize(("lines", "status"), [(100, 200), (200, 400)])
async def test_a_few_empty_lines_before_a_request_are_passed_over(
    listening: Listening, lines: int, status: int
) -> None:
    served = await listening(target, ServerSettings(linger=0.05))
    wire = await served.connect()
    await sent_in_pieces(wire, *[b"\r\n" * (lines // 4)] * 4, GET)
    assert (await wire.answer()).head.status == status


async def test_content_that_breaks_after_the_answer_began_breaks_the_answer(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), None)
        await client.write(b"so far")
        await client.write(await content_of(client))
        await client.finish(NO_FIELDS)

    served = await listening(handle, ServerSettings(linger=0.05))
    wire = await served.connect()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    await wire.head()
    await wire.send(b"nonsense\r\n")
    assert await wire.rest() == b"6\r\nso far\r\n"
    [account] = await served.records(1)
    assert not account.complete
    assert "chunk-size" in account.error


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_too_much_content(listening: Listening, framing: str) -> None:
    served = await listening(echo, ServerSettings(content_bytes=10, linger=0.05))
    if framing == "length":
        data = b"Content-Length: 11\r\n\r\n12345678901"
    else:
        data = b"Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n"
    answer = await served.ask(b"POST / HTTP/1.1\r\nHost: a\r\n" + data)
    assert answer.head.status == 413
    assert (
        await served.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234567890")
    ).head.status == 200


EXPECTING = b"POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"


async def test_who_reads_the_content_asks_for_it(listening: Listening) -> None:
    served = await listening(echo)
    wire = await served.connect()
    await wire.send(EXPECTING)
    assert (await wire.head()).status == 100
    await wire.send(b"hello")
    assert (await wire.answer()).content.endswith(b"\r\n\r\nhello")


async def test_the_origin_s_own_100_goes_to_the_client_and_only_one_of_them(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        assert client.request.fields.get(b"expect") == b"100-Continue"
        await client.interim(Response(100, Fields([(b"X-From", b"origin")]), b"Go on"))
        await client.interim(Response(100))
        await echo(client, account)

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(EXPECTING)
    interim = await wire.head()
    assert (interim.status, interim.reason, interim.fields.get(b"x-from")) == (100, b"Go on", b"origin")
    await wire.send(b"hello")
    assert (await wire.head()).status == 200


async def test_a_final_answer_instead_of_100_ends_the_connection(listening: Listening) -> None:
    """Whether the content will follow after all can't be known (RFC 9110 §10.1.1)."""
    served = await listening(target, ServerSettings(linger=0.05))
    wire = await served.connect()
    await wire.send(EXPECTING)
    answer = await wire.answer()
    assert (answer.head.status, answer.field(b"connection")) == (200, b"close")
    assert await wire.rest() == b""


async def test_a_client_that_does_not_wait_is_not_told_to_go_on(listening: Listening) -> None:
    served = await listening(echo)
    wire = await served.connect()
    await wire.send(EXPECTING + b"hello")
    assert (await wire.head()).status == 200


async def test_an_expectation_in_http_1_0_is_ignored(listening: Listening) -> None:
    served = await listening(echo)
    data = await served.everything(EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0") + b"hello")
    assert data.startswith(b"HTTP/1.1 200 ")
    assert b"Expect" not in data


async def test_other_expectations_are_the_origin_s_business(listening: Listening) -> None:
    served = await listening(echo)
    answer = await served.ask(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles=2\r\n\r\n")
    assert b"Expect: miracles=2\r\n" in answer.content


async def test_a_client_that_leaves_in_the_middle_of_its_content(listening: Listening) -> None:
    came = asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        assert client.content is not None
        async for piece in client.content.pieces:
            assert piece == b"hello"
            came.set()
        await target(client, account)

    for leave in ("close", "reset", "half"):
        served = await listening(handle)
        wire = await served.connect()
        await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        await came.wait()
        if leave == "half":
            wire.writer.write_eof()
        else:
            await (wire.close() if leave == "close" else wire.reset())
        [account] = await served.records(1)
        assert not account.complete
        assert account.request_bytes == 5
        assert account.error
        came.clear()
