"""A Valkey that fails: what an exchange sees of it, and what becomes of invalidations meanwhile."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from proxy.message.errors import ConfigurationError
from proxy.storage.selection import Selection
from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey.entry import Lost
from proxy.storage.valkey.names import digest
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import DIGEST, NOW, put, read, response
from tests.storage.valkey.conftest import patient
from tests.storage.valkey.relay import Relay
from tests.storage.valkey.servers_for_tests import Cluster, Server

Proxies = Callable[..., ValkeyStore]
Own = Callable[..., Server]


async def until(true: Callable[[], bool]) -> None:
    """Wait for what has to come; for ever would be too long."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


async def found(store: ValkeyStore, key: bytes) -> None:
    """Wait until it is found."""
    async with asyncio.timeout(30):
        while not await store.look_up(key):  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


async def stored(store: ValkeyStore, key: bytes) -> None:
    """Store something as soon as that's possible again."""
    async with asyncio.timeout(30):
        while True:
            writer = store.begin(key, (), (), 1)
            if writer is not None and writer.write(b"x") and await writer.commit(response(1), DIGEST):
                return
            await asyncio.sleep(0.02)


def hasty(**others: object) -> ValkeySettings:
    """What is too slow is so at once, but for a server that is well."""
    return patient(**{"lookup": 0.2, "write": 0.2, "heartbeat": 0.3, **others})


@pytest.fixture
async def relay(server: Server) -> AsyncIterator[Relay]:
    relay = Relay(server.port)
    await relay.start()
    yield relay
    await relay.close()


async def test_what_stops_answering_without_closing_is_left_alone_and_used_again(
    server: Server, relay: Relay, proxies: Proxies
) -> None:
    settings = hasty()
    store, other = proxies(relay.url, settings), proxies(server.url, settings)
    await store.start()
    await other.start()
    await put(store, b"key", b"content")
    epoch = store.epoch
    relay.freeze()
    shard = digest(b"key")[0] % 128
    while store.node(shard) is not None:
        assert list(await store.look_up(b"key")) == []
    await until(lambda: not store.in_touch)
    # From here on nobody waits for it: a look-up is over without anything else having a turn.
    looking = store.look_up(b"key")
    with pytest.raises(StopIteration):
        looking.send(None)  # type: ignore[attr-defined]
    assert store.begin(b"key", (), (), None) is None
    relay.thaw()
    await found(store, b"key")
    await until(lambda: store.in_touch)
    assert store.epoch == epoch, "nothing has happened meanwhile"
    assert other.in_touch


async def test_what_was_missed_is_noticed(server: Server, relay: Relay, proxies: Proxies) -> None:
    settings = hasty()
    store, other = proxies(relay.url, settings), proxies(server.url, settings)
    await store.start()
    await other.start()
    told: list[Selection] = []
    store.hear(told.append)
    await other.invalidate([b"key"], [b"label"])
    await until(lambda: len(told) == 2)
    epoch = store.epoch
    relay.cut()
    await until(lambda: not store.in_touch)
    await other.invalidate([b"key"], [])
    relay.mend()
    await until(lambda: store.in_touch)
    assert store.epoch > epoch
    assert len(told) == 2


async def test_what_is_invalidated_while_cut_off_is_not_seen_here_and_is_done_later(
    server: Server, relay: Relay, proxies: Proxies
) -> None:
    settings = hasty()
    store, other = proxies(relay.url, settings), proxies(server.url, settings)
    await store.start()
    await other.start()
    await put(other, b"key")
    await put(other, b"labelled", labels=(b"label",))
    await put(other, b"GET https://a/b")
    await put(other, b"kept")
    writer = other.begin(b"key", (), (), None)
    assert writer is not None
    writer.write(b"new")
    relay.cut()
    await until(lambda: store.node(0) is None)
    wanted = Selection(keys=(b"key",), labels=(b"label",), prefixes=(b"https://a/",))
    assert await store.purge(wanted) == {"valkey": 0}
    assert len(await other.look_up(b"key")) == 1
    relay.mend()
    await found(store, b"kept")
    for key in (b"key", b"labelled", b"GET https://a/b"):
        assert list(await store.look_up(key)) == []
    await until(lambda: not store._purger.pending)
    for key in (b"key", b"labelled", b"GET https://a/b"):
        assert list(await other.look_up(key)) == []
    assert await writer.commit(response(3), DIGEST) is None
    assert len(await other.look_up(b"kept")) == 1


async def test_too_slow_is_as_good_as_not_there(relay: Relay, proxies: Proxies) -> None:
    store = proxies(relay.url, hasty(lookup=0.1, write=0.1))
    await store.start()
    await stored(store, b"key")
    relay.delay = 0.2
    shard = digest(b"key")[0] % 128
    while store.node(shard) is not None:
        assert list(await store.look_up(b"key")) == []
    relay.delay = 0.0
    await found(store, b"key")


