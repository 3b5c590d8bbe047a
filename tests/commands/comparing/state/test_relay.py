"""The stretch of network that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from proxy.commands.comparing.state.stage.relay import Relay

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def heard() -> AsyncIterator[tuple[int, list[bytes]]]:
    """The port of a server that answers each piece with itself in capitals, and what it has heard."""
    pieces: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while data := await reader.read(100):
                pieces.append(data)
                writer.write(data.upper())
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], pieces
    server.close()
    await closed(*writers)


async def closed(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def leave(relay: Relay, *writers: asyncio.StreamWriter) -> None:
    await relay.close()
    await closed(*writers)


async def test_bytes_pass_until_it_is_cut_and_again_when_it_is_healed(heard: tuple[int, list[bytes]]) -> None:
    target, _ = heard
    relay = Relay(target)
    port = await relay.listen()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    assert await reader.read(5) == b"HELLO"
    await relay.obey("cut")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    with pytest.raises(OSError):  # noqa: PT011 - refused; the words are the system's
        await asyncio.open_connection("127.0.0.1", port)
    await relay.obey("heal")
    again, back = await asyncio.open_connection("127.0.0.1", port)
    back.write(b"once more")
    assert await again.read(9) == b"ONCE MORE"
    await leave(relay, writer, back)


async def test_what_is_swallowed_arrives_but_its_answer_does_not(heard: tuple[int, list[bytes]]) -> None:
    target, pieces = heard
    relay = Relay(target)
    port = await relay.listen()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await relay.obey("swallow")
    writer.write(b"order")
    while not pieces:  # noqa: ASYNC110 - until it has arrived
        await asyncio.sleep(0.005)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.1)
    assert pieces == [b"order"]
    await leave(relay, writer)


async def test_who_was_just_being_connected_when_it_was_cut_is_cut_off_too(
    heard: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, _ = heard
    relay = Relay(target)
    port = await relay.listen()
    connect, asked, released = asyncio.open_connection, asyncio.Event(), asyncio.Event()

    async def slowly(host: str, to: int) -> Streams:
        asked.set()
        await released.wait()
        return await connect(host, to)

    monkeypatch.setattr(asyncio, "open_connection", slowly)
    reader, writer = await connect("127.0.0.1", port)
    writer.write(b"hello")
    await asked.wait()
    await relay.obey("cut")
    released.set()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(5)
    await leave(relay, writer)
