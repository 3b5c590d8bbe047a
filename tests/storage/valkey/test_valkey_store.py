from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.storage.contract import Store
from proxy.storage.selection import Selection
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import NOW, contents, put, response
from tests.storage.store_contract import StoreContract
from tests.storage.valkey.conftest import patient
from tests.storage.valkey.servers_for_tests import Cluster, Server


class ValkeyContract(StoreContract):
    """What can't be known without asking over the network is not said: entries are counted by Valkey."""

    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[ValkeyStore]:
        store = ValkeyStore(url, patient(), self.OBJECT_LIMIT, clock=lambda: NOW - 3600)
        await store.start()
        yield store
        await store.close()
        assert store.figures().bytes == store._gauge._last.bytes

    async def test_keeps_several_under_one_key(self, store: Store) -> None:
        for content in (b"one", b"two", b"three"):
            await put(store, b"key", content)
        assert await contents(store, b"key") == [b"one", b"three", b"two"]

    async def test_freshen_brings_nothing_back(self, store: Store) -> None:
        entry = await put(store, b"key")
        await store.remove(entry)
        await store.freshen(entry, response(7, at=NOW + 60))
        assert list(await store.look_up(b"key")) == []

    async def test_stays_within_its_budget(self, store: Store) -> None:
        """That of what is on its way; of what is there Valkey sees to it."""
        writers = [store.begin(b"%d" % number, (), (), None) for number in range(40)]
        taken = [writer is not None and writer.write(bytes(900_000)) for writer in writers]
        assert 10 < sum(taken) < 40
        for writer in writers:
            if writer is not None:
                writer.abort()

    async def test_what_is_on_its_way_counts(self, store: Store) -> None:
        writer = store.begin(b"key", (), (), None)
        assert writer is not None
        before = store.figures().bytes
        assert writer.write(bytes(60_000))
        assert store.figures().bytes == before + 60_000
        writer.abort()
        assert store.figures().bytes == before

    async def test_lets_go_of_what_is_of_no_use_any_more(self, store: Store) -> None:
        await put(store, b"soon", expires=NOW + 10)
        await put(store, b"later", expires=NOW + 100_000)
        await put(store, b"never")
        assert await store.expire(NOW + 9) == 0
        assert len(await store.look_up(b"soon")) == 1
        assert await store.expire(NOW + 20) == 0
        assert [len(await store.look_up(key)) for key in (b"soon", b"later", b"never")] == [0, 1, 1]

    async def test_the_figures_of_an_empty_store(self, store: ValkeyStore) -> None:
        """They are those of the server, which others use too."""
        await put(store, b"key")
        await store._gauge.ask()
        figures = store.figures()
        assert figures.entries > 0
        assert figures.bytes > 100_000

    @pytest.mark.parametrize(
        "wanted", [Selection(keys=(b"k",)), Selection(labels=(b"l",)), Selection(prefixes=(b"",))]
    )
    async def test_a_soft_purge_ends_what_is_remembered_of_an_entry(
        self, store: Store, wanted: Selection
    ) -> None:
        """Nothing is to be remembered of one."""
        await put(store, b"k", labels=(b"l",))
        (entry,) = await store.look_up(b"k")
        assert entry.state is None


class TestOneServer(ValkeyContract):
    @pytest.fixture
    def url(self, server: Server) -> str:
        return server.url


class TestCluster(ValkeyContract):
    """What goes to several slots, or through all of them; the rest is the same as on one server."""

    @pytest.fixture
    def url(self, cluster: Cluster) -> str:
        return cluster.url


ONE_SLOT = (
    "reads_", "reading_", "nothing_is_found", "finds_nothing", "keeps_several",
    "what_was_to_be_replaced", "replaces_what", "a_reader", "freshen", "what_is_stored_after",
    "removes_one", "the_length", "what_is_announced", "what_turns_out", "stays_within",
    "what_is_on_its_way", "lets_go", "what_has_left", "touch_", "the_figures",
    "others_have_their_turn", "takes_the_place",
)  # fmt: skip
for name in dir(ValkeyContract):
    if name.removeprefix("test_").startswith(ONE_SLOT):
        setattr(TestCluster, name, None)
