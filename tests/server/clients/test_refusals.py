"""What can't be read without guessing is answered, closed and recorded; nothing after it is ever served."""

from __future__ import annotations

import asyncio
import json

import pytest

from proxy.caching.decision import Outcome
from proxy.server.settings import ServerSettings
from tests.server.conftest import Listening
from tests.server.served import GET, target

QUICK = ServerSettings(linger=0.05)
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

SMUGGLING = {
    "both lengths and chunks": (b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and then a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: 36\r\n\r\n", 400),
    "a list of lengths": (b"Content-Length: 0, 36\r\n\r\n", 400),
    "a signed length": (b"Content-Length: +0\r\n\r\n", 400),
    "a length with a space before its colon": (b"Content-Length : 36\r\n\r\n", 400),
    "a folded length": (b"Content-Length:\r\n 36\r\n\r\n", 400),
    "a length after a bare LF": (b"X: y\nContent-Length: 36\r\n\r\n", 400),
    "a length after a bare CR": (b"X: y\rContent-Length: 36\r\n\r\n", 400),
    "a length after a NUL": (b"X: y\0\r\nContent-Length: 36\r\n\r\n", 400),
    "a coding in a tab": (b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "two codings": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
    "chunked not last": (b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "an unknown coding": (b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "a coding in quotes": (b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 400),
    "a coding with a space before its colon": (b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "a folded coding": (b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "a coding whose name has a space": (b"Transfer Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "an empty coding": (b"Transfer-Encoding:\r\n\r\n", 400),
    "a head that ends in LF LF": (b"X: y\n\n", 400),
    "a second Host": (b"Host: b\r\n\r\n", 400),
    "no colon": (b"Content-Length 36\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", SMUGGLING)
async def test_a_request_that_could_hide_another_is_refused(listening: Listening, case: str) -> None:
    ending, status = SMUGGLING[case]
    served = await listening(target, QUICK)
    data = await served.everything(b"POST / HTTP/1.1\r\nHost: a\r\n" + ending + SMUGGLED)
    head, _, content = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close" in head
    problem = json.loads(content)
    assert problem["status"] == status
    [account] = await served.records(1)
    assert problem["instance"] == f"urn:uuid:{account.id}"
    assert account.error
    assert account.response is not None
    assert account.response.status == status
    assert account.decision is not None
    assert account.decision.outcome is Outcome.REFUSED
    assert (await served.ask(GET)).head.status == 200


async def test_chunks_in_http_1_0_are_refused(listening: Listening) -> None:
    served = await listening(target, QUICK)
    answer = await served.ask(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert answer.head.status == 400


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /\r\n", 400),
        (b"GET / HTTP/1.1\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 12000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 300 + b"\r\n", 431),
    ],
)
async def test_what_can_never_become_a_request_is_not_waited_for(
    listening: Listening, data: bytes, status: int
) -> None:
    served = await listening(target, QUICK)
    assert (await served.ask(data)).head.status == status


async def test_a_refusal_says_who_refused_and_why(listening: Listening) -> None:
    served = await listening(target, QUICK, name="edge")
    answer = await served.ask(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
    assert answer.field(b"proxy-status") == (
        b'edge;error=http_request_error;details="white space between a field name and its colon '
        b'(RFC 9112 section 5.1): line 2: Host "'
    )
    assert answer.field(b"via") is None
    assert answer.field(b"date") is not None


async def test_a_head_request_is_refused_without_content(listening: Listening) -> None:
    served = await listening(target, QUICK)
    data = await served.everything(b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 400 ")
    assert data.endswith(b"\r\n\r\n")


async def test_answers_before_a_bad_request_are_not_lost(listening: Listening) -> None:
    served = await listening(target, QUICK)
    data = await served.everything(GET + GET + b"nonsense\r\n\r\n" + GET)
    assert data.count(b"HTTP/1.1 200 ") == 2
    assert data.count(b"HTTP/1.1 ") == 3
    assert len(await served.records(3)) == 3


async def test_the_record_of_what_could_not_be_read(listening: Listening) -> None:
    served = await listening(target, QUICK)
    await served.ask(b"GET /a HTTP/1.1\r\nHost: a\r\nX: \0" + b"y" * 500 + b"\r\n\r\n")
    [account] = await served.records(1)
    assert account.received is None
    assert account.raw.startswith(b"GET /a HTTP/1.1\r\nHost: a\r\nX: \0yyy")
    assert len(account.raw) == 256


async def test_the_record_of_what_could_be_read_but_not_taken(listening: Listening) -> None:
    served = await listening(target, QUICK)
    await served.ask(b"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
    [account] = await served.records(1)
    assert account.received is not None
    assert account.received.target == b"/a"
    assert account.raw == b""


async def test_the_record_has_no_credentials_in_it(listening: Listening) -> None:
    served = await listening(target, QUICK)
    await served.ask(
        b"GET /a?token=secret1 HTTP/1.1\r\nAuthorization: Bearer secret2\r\ncookie: secret3\r\n"
        b"X-Api-Key:secret4\r\nnonsense\r\n\r\n"
    )
    [account] = await served.records(1)
    assert b"secret" not in account.raw
    assert account.raw.startswith(b"GET /a?token=*** HTTP/1.1\r\nAuthorization: ***")


async def test_the_answer_to_a_bad_request_can_be_read_although_the_client_still_sends(
    listening: Listening,
) -> None:
    served = await listening(target)
    wire = await served.connect()
    await wire.send(b"nonsense\r\n\r\n")
    assert (await wire.head()).status == 400
    for _ in range(100):
        await wire.send(b"x" * 10000)
        await asyncio.sleep(0)
    assert json.loads(await wire.rest())["status"] == 400
