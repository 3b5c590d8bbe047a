"""Servers for the tests of one process, and namespaces of their own for the tests."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import NOW
from tests.storage.valkey.servers_for_tests import Cluster, Server

Make = Callable[..., ValkeyStore]

_numbers = itertools.count()


def patient(**others: object) -> ValkeySettings:
    """Settings with which nothing is too slow, in a namespace that nobody else uses."""
    values = {
        "namespace": f"t{os.getpid()}.{next(_numbers)}",
        "lookup": 20.0,
        "write": 20.0,
        "heartbeat": 20.0,
    }
    return ValkeySettings(**{**values, **others})


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A single server that stays whole."""
    server = Server(tmp_path_factory.mktemp("valkey"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Cluster that stays whole."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.kill()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers that a test may do anything to."""
    servers: list[Server] = []

    def make(*words: str) -> Server:
        servers.append(Server(tmp_path / str(len(servers)), *words))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


@pytest.fixture
async def proxies() -> AsyncIterator[Callable[..., ValkeyStore]]:
    """Makes stores, each as another proxy has it, and closes them in the end."""
    stores: list[ValkeyStore] = []

    def make(url: str, settings: ValkeySettings, object_limit: int = 8 << 20) -> ValkeyStore:
        stores.append(ValkeyStore(url, settings, object_limit, clock=lambda: NOW - 3600))
        return stores[-1]

    yield make
    for store in stores:
        await store.close()
