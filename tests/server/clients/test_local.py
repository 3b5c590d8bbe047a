"""Requests that end at the proxy."""

from __future__ import annotations

import json

import pytest

from proxy.caching.decision import Outcome
from proxy.engine.downstream import Downstream
from proxy.server.settings import ServerSettings
from proxy.visibility.account import Account
from tests.server.conftest import Listening
from tests.server.served import GET, echo, target


async def never(client: Downstream, account: Account) -> None:
    raise AssertionError("this was not to be forwarded")


async def test_trace_at_its_last_hop_is_reflected_without_credentials(listening: Listening) -> None:
    served = await listening(never)
    answer = await served.ask(
        b"TRACE /a?b HTTP/1.1\r\nhOst: a\r\nMax-Forwards: 0\r\nVia: 1.1 fred\r\n"
        b"Cookie: secret\r\nAuthorization: secret\r\nProxy-Authorization: secret\r\nX: \xe9\r\n\r\n"
    )
    assert answer.head.status == 200
    assert answer.field(b"content-type") == b"message/http"
    assert answer.field(b"date") is not None
    assert answer.field(b"via") is None
    assert answer.content == (
        b"TRACE /a?b HTTP/1.1\r\nhOst: a\r\nMax-Forwards: 0\r\nVia: 1.1 fred\r\nX: \xe9\r\n\r\n"
    )
    [account] = await served.records(1)
    assert account.decision is not None
    assert account.decision.outcome is Outcome.LOCAL
    assert account.decision.reasons[0].reason.section == "RFC 9110 §7.6.2"


@pytest.mark.parametrize("what", [b"*", b"/a", b"http://a/"])
async def test_options_at_its_last_hop(listening: Listening, what: bytes) -> None:
    served = await listening(never)
    answer = await served.ask(b"OPTIONS " + what + b" HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n")
    assert (answer.head.status, answer.field(b"content-length")) == (200, b"0")


@pytest.mark.parametrize("method", [b"TRACE", b"OPTIONS"])
async def test_before_its_last_hop_it_goes_on(listening: Listening, method: bytes) -> None:
    served = await listening(echo)
    answer = await served.ask(method + b" / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\n\r\n")
    assert b"\r\nMax-Forwards: 0\r\n" in answer.content
    answer = await served.ask(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.content.startswith(method)


async def test_max_forwards_that_is_no_number(listening: Listening) -> None:
    served = await listening(never, ServerSettings(linger=0.05))
    assert (await served.ask(b"TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x\r\n\r\n")).head.status == 400


async def test_trace_with_content(listening: Listening) -> None:
    served = await listening(never, ServerSettings(linger=0.05))
    answer = await served.ask(b"TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
    assert answer.head.status == 400


async def test_an_https_resource_over_a_connection_that_is_not_secured(listening: Listening) -> None:
    """RFC 9110 §7.4: it MUST be rejected, unless the connection is from a trusted gateway."""
    served = await listening(never)
    answer = await served.ask(b"GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.head.status == 421
    [account] = await served.records(1)
    assert account.decision is not None
    assert account.decision.outcome is Outcome.REFUSED
    trusting = await listening(echo, ServerSettings(trust="keep"))
    answer = await trusting.ask(b"GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"\r\nX-Forwarded-Proto: https\r\n" in answer.content


async def test_connect(listening: Listening) -> None:
    served = await listening(never)
    answer = await served.ask(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
    assert answer.head.status == 501
    assert json.loads(answer.content)["status"] == 501
    [account] = await served.records(1)
    assert account.decision is not None
    assert account.decision.outcome is Outcome.REFUSED


async def test_a_request_that_goes_in_circles(listening: Listening) -> None:
    served = await listening(target, ServerSettings(loops=2), name="edge")
    for passed, status in ((b"1.1 edge", 200), (b"1.1 edge, 1.1 other, 1.1 edge", 502)):
        answer = await served.ask(GET.replace(b"\r\n\r\n", b"\r\nVia: " + passed + b"\r\n\r\n"))
        assert answer.head.status == status
    assert b"error=proxy_loop_detected" in (answer.field(b"proxy-status") or b"")
