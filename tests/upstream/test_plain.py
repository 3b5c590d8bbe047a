"""Heads that can be taken at a glance, and those that can't."""

from __future__ import annotations

import pytest

from proxy.message.head import HeadLimits
from proxy.upstream.plain import _LEAST, _REMEMBERED, PlainHeads

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


def test_the_same_head_is_read_once():
    heads = PlainHeads(HeadLimits(), 50.0)
    head = START + b"Content-Length: 1\r\n\r\n"
    assert read(head, heads=heads) is read(head, heads=heads)
    assert read(head, heads=heads, to_head=True) is not read(head, heads=heads)


def test_what_is_remembered_is_bounded():
    heads = PlainHeads(HeadLimits(), 50.0)
    for number in range(8000):
        read(START + b"X: %d\r\nContent-Length: 1\r\n\r\n" % number, heads=heads)
    read(START + b"X: " + b"y" * 5000 + b"\r\nContent-Length: 1\r\n\r\n", heads=heads)
    kept = sum(len(head) + _LEAST for head, _ in heads._known)
    assert 0 < kept < _REMEMBERED + 4096
    assert all(len(head) < 5000 for head, _ in heads._known)
