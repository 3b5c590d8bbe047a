"""What comes between two steps there: each test stops one at the moment that matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from proxy.storage.selection import Selection
from proxy.storage.valkey import purging
from proxy.storage.valkey.channel import Unwell
from proxy.storage.valkey.names import digest, shard_of
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import DIGEST, NOW, contents, put, response
from tests.storage.valkey.conftest import patient
from tests.storage.valkey.relay import Relay
from tests.storage.valkey.servers_for_tests import Server
from tests.storage.valkey.test_valkey_faults import hasty, until

Proxies = Callable[..., ValkeyStore]

KEY, OTHER = b"GET https://a/1", b"GET https://b/2"
NAMED = [Selection(keys=(KEY,)), Selection(labels=(b"l",))]
WIDE = [Selection(prefixes=(b"https://a",)), Selection(patterns=(b"/1$",)), Selection(everything=True)]


@pytest.fixture
async def pair(server: Server, proxies: Proxies) -> tuple[ValkeyStore, ValkeyStore]:
    settings = patient()
    pair = proxies(server.url, settings), proxies(server.url, settings)
    for proxy in pair:
        await proxy.start()
        await until(lambda proxy=proxy: proxy.in_touch)  # type: ignore[misc]
    return pair


@pytest.fixture
async def relay(server: Server) -> AsyncIterator[Relay]:
    relay = Relay(server.port)
    await relay.start()
    yield relay
    await relay.close()


@pytest.mark.parametrize(
    ("how", "wanted"),
    [*(("cancelled", wanted) for wanted in (*NAMED, *WIDE)), *(("unanswered", wanted) for wanted in NAMED)],
)
async def test_a_purge_that_was_not_confirmed_is_owed_and_repeated(
    server: Server, relay: Relay, proxies: Proxies, how: str, wanted: Selection
) -> None:
    """Whoever asked for it may be gone before it is answered: it is done nevertheless."""
    settings = hasty(heartbeat=20.0, write=0.05)
    store, other = proxies(relay.url, settings), proxies(server.url, patient(namespace=settings.namespace))
    for one in (store, other):
        await one.start()
        await until(lambda one=one: one.in_touch)  # type: ignore[misc]
    await put(other, KEY, b"old", labels=(b"l",))
    relay.freeze()
    task = asyncio.ensure_future(store.purge(wanted))
    await asyncio.sleep(0.01)
    if how == "cancelled":
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert store.owes(wanted)
    relay.cut()  # what was asked is lost
    relay.thaw()
    relay.mend()
    await until(lambda: not store.owes(wanted))
    assert await contents(other, KEY) == []


@pytest.mark.parametrize("wanted", WIDE)
async def test_a_purge_that_could_not_go_through_everything_is_owed_and_repeated(
    pair: tuple[ValkeyStore, ValkeyStore], wanted: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    await put(other, KEY, b"old")
    through = purging._through

    async def broken(*_: Any) -> AsyncIterator[Any]:
        raise Unwell
        yield

    monkeypatch.setattr(purging, "_through", broken)
    await one.purge(wanted)
    assert one.owes(wanted) is not wanted.everything, "a floor is enough to have all of it invalid"
    if wanted.everything:
        assert await contents(other, KEY) == []
    assert await contents(one, KEY) == [], "it is hidden here"
    monkeypatch.setattr(purging, "_through", through)
    await until(lambda: not one.owes(wanted))
    assert await contents(other, KEY) == []


@pytest.mark.parametrize("wanted", WIDE[:2])
async def test_who_looked_while_everything_was_gone_through_is_told_once_more(
    pair: tuple[ValkeyStore, ValkeyStore], wanted: Selection
) -> None:
    one, other = pair
    told: list[Selection] = []
    other.hear(told.append)
    await one.purge(wanted)
    await until(lambda: len(told) == 2)
    assert told == [wanted, wanted]


# A commit that is refused: by what?


def _held_messages(proxy: ValkeyStore) -> Callable[[], None]:
    """Have a proxy hear nothing before the next answer of a script; what is given has it hear all at once."""
    servers, told, answered = proxy.servers, proxy.servers.told, proxy.servers.answered
    came: list[tuple[Any, ...]] = []

    def hear() -> None:
        servers.told, servers.answered = told, answered  # type: ignore[method-assign]
        for words in came:
            told(*words)
        came.clear()

    def first(*words: Any) -> None:
        hear()
        answered(*words)

    servers.told = lambda *words: came.append(words)  # type: ignore[method-assign]
    servers.answered = first  # type: ignore[method-assign]
    return hear


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Selection(keys=(KEY,)), False),
        (Selection(labels=(b"l",)), False),
        (Selection(prefixes=(b"https://a",)), False),
        (Selection(prefixes=(b"https://z",)), True),
    ],
)
async def test_what_is_refused_is_tried_again_only_where_it_was_not_meant(
    pair: tuple[ValkeyStore, ValkeyStore], wanted: Selection, kept: bool
) -> None:
    """Word of the purge comes after the commit was sent, and before its answer."""
    one, other = pair
    await put(one, OTHER, labels=(b"l",))
    writer = one.begin(KEY, (b"l",), (), None)
    assert writer is not None
    assert writer.write(b"old")
    _held_messages(one)
    await other.purge(wanted)
    await asyncio.sleep(0.05)  # all messages have come
    entry = await writer.commit(response(3), DIGEST)
    assert (entry is not None) is kept
    assert await contents(other, KEY) == ([b"old"] if kept else [])


async def test_what_one_of_its_labels_refuses_leaves_nothing_behind(
    server: Server, pair: tuple[ValkeyStore, ValkeyStore]
) -> None:
    one, other = pair
    await put(one, OTHER, labels=(b"l",))
    writer = one.begin(KEY, (b"l",), (), None)
    assert writer is not None
    hear = _held_messages(one)
    await other.purge(Selection(labels=(b"l",)))
    assert await writer.commit(response(0), DIGEST) is None
    hear()
    index = one.names.index(digest(KEY))
    await until(lambda: not server.do("HLEN", index))


# What is kept there.


async def test_freshening_keeps_the_label_for_longer(server: Server, proxies: Proxies) -> None:
    store = proxies(server.url, patient())
    await store.start()
    entry = await put(store, KEY, labels=(b"l",), expires=NOW)
    await store.freshen(entry, response(7, at=NOW + 1), NOW + 3600)
    for name in (store.names.label(digest(b"l")), store.names.members(digest(b"l"))):
        assert int(str(server.do("PTTL", name))) > 3_660_000


async def test_a_server_that_went_back_is_raised_above_all_that_was_known(
    server: Server, proxies: Proxies
) -> None:
    """Even where its clock is behind what the proxies have heard."""
    store = proxies(server.url, patient())
    await store.start()
    await until(lambda: store.in_touch)
    clock = store.names.clock(shard_of(digest(KEY)))
    before, ahead = int(str(server.do("HGET", clock, "p").decode())), 1 << 52  # type: ignore[attr-defined]
    server.do("HSET", clock, "p", ahead)
    await store.look_up(KEY)
    server.do("HSET", clock, "p", before)
    await store.look_up(KEY)
    await until(lambda: int(server.do("HGET", clock, "p").decode()) > ahead)  # type: ignore[attr-defined]