NONSENSE = {
    "another protocol": b"HTTP/1.1 200 OK\r\n\r\n",
    "zeros": b"\x00" * 100,
    "lists in lists": b"*1\r\n" * 5000,
    "a length below nothing": b"$-5\r\n",
    "an empty message": b">0\r\n",
    "more answers than questions": b"+OK\r\n" * 9,
    "no number": b":x\r\n",
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
async def test_nonsense_is_no_answer(relay: Relay, proxies: Proxies, nonsense: bytes) -> None:
    store = proxies(relay.url, hasty())
    await store.start()
    await stored(store, b"key")
    relay.nonsense = nonsense
    for _ in range(5):
        assert list(await store.look_up(b"key")) == []
        assert list(await store.labelled(b"label", 3)) == []
        await store.invalidate([b"other"], [b"label"])
        writer = store.begin(b"new", (b"label",), (), None)
        assert writer is None or await writer.commit(response(0), DIGEST) is None
    relay.nonsense = None
    await found(store, b"key")


async def test_killed_in_mid_write(own: Own, proxies: Proxies) -> None:
    server = own()
    store = proxies(server.url, hasty())
    await store.start()
    entry = await put(store, b"before", bytes(range(256)) * 2000)
    writer = store.begin(b"key", (b"label",), (), 1_000_000)
    assert writer is not None
    assert writer.write(bytes(500_000))
    server.kill()
    writer.write(bytes(500_000))
    assert await writer.commit(response(1_000_000), DIGEST) is None
    with pytest.raises(Lost):
        await read(entry)
    assert list(await store.look_up(b"before")) == []
    server.start()
    await stored(store, b"key")
    assert list(await store.look_up(b"before")) == []


async def test_a_server_that_comes_back_with_an_older_state_is_not_believed(
    own: Own, proxies: Proxies
) -> None:
    server = own()
    store = proxies(server.url, hasty())
    await store.start()
    await put(store, b"purged", labels=(b"label",))
    server.do("SAVE")
    await store.invalidate([], [b"label"])
    epoch = store.epoch
    server.kill()
    await until(lambda: not store.in_touch)
    server.start()
    later = proxies(server.url, store.settings)
    await until(lambda: store.in_touch and not store._purger.pending)
    assert store.epoch > epoch
    await later.start()
    for proxy in (store, later):
        assert list(await proxy.look_up(b"purged")) == []


async def test_what_is_full_still_finds_and_invalidates(own: Own, proxies: Proxies) -> None:
    server = own("--maxmemory-policy", "noeviction")
    store = proxies(server.url, hasty())
    await store.start()
    await put(store, b"key", labels=(b"label",))
    server.do("CONFIG", "SET", "maxmemory", "1mb")
    writer = store.begin(b"new", (), (), None)
    assert writer is not None
    writer.write(b"x")
    assert await writer.commit(response(1), DIGEST) is None
    assert store.begin(b"new", (), (), None) is None, "it is left alone for a while"
    assert len(await store.look_up(b"key")) == 1
    assert await store.invalidate([], [b"label"]) == 1
    assert list(await store.look_up(b"key")) == []
    server.do("CONFIG", "SET", "maxmemory", "0")
    await stored(store, b"new")


async def test_the_primary_among_several_and_its_successor(own: Own, proxies: Proxies) -> None:
    primary, replica = own(), own()
    replica.do("REPLICAOF", "127.0.0.1", primary.port)
    url = f"valkey://127.0.0.1:{replica.port},127.0.0.1:{primary.port}"
    store = proxies(url, hasty())
    await store.start()
    await until(lambda: store.in_touch)
    await put(store, b"key")
    primary.kill()
    await until(lambda: not store.in_touch)
    replica.do("REPLICAOF", "NO", "ONE")
    await stored(store, b"new")
    await until(lambda: store.in_touch)


async def test_a_primary_that_becomes_a_replica(own: Own, proxies: Proxies) -> None:
    first, second = own(), own()
    second.do("REPLICAOF", "127.0.0.1", first.port)
    store = proxies(f"valkey://127.0.0.1:{first.port},127.0.0.1:{second.port}", hasty())
    await store.start()
    await put(store, b"key")
    second.do("REPLICAOF", "NO", "ONE")
    first.do("REPLICAOF", "127.0.0.1", second.port)
    await store.invalidate([b"key"], [])
    await stored(store, b"new")
    await until(lambda: not store._purger.pending and store.in_touch)
    assert list(await store.look_up(b"key")) == []
    assert [node.place[1] for node in store.servers.nodes] == [second.port]


async def test_of_a_cluster_one_node_is_killed(
    tmp_path_factory: pytest.TempPathFactory, proxies: Proxies
) -> None:
    cluster = Cluster(tmp_path_factory.mktemp("killed"))
    try:
        settings = hasty()
        store, other = proxies(cluster.url, settings), proxies(cluster.url, settings)
        await store.start()
        await other.start()
        await until(lambda: store.in_touch and other.in_touch)
        keys = [b"%d" % number for number in range(30)]
        for key in keys:
            await put(store, key, labels=(b"label",) if key < b"2" else ())
        assert all([len(await other.look_up(key)) for key in keys])
        cluster.servers[2].kill()
        await until(lambda: not store.in_touch and not other.in_touch)
        alive = [key for key in keys if key >= b"2" and await other.look_up(key)]
        assert 0 < len(alive) < len(keys)
        await store.invalidate(alive[:1], [b"label"])
        assert list(await other.look_up(alive[0])) == []
        assert len(await other.look_up(alive[1])) == 1
        cluster.servers[2].start()
        await until(lambda: store.in_touch and other.in_touch and not store._purger.pending)
        assert list(await store.look_up(b"1")) == []
        for key in keys:
            await stored(other, key)
    finally:
        cluster.kill()


async def test_a_clock_that_goes_wrong_and_is_set_right(server: Server, proxies: Proxies) -> None:
    store = proxies(server.url, patient())
    await store.start()
    await put(store, b"key", expires=NOW + 60)
    await store.expire(NOW + 86_400)
    assert list(await store.look_up(b"key")) == []
    await store.expire(NOW)
    assert await store.look_up(b"key"), "it is of use once more"
    assert await put(store, b"key", b"other", expires=NOW + 60)
    assert len(await store.look_up(b"key")) == 2


async def test_a_password_that_changes_meanwhile(own: Own, proxies: Proxies) -> None:
    server = own()
    store = proxies(server.url, hasty())
    await store.start()
    await put(store, b"key")
    server.do("CONFIG", "SET", "requirepass", "other")
    assert await store.look_up(b"key"), "who is in stays in"
    server.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", password="other")
    await until(lambda: not store.in_touch)
    assert list(await store.look_up(b"key")) == []
    await store.purge(Selection(keys=(b"key",)))
    server.do("CONFIG", "SET", "requirepass", "", password="other")
    await until(lambda: store.in_touch)
    await until(lambda: not store.owes(Selection(keys=(b"key",))))
    assert list(await store.look_up(b"key")) == []
    await stored(store, b"key")


async def test_a_frozen_process_of_valkey(own: Own, proxies: Proxies) -> None:
    server = own()
    store = proxies(server.url, hasty())
    await store.start()
    await put(store, b"key")
    server.signal(signal.SIGSTOP)
    await until(lambda: not store.in_touch)
    assert list(await store.look_up(b"key")) == []
    server.signal(signal.SIGCONT)
    await found(store, b"key")


async def test_is_not_there_yet(own: Own, proxies: Proxies) -> None:
    server = own()
    server.kill()
    store = proxies(server.url, hasty())
    await store.start()
    assert not store.in_touch
    assert list(await store.look_up(b"key")) == []
    assert await store.invalidate([b"key"], []) == 0
    server.start()
    await stored(store, b"key")
    await until(lambda: store.in_touch)


async def test_an_unknown_host_is_no_reason_not_to_start(proxies: Proxies) -> None:
    store = proxies("valkey://nowhere.invalid", hasty())
    await store.start()
    assert not store.in_touch


async def refused(start: Awaitable[None]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        await start
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    return str(caught.value)


async def test_a_wrong_password_is_told_in_one_line(own: Own, proxies: Proxies) -> None:
    server = own("--requirepass", "s3")
    at = f"127.0.0.1:{server.port}"
    for url in (f"valkey://{at}", f"valkey://:secret@{at}", f"valkey://nobody:secret@{at}"):
        assert "refuses" in await refused(proxies(url, hasty()).start())
    store = proxies(f"valkey://:s3@{at}", hasty())
    await store.start()
    await put(store, b"key")


async def test_an_account_that_may_too_little(own: Own, proxies: Proxies) -> None:
    server = own()
    server.do("ACL", "SETUSER", "poor", "on", ">secret", "~*", "+@read")
    line = await refused(proxies(f"valkey://poor:secret@127.0.0.1:{server.port}", hasty()).start())
    assert "permit" in line or "refuses" in line


async def test_something_else_answers(proxies: Proxies) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert "is none" in await refused(proxies(f"valkey://127.0.0.1:{port}", hasty()).start())
    server.close()
    await server.wait_closed()
