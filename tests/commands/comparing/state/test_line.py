"""A shopper's connection: whole answers or none, and every byte counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from proxy.commands.comparing.state.shopping.line import Answer, Line, Message, parse_head

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Path=/\r\n\r\nhi"


@asynccontextmanager
async def server(*answers: bytes) -> AsyncIterator[int]:
    """Gives each connection the answers in turn, one for each request; closes it after the last."""

    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        for answer in answers:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            writer.write(answer)
            await writer.drain()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        await closed(*writers)


async def closed(*writers: asyncio.StreamWriter) -> None:
    """Until these connections have ended."""
    for writer in writers:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def ask(port: int, message: Message, patience: float = 5.0) -> Answer:
    line = Line(port, patience)
    try:
        return await line.send(message)
    finally:
        line.close()
        await asyncio.sleep(0)


async def test_an_answer_is_read_and_weighed() -> None:
    message = Message("GET", "/", [("Cookie", "a=1")])
    async with server(WHOLE) as port:
        answer = await ask(port, message)
    assert (answer.status, answer.content, answer.failure) == (200, b"hi", "")
    assert answer.received == len(WHOLE)
    assert answer.sent == len(message.encode())
    assert answer.cookies() == {"a": "b"}


async def test_chunked_content_is_put_together_and_weighed_with_its_frame() -> None:
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n"
    async with server(whole) as port:
        answer = await ask(port, Message("GET", "/"))
    assert answer.content == b"hi!"
    assert answer.received == len(whole)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "status 502"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "connection closed"),
        (b"SSH-2.0\r\n\r\n", "connection closed"),
        (b"", "connection closed"),
    ],
)
async def test_what_is_not_whole_is_a_failure(answer: bytes, failure: str) -> None:
    async with server(answer) as port:
        assert (await ask(port, Message("POST", "/", content=b"{}"))).failure == failure


async def test_nobody_there_is_a_failure(unused_tcp_port: int) -> None:
    assert (await ask(unused_tcp_port, Message("GET", "/"))).failure == "ConnectionRefusedError"


async def test_silence_is_a_failure() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read()

    running = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with running:
        port = running.sockets[0].getsockname()[1]
        assert (await ask(port, Message("GET", "/"), patience=0.05)).failure == "no answer in time"
    await closed(*writers)


async def test_a_kept_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    async with server(WHOLE) as port:
        line = Line(port, 5.0)
        first = await line.send(Message("GET", "/"))
        second = await line.send(Message("GET", "/"))
        line.close()
        await asyncio.sleep(0)
    assert (first.failure, second.failure) == ("", "")


def test_a_head_keeps_values_and_lowers_names() -> None:
    assert parse_head(b"HTTP/1.1 404 Not Found\r\nX-A: b: c\r\n\r\n") == (404, (("x-a", "b: c"),))


def test_a_problem_is_named() -> None:
    answer = Answer(
        403,
        (("content-type", "application/problem+json"),),
        b'{"type": "/problems#session-unknown", "status": 403}',
    )
    assert answer.problem == "session-unknown"
    assert Answer(200, (("content-type", "application/json"),), b"{}").problem == ""
