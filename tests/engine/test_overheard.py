"""What other processes invalidate makes a response old that is on its way here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.caching.policy import Policy
from proxy.engine import performer
from proxy.engine.driver import Driver
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.selection import Selection
from proxy.storage.tiers.store import Tiers
from tests.engine.stage import Client, Origin, Stage, asking, fresh

KEY = b"GET http://a.example/"


class Process(Stage):
    """A stage whose store hears the news of others."""

    def __init__(self, news: News) -> None:
        super().__init__()
        self.tiers = Tiers(MemoryStore(1 << 20, 1 << 18), None, News.of(news.fileno()))
        self.driver = Driver(self.tiers, self.origin, Policy())


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Process, Process]]:
    news = News.unnamed()
    both = Process(news), Process(news)
    yield both
    for process in both:
        await process.driver.close()
        await process.tiers.close()
    news.close()


async def turns_of(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


def wanted_by(way: str) -> Selection:
    return {
        "key": Selection(keys=(KEY,)),
        "prefix": Selection(prefixes=(b"http://a.example/",)),
    }[way]


@pytest.mark.parametrize("way", ["key", "prefix"])
@pytest.mark.parametrize("begun", [False, True])
async def test_what_was_asked_for_before_is_not_stored(
    pair: tuple[Process, Process], way: str, begun: bool
) -> None:
    one, other = pair
    head, content = asyncio.Event(), asyncio.Event()
    one.answers(Origin(200, fresh().lines, (content, b"before"), 6, ready=head), fresh(b"after"))
    first = asyncio.create_task(one.serve(Client(asking())))
    await turns_of(5)
    if begun:
        head.set()
        await turns_of(5)
    await other.tiers.purge(wanted_by(way))
    head.set()
    content.set()
    assert (await first).body == b"before"
    assert (await one.ask()).body == b"after"


async def test_nobody_follows_what_was_asked_for_before(pair: tuple[Process, Process]) -> None:
    one, other = pair
    head = asyncio.Event()
    one.answers(Origin(200, fresh().lines, (b"before",), 6, ready=head), fresh(b"after"))
    first = asyncio.create_task(one.serve(Client(asking())))
    await turns_of(5)
    await other.driver.invalidate([KEY], [])
    assert (await one.ask()).body == b"after"
    head.set()
    assert (await first).body == b"before"
    assert (await one.ask()).body == b"after"


async def test_a_clock_that_is_set_back_makes_nothing_newer(
    pair: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    head = asyncio.Event()
    one.answers(Origin(200, fresh().lines, (b"before",), 6, ready=head), fresh(b"after"))
    monkeypatch.setattr(performer, "time", lambda: 4e9)
    first = asyncio.create_task(one.serve(Client(asking())))
    await turns_of(5)
    monkeypatch.undo()
    await other.driver.invalidate([KEY], [])
    await one.driver.invalidate([b"another"], [])
    head.set()
    assert (await first).body == b"before"
    assert (await one.ask()).body == b"after"
