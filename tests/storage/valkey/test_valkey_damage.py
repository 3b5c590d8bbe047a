"""What was damaged in Valkey, or lost there, is not used."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.storage.valkey.entry import Lost, ValkeyEntry
from proxy.storage.valkey.names import digest
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import put, read
from tests.storage.valkey.conftest import patient
from tests.storage.valkey.servers_for_tests import Server
from tests.storage.valkey.test_valkey_faults import until

Proxies = Callable[..., ValkeyStore]


async def tampered(
    server: Server, store: ValkeyStore, entry: ValkeyEntry, field: bytes, value: bytes
) -> None:
    server.do("HSET", store.names.index(digest(entry.key)), field + entry.id, value)


async def test_what_was_damaged_or_written_by_others_is_not_used(server: Server, proxies: Proxies) -> None:
    store = proxies(server.url, patient())
    await store.start()
    await put(store, b"key", b"one")
    (entry,) = await store.look_up(b"key")
    name = store.names.index(digest(b"key"))
    record = server.do("HGET", name, b"h" + entry.id)
    assert isinstance(record, bytes)
    for value in (b"", b"x" * 99, record[:-1], record[:50] + b"\xff" + record[51:], record[:40]):
        await tampered(server, store, entry, b"h", value)
        assert list(await store.look_up(b"key")) == []
    await tampered(server, store, entry, b"h", record)
    assert len(await store.look_up(b"key")) == 1
    # Another key's entry in this one's place:
    other = await put(store, b"other", b"two")
    index = store.names.index(digest(b"other"))
    server.do("HSET", index, b"h" + entry.id, record, b"c" + entry.id, b"")
    assert [found.id for found in await store.look_up(b"other")] == [other.id]
    # A version to come keeps what it keeps elsewhere:
    assert store.names.index(b"x").startswith(b"pellucid:1:")


async def test_content_that_was_damaged_or_evicted_is_not_found_or_breaks_off(
    server: Server, proxies: Proxies
) -> None:
    store = proxies(server.url, patient())
    await store.start()
    small = await put(store, b"key", b"abc")
    assert isinstance(small, ValkeyEntry)
    await tampered(server, store, small, b"c", b"\x00\x00\x00\x00\x00abc")
    assert list(await store.look_up(b"key")) == []
    for evicted in (False, True):
        await put(store, b"large", bytes(200_000))
        (entry,) = await store.look_up(b"large")
        body = store.names.body(digest(b"large"), entry.id)
        server.do("DEL", body) if evicted else server.do("HSET", body, "2", b"\x01garbage")
        with pytest.raises(Lost):
            await read(entry)
        await until(lambda: not server.do("HLEN", store.names.index(digest(b"large"))))
        assert list(await store.look_up(b"large")) == []


async def test_what_has_lost_its_content_is_not_found(server: Server, proxies: Proxies) -> None:
    store = proxies(server.url, patient())
    await store.start()
    entry = await put(store, b"key", bytes(200_000))
    assert isinstance(entry, ValkeyEntry)
    server.do("DEL", store.names.body(digest(b"key"), entry.id))
    assert list(await store.look_up(b"key")) == []
