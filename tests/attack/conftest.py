"""A whole proxy with an origin behind it, which has to be as tidy after each attack as it was before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import pytest_asyncio
import uvloop

from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.upstream.address import Server
from proxy.upstream.settings import UpstreamSettings
from proxy.visibility.account import Account
from tests.attack.telltale import Telltale


def pytest_asyncio_loop_factories(
    config: Any, item: Any
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}  # as users run it


@dataclass
class Kept:
    """In the place of the log: the accounts themselves."""

    accounts: list[Account] = field(default_factory=list)
    lines: bytes = b""
    lost: int = 0

    def put(self, account: Account) -> None:
        self.accounts.append(account)

    def put_lines(self, lines: bytes) -> None:
        self.lines += lines


class Attacked:
    """A proxy, its origin, and what it recorded."""

    def __init__(self, settings: Settings) -> None:
        self.origin = Telltale()
        self.settings = settings
        self.kept = Kept()
        self.address = ("", 0)

    async def start(self) -> None:
        await self.origin.start()
        server = Server("http", "127.0.0.1", self.origin.port)
        self.proxy = Proxy(self.settings, server, log=cast(Any, self.kept), terminal=None)
        self.address = await self.proxy.start(("127.0.0.1", 0))

    def _busy(self) -> bool:
        proxy = self.proxy
        return bool(proxy._under_way or proxy._listener.connections or proxy._driver.busy)

    async def quiet(self) -> None:
        """Wait until nothing is under way any more."""
        async with asyncio.timeout(10):
            while self._busy():  # noqa: ASYNC110 - nothing tells when it is quiet
                await asyncio.sleep(0.01)

    def left_over(self) -> dict[str, int]:
        """What is still held on behalf of somebody: nothing of it may be."""
        store, driver, pool = self.proxy._store, self.proxy._driver, self.proxy._upstream
        held = {
            "flights": len(driver.reach.flights),
            "writers": len(store._writers),
            "promised": store._promised,
            "arrived": store._arrived,
            "background": driver.busy,
            "connections in use": len(pool._active) + pool._opening,
            "requests that wait": len(pool._waiting),
        }
        return {name: count for name, count in held.items() if count}

    async def stop(self) -> None:
        at_once = asyncio.Event()
        at_once.set()
        await self.proxy.stop(at_once)
        await self.origin.stop()


@pytest.fixture
def settings() -> Settings:
    """How the proxy is set: it does not wait for long."""
    return Settings(upstream=UpstreamSettings(first_byte=1.0, between_bytes=0.3))


@pytest_asyncio.fixture
async def attacked(settings: Settings) -> AsyncIterator[Attacked]:
    before = len(asyncio.all_tasks())
    attacked = Attacked(settings)
    await attacked.start()
    try:
        yield attacked
        await attacked.quiet()
        assert attacked.left_over() == {}
        accounts = attacked.kept.accounts
        assert len({account.id for account in accounts}) == len(accounts)
    finally:
        await attacked.stop()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before
