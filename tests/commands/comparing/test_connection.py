"""Answers as the load generator reads them: in any pieces, and with anything wrong with them."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from proxy.commands.comparing.load.connection import Connection

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nAge: 1\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


class Line:
    """Stands for a transport; what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


class Heard:
    """A connection and all that it told of."""

    def __init__(self, due: int = 5) -> None:
        self.answers: list[bool] = []
        self.lost = 0
        self.line = Line()
        self.connection = Connection(due, self._answered, self._lost)
        self.connection.connection_made(cast(asyncio.Transport, self.line))

    def _answered(self, connection: Connection, good: bool) -> None:
        assert not connection.busy
        self.answers.append(good)

    def _lost(self, connection: Connection) -> None:
        self.lost += 1


@pytest.mark.parametrize("answer", [WHOLE, CHUNKED, WHOLE.replace(b"Content-Length", b"content-length")])
def test_an_answer_may_come_in_any_pieces(answer: bytes) -> None:
    for place in range(1, len(answer)):
        heard = Heard()
        heard.connection.ask(b"GET", 1.0)
        heard.connection.data_received(answer[:place])
        assert heard.answers == []
        heard.connection.data_received(answer[place:])
        assert heard.answers == [True]
    heard = Heard()
    for byte in answer:
        heard.connection.data_received(bytes([byte]))
    assert heard.answers == [True]


def test_one_answer_after_another() -> None:
    heard = Heard()
    for _ in range(3):
        heard.connection.ask(b"GET", 1.0)
        heard.connection.data_received(WHOLE)
        heard.connection.ask(b"GET", 2.0)
        heard.connection.data_received(CHUNKED)
    assert heard.answers == [True] * 6
    assert heard.line.written == [b"GET"] * 6


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE.replace(b"200 OK", b"404 Not Found"),
        WHOLE.replace(b"200 OK", b"206 Partial"),
        CHUNKED.replace(b"200 OK", b"502 Bad Gateway"),
        WHOLE.replace(b"5\r\nAge", b"4\r\nAge").removesuffix(b"o"),
        WHOLE + b"more",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_not_as_it_should_be(answer: bytes) -> None:
    heard = Heard()
    heard.connection.ask(b"GET", 1.0)
    heard.connection.data_received(answer)
    assert heard.answers == [False]


def test_content_that_looks_like_the_end_is_not_the_end() -> None:
    heard = Heard(due=10)
    body = b"c\r\nab0\r\n\r\ncd10\r\n"
    heard.connection.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body[:10])
    assert heard.answers == []
    heard.connection.data_received(body[10:] + b"0\r\n\r\n")
    assert heard.answers == [True]


def test_a_connection_that_ends() -> None:
    heard = Heard()
    heard.connection.connection_lost(None)
    assert heard.lost == 1
    assert heard.connection.transport is None
    heard.connection.ask(b"GET", 1.0)
    assert heard.line.written == []
