"""Starting and stopping."""

from __future__ import annotations

import asyncio

import pytest

from proxy.engine.downstream import Downstream
from proxy.message.errors import ConfigurationError
from proxy.message.fields import NO_FIELDS
from proxy.message.response import Response
from proxy.server.clients.listener import Listener
from proxy.server.settings import ServerSettings
from proxy.visibility.account import Account
from tests.server.conftest import Listening
from tests.server.served import GET, Served, content_of, target


async def refuses(served: Served) -> bool:
    try:
        wire = await served.connect()
    except ConnectionRefusedError:
        return True
    await wire.close()
    return False


async def test_stopping_lets_exchanges_finish(listening: Listening) -> None:
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        waiting.set()
        await go_on.wait()
        await target(client, account)

    served = await listening(handle, ServerSettings(linger=0.05))
    wire = await served.connect()
    await wire.send(GET + GET)
    await waiting.wait()
    stopping = asyncio.ensure_future(served.listener.stop())
    await asyncio.sleep(0)
    assert await refuses(served)
    assert not stopping.done()
    go_on.set()
    answer = await wire.answer()
    assert (answer.head.status, answer.field(b"connection")) == (200, b"close")
    assert await wire.rest() == b""
    await stopping
    assert served.listener.connections == 0
    assert [account.complete for account in served.accounts] == [True]


async def test_content_still_arrives_while_stopping(listening: Listening) -> None:
    waiting = asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        waiting.set()
        content = await content_of(client)
        await client.start(Response(200, NO_FIELDS, b"OK"), len(content))
        await client.write(content)
        await client.finish(NO_FIELDS)

    served = await listening(handle)
    wire = await served.connect()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
    await waiting.wait()
    stopping = asyncio.ensure_future(served.listener.stop())
    await asyncio.sleep(0)
    await wire.send(b"llo")
    assert (await wire.answer()).content == b"hello"
    await stopping


async def test_stopping_closes_idle_connections_at_once(listening: Listening) -> None:
    served = await listening(target)
    fresh, used, begun = [await served.connect() for _ in range(3)]
    await used.send(GET)
    await used.answer()
    await begun.send(GET[:5])
    await used.send(GET)
    await used.answer()
    await served.listener.stop()
    for wire in (fresh, used, begun):
        assert await wire.rest() == b""
    assert served.listener.connections == 0


@pytest.mark.parametrize("hurried", [True, False])
async def test_what_does_not_finish_is_cut_off(listening: Listening, hurried: bool) -> None:
    waiting, cancelled = asyncio.Event(), asyncio.Event()

    async def handle(client: Downstream, account: Account) -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            cancelled.set()
            raise

    served = await listening(handle, ServerSettings(grace=30 if hurried else 0.05))
    wire = await served.connect()
    await wire.send(GET)
    await waiting.wait()
    hurry = asyncio.Event()
    stopping = asyncio.ensure_future(served.listener.stop(hurry))
    await asyncio.sleep(0.01)
    if hurried:
        hurry.set()
    await stopping
    assert cancelled.is_set()
    assert await wire.rest() == b""
    [account] = served.accounts
    assert not account.complete


async def test_stopping_does_not_wait_for_a_client_that_reads_nothing(listening: Listening) -> None:
    async def handle(client: Downstream, account: Account) -> None:
        await client.start(Response(200, NO_FIELDS, b"OK"), None)
        for _ in range(1000):
            await client.write(b"x" * 65536)
        await client.finish(NO_FIELDS)

    served = await listening(handle, ServerSettings(grace=0.05))
    wire = await served.connect(limit=1024)
    await wire.send(GET)
    await wire.head()
    await served.listener.stop()
    assert not (await served.records(1))[0].complete


async def test_a_connection_that_was_just_accepted_does_not_delay_the_stop(listening: Listening) -> None:
    served = await listening(target)
    await served.ask(GET)
    assert served.listener._manager is not None
    served.listener._manager.stopping = True
    wire = await served.connect()
    assert await wire.rest() == b""
    await served.until_open(0)


async def test_stopping_twice_or_before_the_start_does_nothing() -> None:
    listener = Listener(target, lambda account: None)
    await listener.stop()
    await listener.start("127.0.0.1", 0)
    await listener.stop()
    await listener.stop()


async def test_several_addresses() -> None:
    accounts: list[Account] = []
    served = Served(target, None, "pellucid", b"")
    served.address = await served.listener.start("127.0.0.1", 0)
    assert (await served.ask(GET)).head.status == 200
    served.address = await served.listener.start("127.0.0.1", 0)
    assert (await served.ask(GET)).head.status == 200
    await served.listener.stop()
    assert accounts == []


async def test_an_address_that_is_taken_is_an_error(listening: Listening) -> None:
    served = await listening(target)
    with pytest.raises(OSError, match="in use"):
        await Listener(target, lambda account: None).start(*served.address)


@pytest.mark.parametrize("options", [{"name": "two words"}, {"name": ""}, {"name": "é"}])
def test_a_name_that_via_can_t_take_is_an_error(options: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Listener(target, lambda account: None, **options)  # type: ignore[arg-type]


def test_trust_that_is_unknown_is_an_error() -> None:
    with pytest.raises(ConfigurationError):
        Listener(target, lambda account: None, ServerSettings(trust="blindly"))
