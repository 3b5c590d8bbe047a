"""Heads that can be taken at a glance, and those that can't."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.head import HeadLimits
from proxy.upstream.plain import _LEAST, _LINES, _MOST_SEEN, _REMEMBERED, PlainHeads

START = b"HTTP/1.1 200 OK\r\n"


def read(head, *, to_head=False, heads=None):
    return (heads or PlainHeads(HeadLimits(), 50.0)).read(head, to_head=to_head)


def test_a_head_with_a_length_is_plain():
    plain = read(START + b"X: y\r\nContent-Length: 12\r\n\r\n")
    assert (plain.length, plain.idle, plain.response.status) == (12, 50.0, 200)


def test_a_response_to_head_has_no_content():
    assert read(START + b"Content-Length: 12\r\n\r\n", to_head=True).length == 0


def test_the_time_to_keep_the_connection_is_the_server_s():
    assert read(START + b"Content-Length: 0\r\nKeep-Alive: timeout=5\r\n\r\n").idle == 4.0


@pytest.mark.parametrize(
    "head",
    [
        START + b"\r\n",
        START + b"Transfer-Encoding: chunked\r\n\r\n",
        START + b"Content-Length: 1, 2\r\n\r\n",
        START + b"Content-Length: 1\r\nConnection: close\r\n\r\n",
        START.replace(b"1.1", b"1.0") + b"Content-Length: 1\r\n\r\n",
        START.replace(b"200", b"103") + b"\r\n",
        START.replace(b"200", b"408") + b"Content-Length: 0\r\n\r\n",
        START.replace(b"200", b"204") + b"Content-Length: 1\r\n\r\n",
        START + b"Content-Length: 1\nX: y\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_all_else_is_not(head):
    assert read(head) is None


def test_a_head_that_comes_again_is_remembered():
    heads = PlainHeads(HeadLimits(), 50.0)
    head = START + b"Content-Length: 1\r\n\r\n"
    read(head, heads=heads)
    assert read(head, heads=heads) is read(head, heads=heads)
    assert read(head, heads=heads, to_head=True) is not read(head, heads=heads)


def test_of_many_heads_that_come_in_turn_each_is_remembered():
    heads = PlainHeads(HeadLimits(), 50.0)
    turn = [START + b'Content-Length: 1\r\nETag: "%d"\r\n\r\n' % number for number in range(1000)]
    for _ in range(2):
        for head in turn:
            read(head, heads=heads)
    assert all(read(head, heads=heads) is read(head, heads=heads) for head in turn)


def test_what_has_been_seen_is_forgotten_when_much_has_come_since():
    heads = PlainHeads(HeadLimits(), 50.0)
    for number in range(3 * _MOST_SEEN):
        read(START + b"Content-Length: 1\r\nX-Id: %d\r\n\r\n" % number, heads=heads)
    assert len(heads._seen) <= _MOST_SEEN >= len(heads._seen_before)


def test_what_is_remembered_is_bounded():
    heads = PlainHeads(HeadLimits(), 50.0)
    for number in range(8000):
        for _ in range(2):
            read(START + b"X: %d\r\nContent-Length: 1\r\n\r\n" % number, heads=heads)
            read(START + b"X%d: y\r\nContent-Length: 1\r\n\r\n" % number, heads=heads)
            read(START.replace(b"OK", b"%d" % number) + b"Content-Length: 1\r\n\r\n", heads=heads)
    for _ in range(2):
        read(START + b"X: " + b"y" * 5000 + b"\r\nContent-Length: 1\r\n\r\n", heads=heads)
    kept = sum(len(head) + _LEAST for head in heads._known)
    assert 0 < kept < _REMEMBERED + 4096
    assert 0 < sum(700 + 5 * len(line) for line in heads._lines) < _LINES + 32768
    assert all(len(head) < 5000 for head in heads._known)
    assert len(heads._names) + len(heads._starts) < 1500


LINES = [
    b"Date: Sun, 06 Nov 1994 08:49:37 GMT",
    b"X-Id: 1",
    b"x-id:\t 2 \t",
    b"Content-Length: 3",
    b"content-length:3",
    b"Content-Length: 03",
    b"Content-Length: 3, 3",
    b"Content-Length: +3",
    b"Content-Length:",
    b"Content-Length: 99999999999999999999",
    b"Content-Length : 3",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding:",
    b"Connection: keep-alive",
    b"connection:Keep-Alive",
    b"Connection: close",
    b"Connection: keep-alive, x-id",
    b"Connection:",
    b"Keep-Alive: timeout=5",
    b"Keep-Alive: timeout=9, max=7",
    b" folded",
    b": no name",
    b"no colon",
    b"",
    b"X: \0",
    b"X: \r",
    b"X: \n",
    b"X\n: y",
    b"X: \xff",
    b"Caf\xe9: y",
    b"Upgrade: x",
    b"Trailer: x",
]
STARTS = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200 ",
    b"HTTP/1.1 200",
    b"HTTP/1.1 404 N\xff",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 408 Request Timeout",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 099 Odd",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.0 200 OK",
    b"HTTP/2.0 200 OK",
    b"HTTP/1.1  200 OK",
    b"HTTP/1.1 200 \0",
    b"x",
    b"",
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(STARTS),
    st.lists(st.one_of(st.sampled_from(LINES[:5]), st.sampled_from(LINES)), max_size=6),
    st.booleans(),
)
def test_line_by_line_a_head_means_what_it_means_as_a_whole(start, lines, to_head):
    heads = PlainHeads(HeadLimits(fields=5), 50.0)
    head = b"\r\n".join([start, *lines, b"", b""])
    head = head[: head.index(b"\r\n\r\n") + 4]
    whole = heads._whole(head, to_head=to_head)
    for _ in range(3):
        found = read(head, heads=heads, to_head=to_head)
        assert (found is None) == (whole is None)
        if found is not None:
            assert (found.response, found.length, found.idle, found.start) == (
                whole.response,
                whole.length,
                whole.idle,
                whole.start,
            )
            assert found.lines is None or len(found.lines) == len(found.response.fields)
