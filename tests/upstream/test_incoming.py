"""Responses read out of bytes, however they are cut and whatever they are."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.fields import Fields
from proxy.message.head import HeadLimits
from proxy.message.request import Request
from proxy.upstream.address import Server
from proxy.upstream.contract import MalformedResponse, UpstreamError
from proxy.upstream.incoming import Incoming

SERVER = Server("http", "origin.example", 80)
GET = Request(b"GET", b"/")

EXAMPLES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
]


def reading(data: bytes, *cuts: int, request: Request = GET) -> tuple[Incoming, bytes]:
    incoming = Incoming(request, SERVER, HeadLimits())
    content, last = b"", 0
    for cut in (*cuts, len(data)):
        if cut > last and not incoming.complete:
            content += incoming.feed(data[last:cut])
            last = cut
    return incoming, content


@pytest.mark.parametrize("data", EXAMPLES)
def test_cut_at_any_byte_a_response_is_the_same(data):
    whole, _ = reading(data)
    for cuts in [*[(cut,) for cut in range(len(data))], tuple(range(len(data)))]:
        incoming, content = reading(data, *cuts)
        assert content == b"hello"
        assert incoming.head == whole.head
        assert incoming.interims == whole.interims
        assert incoming.trailers == whole.trailers
        assert incoming.complete == whole.complete
        assert incoming.end()


@pytest.mark.parametrize("data", EXAMPLES)
def test_bytes_after_the_end_belong_to_no_response(data):
    incoming, content = reading(data + b"HTTP/1.1 200 OK\r\n\r\n")
    if incoming.complete:
        assert content == b"hello"
        assert incoming.surplus == b"HTTP/1.1 200 OK\r\n\r\n"
        assert not incoming.reusable
    else:
        assert content == b"helloHTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: foo, Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
    ],
)
def test_a_connection_serves_again_after_a_whole_response_that_allows_it(data, reusable):
    incoming, _ = reading(data)
    assert incoming.reusable is reusable


def test_no_connection_serves_again_after_connect():
    incoming, _ = reading(b"HTTP/1.1 200 OK\r\n\r\n", request=Request(b"CONNECT", b"a:1"))
    assert not incoming.reusable


def test_101_ends_http_where_it_was_asked_for():
    upgrade = Request(b"GET", b"/", Fields([(b"Upgrade", b"x")]))
    incoming, content = reading(b"HTTP/1.1 101 Ok\r\nUpgrade: x\r\n\r\n\x00\x01", request=upgrade)
    assert incoming.complete
    assert content == b""
    assert incoming.surplus == b"\x00\x01"
    with pytest.raises(MalformedResponse, match="nothing was asked"):
        reading(b"HTTP/1.1 101 Ok\r\nUpgrade: x\r\n\r\n")


pieces = st.sampled_from(
    [
        *[line + b"\r\n" for data in EXAMPLES for line in data.split(b"\r\n")],
        b"HTTP/1.1 ",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"\r\n",
        b"\n",
        b" ",
        b"\x00",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(pieces | st.binary(max_size=8), max_size=12).map(b"".join),
    st.lists(st.integers(0, 200), max_size=4).map(sorted),
    st.sampled_from([b"GET", b"HEAD", b"POST"]),
)
def test_whatever_comes_is_a_response_or_an_upstream_error(data, cuts, method):
    with suppress(UpstreamError):
        incoming, content = reading(
            data, *[cut for cut in cuts if cut < len(data)], request=Request(method, b"/")
        )
        assert len(content) + len(incoming.surplus) <= len(data)
        assert incoming.head is not None or content == b""


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EXAMPLES), st.integers(0, 120), st.binary(max_size=3), st.integers(0, 120))
def test_a_damaged_response_is_read_the_same_however_it_is_cut(data, place, damage, cut):
    damaged = data[:place] + damage + data[place + 1 :]

    def outcome(*cuts: int) -> object:
        try:
            incoming, content = reading(damaged, *cuts)
        except UpstreamError as error:
            return error.token
        return incoming.head, content, incoming.complete

    whole = outcome()
    if isinstance(whole, str):
        return  # where it is refused, how much of it was read before depends on the cut
    assert outcome(cut) == whole
