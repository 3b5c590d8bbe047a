"""The origin server, in a process of its own: what it answers, and what it counts."""

from __future__ import annotations

import json
import socket

import pytest

from proxy.commands.comparing.asking import ask, get
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load.requests import agent, request
from proxy.commands.comparing.origin.content import LARGE, SMALL, cold, content, head, item, private


def counted(port: int, target: str = "") -> int:
    return int(get(port, "/-/count" + (f"?{target}" if target else "")).content)


@pytest.mark.parametrize("target", ["/hot", item(0), item(999), private(7), cold(5)])
def test_small_answers_are_a_kibibyte_of_json_that_differs(target: str) -> None:
    found = content(target)
    assert found is not None
    assert len(found) == SMALL
    assert json.loads(found)["id"] == target
    assert found != content(item(123))


def test_large_ones_are_ten_mebibytes() -> None:
    found = content("/large")
    assert found is not None
    assert len(found) == LARGE


@pytest.mark.parametrize("target", ["/", "/item/", "/item/x", "/other/1", "/hot/1", ""])
def test_there_is_nothing_else(target: str) -> None:
    assert content(target) is None
    assert head(target).endswith(b"Content-Length: 0\r\n\r\n")


def test_what_may_be_stored_says_so() -> None:
    for target in ("/hot", item(1), cold(1), "/large"):
        assert b"\r\nCache-Control: public, max-age=3600\r\n" in head(target)
    assert b"\r\nCache-Control: no-store\r\n" in head(private(1))
    assert head(item(1)) != head(item(2))


def test_it_answers_and_counts(origin: int) -> None:
    for target in ("/hot", item(3), private(3), "/large"):
        told = ask(origin, request(target, agent(0)))
        assert told.status == 200
        assert told.content == content(target)
        assert "Date" in dict(told.fields)
    assert get(origin, "/nothing").status == 404
    assert counted(origin) == 5
    assert ask(origin, request(cold(1), agent(0))).content == content(cold(1))
    assert ask(origin, request(cold(1), agent(1))).status == 200
    assert (counted(origin, cold(1)), counted(origin, cold(2))) == (2, 0)
    assert counted(origin) == 7


def test_requests_may_come_in_pieces_or_together(origin: int) -> None:
    one = request(item(4), agent(0))
    size = len(content(item(4)) or b"") + len(head(item(4)))
    with socket.create_connection(("127.0.0.1", origin), timeout=10) as line:
        line.sendall(one[:20])
        line.sendall(one[20:] + one + one[:10])
        line.sendall(one[10:])
        line.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: line.recv(1 << 16), b""))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert len(received) > 3 * size


def test_head_has_no_content(origin: int) -> None:
    with socket.create_connection(("127.0.0.1", origin), timeout=10) as line:
        line.sendall(b"HEAD /hot HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: line.recv(1 << 16), b""))
    assert b"\r\nContent-Length: 1024\r\n" in received
    assert received.endswith(b"\r\n\r\n")


def test_nobody_there_is_an_error(unused_tcp_port: int) -> None:
    with pytest.raises(ComparisonError, match="refused"):
        ask(unused_tcp_port, b"")
