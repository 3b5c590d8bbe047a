"""Several tiers as one store promise what every store does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.storage.disk.store import DiskStore
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.tiers.nearby import Nearby
from proxy.storage.tiers.store import Tiers
from tests.storage.lower import LowerStore, over
from tests.storage.store_contract import StoreContract


class TiersContract(StoreContract):
    """What every store promises. Memory is small, so that it evicts none of what the contract counts."""

    SLOW = BARE = False
    MEMORY = 256 << 10

    @pytest.fixture
    async def store(self) -> AsyncIterator[Tiers]:
        below = LowerStore(MemoryStore(self.BUDGET, self.OBJECT_LIMIT), slow=self.SLOW, bare=self.BARE)
        store = over(below, memory=self.MEMORY)
        yield store
        await store.close()
        await below.held.close()


class TestOverWhatIsAtHand(TiersContract):
    pass


class TestOverWhatTakesWaiting(TiersContract):
    SLOW = True


class TestOverWhatHasToBeRead(TiersContract):
    SLOW = BARE = True


class TestWithNoMemory(TiersContract):
    MEMORY = 0


class TestOverADisk(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Tiers]:
        disk = DiskStore(tmp_path, self.BUDGET, self.OBJECT_LIMIT)
        store = Tiers(MemoryStore(256 << 10, 1 << 20), disk, News.at(tmp_path))
        yield store
        await store.close()


class TestOverADiskBeforeAFleet(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Tiers]:
        near = LowerStore(MemoryStore(self.BUDGET, self.OBJECT_LIMIT))
        far = LowerStore(MemoryStore(self.BUDGET, self.OBJECT_LIMIT), slow=True)
        both = Nearby(near, far)
        store = Tiers(MemoryStore(256 << 10, 1 << 20), both, News.unnamed(), fleet=both)
        yield store
        await store.close()


class TestWithNothingBelow(StoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Tiers]:
        store = Tiers(MemoryStore(self.BUDGET, self.OBJECT_LIMIT), None, News.unnamed())
        yield store
        await store.close()
