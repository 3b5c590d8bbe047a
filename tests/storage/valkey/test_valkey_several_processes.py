"""Processes of one machine, each with a connection to Valkey of its own, of which one is cut."""

from __future__ import annotations

import pytest

from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.selection import Selection
from proxy.storage.tiers.store import Tiers
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import contents, put
from tests.storage.valkey.relay import Relay
from tests.storage.valkey.servers_for_tests import Server
from tests.storage.valkey.test_valkey_faults import hasty, until

KEY = b"GET https://a/1"


@pytest.mark.parametrize(
    "wanted",
    [Selection(keys=(KEY,)), Selection(labels=(b"l",)), Selection(prefixes=(b"https://a/",))],
    ids=["key", "label", "prefix"],
)
async def test_what_one_purges_while_it_is_cut_off_is_not_seen_by_the_others(
    server: Server, wanted: Selection
) -> None:
    relay = Relay(server.port)
    await relay.start()
    settings = hasty(lookup=5.0, write=5.0)
    fleets = [ValkeyStore(url, settings, 1 << 20) for url in (relay.url, server.url)]
    news = News.unnamed()
    one, other = (
        Tiers(MemoryStore(1 << 20, 1 << 20), fleet, News.of(news.fileno()), fleet=fleet) for fleet in fleets
    )
    for fleet in fleets:
        await fleet.start()
    await until(lambda: all(fleet.in_touch for fleet in fleets))
    await put(one, KEY, b"old", labels=(b"l",))
    assert await contents(other, KEY) == [b"old"]
    relay.cut()
    await until(lambda: not fleets[0].in_touch)
    await one.purge(wanted)
    assert await contents(other, KEY) == []
    await until(lambda: not fleets[1]._purger.pending)
    assert await contents(fleets[1], KEY) == [], "who can reach it has done it"
    relay.mend()
    await until(lambda: not fleets[0]._purger.pending)
    for tiers in (one, other):
        await tiers.close()
    news.close()
    await relay.close()
