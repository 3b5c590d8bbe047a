"""How exchanges and connections end: clients that leave, answers that break off, silence."""

from __future__ import annotations

import asyncio

import pytest

from proxy.engine.downstream import Downstream
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.response import Response
from proxy.server.settings import ServerSettings
from proxy.upstream.contract import Unreachable
from proxy.upstream.settings import UpstreamSettings
from proxy.visibility.account import Account
from tests.server.conftest import Listening
from tests.server.served import GET, target


class Origin:
    """A handler that waits as for an origin, and notes what becomes of it."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.answer = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, client: Downstream, account: Account) -> None:
        self.waiting.set()
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        await target(client, account)


@pytest.mark.parametrize("leave", ["close", "reset"])
async def test_the_handler_learns_that_its_client_has_left(listening: Listening, leave: str) -> None:
    origin = Origin()
    served = await listening(origin, ServerSettings(half_closed=0.01))
    wire = await served.connect()
    await wire.send(GET)
    await origin.waiting.wait()
    await (wire.close() if leave == "close" else wire.reset())
    async with asyncio.timeout(5):
        await origin.cancelled.wait()
    [account] = await served.records(1)
    assert not account.complete
    assert account.error
    assert account.response is None
    assert account.duration is not None


async def test_a_client_that_stops_sending_still_gets_its_answers(listening: Listening) -> None:
    origin = Origin()
    served = await listening(origin)
    wire = await served.connect()
    await wire.send(GET + GET)
    wire.writer.write_eof()
    await origin.waiting.wait()
    origin.answer.set()
    data = await wire.rest()
    assert data.count(b"HTTP/1.1 200 ") == 2
    assert [account.complete for account in await served.records(2)] == [True, True]


def test_a_client_that_stops_sending_is_given_as_long_as_any_other() -> None:
    """That it closed its side doesn't mean that it wants no answer (RFC 9112 §9.6)."""
    assert ServerSettings().half_closed >= UpstreamSettings().first_byte


async def test_a_client_that_stops_sending_gets_an_answer_that_has_begun(listening: Listening) -> None:
    go_on = asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), 4)
        await go_on.wait()
        await client.write(b"late")
        await client.finish(NO_FIELDS)

    served = await listening(handle, ServerSettings(half_closed=0.01))
    wire = await served.connect()
    await wire.send(GET)
    await wire.head()
    wire.writer.write_eof()
    await asyncio.sleep(0.05)
    go_on.set()
    assert await wire.rest() == b"late"


@pytest.mark.parametrize(
    ("data", "raw"), [(b"GET / HTTP/1.1\r\nHos", b"GET / HTTP/1.1\r\nHos"), (b"\r\nG", b"G")]
)
async def test_a_client_that_leaves_in_the_middle_of_a_head_is_recorded(
    listening: Listening, data: bytes, raw: bytes
) -> None:
    served = await listening(target)
    wire = await served.connect()
    await wire.send(data)
    await wire.close()
    [account] = await served.records(1)
    assert account.raw == raw
    assert not account.complete
    assert account.received is None
    assert "left" in account.error


async def test_a_client_that_leaves_between_requests_is_no_exchange(listening: Listening) -> None:
    served = await listening(target)
    wire = await served.connect()
    await wire.send(GET + b"\r\n")
    await wire.answer()
    await wire.close()
    await served.listener.stop()
    assert len(served.accounts) == 1


async def test_an_answer_that_breaks_off_in_chunks_lacks_the_last_one(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), None)
        await client.write(b"so far")
        client.abort()

    served = await listening(handle)
    data = await served.everything(GET)
    assert data.endswith(b"\r\n\r\n6\r\nso far\r\n")
    assert not (await served.records(1))[0].complete


async def test_the_client_learns_of_a_break_at_once(listening: Listening) -> None:
    go_on = asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), 10)
        await client.write(b"so far")
        client.abort()
        await go_on.wait()

    served = await listening(handle)
    assert (await served.everything(GET)).endswith(b"so far")
    go_on.set()
    assert not (await served.records(1))[0].complete


async def test_an_answer_that_breaks_off_is_shorter_than_its_length(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), 10)
        await client.write(b"so far")
        client.abort()

    served = await listening(handle)
    data = await served.everything(GET)
    assert data.endswith(b"Content-Length: 10\r\n\r\nso far")


async def test_an_answer_that_breaks_off_is_an_error_where_only_the_end_would_tell(
    listening: Listening,
) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), None)
        await client.write(b"so far")
        client.abort()

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(b"GET / HTTP/1.0\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await wire.rest()
    assert not (await served.records(1))[0].complete


async def test_an_error_from_upstream_is_answered_with_its_status(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        raise Unreachable("no way", server="origin:80", token="connection_refused")

    served = await listening(handle)
    wire = await served.connect()
    for _ in range(2):
        await wire.send(GET)
        answer = await wire.answer()
        assert answer.head.status == 502
        assert answer.field(b"proxy-status") == b'pellucid;error=connection_refused;details="no way"'
    assert (await served.records(2))[0].error == "no way"


async def test_an_error_after_the_beginning_breaks_the_answer(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, Fields([(b"X", b"y")]), b"OK"), None)
        await client.write(b"so far")
        raise Unreachable("gone")

    served = await listening(handle)
    data = await served.everything(GET)
    assert data.count(b"HTTP/1.1") == 1
    assert data.endswith(b"6\r\nso far\r\n")
    [account] = await served.records(1)
    assert (account.complete, account.error) == (False, "gone")


async def test_an_idle_connection_is_closed(listening: Listening) -> None:
    served = await listening(target, ServerSettings(idle=0.05))
    for data in (b"", GET, b"\r\n"):
        wire = await served.connect()
        await wire.send(data)
        if data == GET:
            await wire.answer()
        assert await wire.rest() == b""
    assert len(served.accounts) == 1


async def test_a_recorder_that_fails_does_not_stop_the_proxy(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    served = await listening(target)

    def finished(account: Account) -> None:
        raise OSError("no space left")

    assert served.listener._manager is not None
    served.listener._manager.finished = finished
    wire = await served.connect()
    for _ in range(2):
        await wire.send(GET)
        assert (await wire.answer()).head.status == 200
    assert "could not be recorded" in caplog.text
