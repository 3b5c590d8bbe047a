"""What two workers show together, asked over the links that real ones have."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from proxy.engine.purging import Item, Report, Wish
from proxy.message.errors import PellucidError
from proxy.server.admin.recent import Elsewhere
from proxy.server.workers.answering import Answering
from proxy.server.workers.gathered import TO_PURGE, Gathered
from proxy.server.workers.link import Link
from proxy.server.workers.past import Keepsake, Past
from proxy.storage.contract import NotInvalidated
from proxy.upstream.address import Server, parse_server
from tests.server.running import NOW, Running, account


class Worker:
    """One worker as the admin address sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = Running()
        self.changed: list[str] = []
        self.done: list[Wish] = []
        self.closed = False
        self.counted: list[Wish] = []
        sources = dataclasses.replace(self.running.sources, purge=self._purge)
        self.answering = Answering(sources, self._change, self._count)

    def _change(self, servers: Sequence[tuple[Server, float]]) -> None:
        self.changed = [server.url for server, _ in servers]

    async def _purge(self, wish: Wish, client: str) -> Report:
        if self.closed:
            raise NotInvalidated("the store is closed")
        self.done.append(wish)
        return report(1)

    async def _count(self, wish: Wish) -> Report:
        self.counted.append(wish)
        return report(2, dry=True)


def report(entries: int, dry: bool = False) -> Report:
    return Report([Item("url", "http://a/", {"memory": entries})], False, dry)


class Scene:
    def __init__(self, keepsake: Keepsake) -> None:
        self.workers = [Worker("one"), Worker("two")]
        self.told: list[list[str]] = []
        servers = (("http://a.example:80", 1.0),)
        self.gathered = Gathered(
            NOW - 100,
            lambda changed: self.told.append([url for url, _ in changed]),
            servers,
            Past(keepsake),
            changeable=True,
        )

    async def join(self, number: int) -> None:
        one, other = socket.socketpair()
        self.workers[number].answering.take(one.detach())
        await self.gathered.add(number, os.getpid(), other.detach())


@pytest.fixture
def keepsake() -> Keepsake:
    return Keepsake()


@asynccontextmanager
async def on_stage(keepsake: Keepsake) -> AsyncIterator[Scene]:
    scene = Scene(keepsake)
    await scene.join(0)
    await scene.join(1)
    try:
        yield scene
    finally:
        await scene.gathered.close()
        for worker in scene.workers:
            await worker.answering.close()


@pytest.fixture
async def scene(keepsake: Keepsake) -> AsyncIterator[Scene]:
    async with on_stage(keepsake) as scene:
        yield scene


async def test_figures_are_added_up(scene: Scene) -> None:
    scene.workers[0].running.end(account("a"), account("b", duration=0.5))
    scene.workers[1].running.end(account("c", complete=False))
    totals = await scene.gathered.totals()
    assert totals["exchanges"]["total"] == 3
    assert totals["exchanges"]["errors"] == 1
    assert totals["exchanges"]["by_outcome"]["hit"] == 3
    assert totals["bytes"]["sent"]["cache"] == 300
    assert totals["latency"]["count"] == 3
    assert (totals["in_flight"], totals["connections"]) == (4, 10)
    assert totals["storage"]["entries"] == 6
    assert totals["log"]["lost"] == 18
    assert [one["worker"] for one in totals["workers"]] == [1, 2]


async def test_counters_don_t_go_back_with_a_worker_nor_with_whoever_gathers(keepsake: Keepsake) -> None:
    async with on_stage(keepsake) as scene:
        scene.workers[0].running.end(account("a"), account("b"))
        scene.workers[1].running.end(account("c"))
        assert (await scene.gathered.totals())["exchanges"]["total"] == 3
        await scene.workers[0].answering.close()  # it dies
        while len(scene.gathered.workers) == 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        totals = await scene.gathered.totals()
        assert totals["exchanges"]["total"] == 3
        assert (totals["in_flight"], totals["log"]["lost"]) == (2, 18)
    async with on_stage(keepsake) as scene:
        totals = await scene.gathered.totals()
        assert (totals["exchanges"]["total"], totals["storage"]["evicted"]) == (2, 3)


async def test_exchanges_are_in_the_order_in_which_they_ended(scene: Scene) -> None:
    for second in range(6):
        scene.workers[second % 2].running.end(account(f"x{second}", started=NOW + second, duration=0.1))
    lines = await scene.gathered.latest(4)
    assert [msgspec.json.decode(line)["id"] for line in lines] == ["x2", "x3", "x4", "x5"]
    assert len(await scene.gathered.minutes()) == 0
    found = await scene.gathered.one("x3")
    assert found is not None
    assert msgspec.json.decode(found)["id"] == "x3"
    assert await scene.gathered.one("nowhere") is None


async def test_who_watches_sees_exchanges_of_all(scene: Scene) -> None:
    seen: list[str] = []
    with scene.gathered.recent.watch() as watcher:
        while not all(one.running.recent._watchers for one in scene.workers):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        for worker in scene.workers:
            worker.running.end(account(worker.name))
        while len(seen) < 2:
            for one in (await watcher.look()).accounts:
                assert isinstance(one, Elsewhere)
                seen.append(msgspec.json.decode(scene.gathered.line(one))["id"])
    assert sorted(seen) == ["one", "two"]
    while any(one.running.recent._watchers for one in scene.workers):  # noqa: ASYNC110
        await asyncio.sleep(0.005)


async def test_servers_change_in_all_and_in_those_that_come_later(scene: Scene) -> None:
    servers = scene.gathered.servers
    assert servers is not None
    await servers.add(parse_server("http://b.example"), 2.0)
    both = ["http://a.example:80", "http://b.example:80"]
    assert [one.changed for one in scene.workers] == [both, both]
    assert scene.told == [both]
    scene.workers.append(Worker("three"))
    await scene.join(2)
    assert scene.workers[2].changed == both
    await servers.drain("a.example:80")
    assert scene.told[-1] == ["http://b.example:80"]


@pytest.mark.parametrize("asked", ["again", "nowhere", "last", "weightless"])
async def test_servers_can_t_be_changed_into_nonsense(scene: Scene, asked: str) -> None:
    servers = scene.gathered.servers
    assert servers is not None
    with pytest.raises(Exception, match=r"already|no such|last server|above 0"):
        await {
            "again": lambda: servers.add(parse_server("http://a.example"), 1.0),
            "nowhere": lambda: servers.drain("b.example:80"),
            "last": lambda: servers.drain("a.example:80"),
            "weightless": lambda: servers.add(parse_server("http://c.example"), 0.0),
        }[asked]()
    assert scene.told == []


async def test_one_purges_and_the_others_are_counted(scene: Scene) -> None:
    assert scene.gathered.purge is not None
    wish = Wish(urls=["http://a/"])
    found = await scene.gathered.purge(wish, "127.0.0.1:1")
    assert found.items[0].entries == {"memory": 3}
    assert not found.dry
    assert [one.dry for one in scene.workers[1].counted] == [True]
    assert scene.workers[0].done == [wish]


async def test_a_purge_does_not_wait_for_one_that_hangs(keepsake: Keepsake) -> None:
    scene = Scene(keepsake)
    one, other = socket.socketpair()

    async def hangs(what: str, value: object) -> None:
        if what != "change servers":
            await asyncio.Event().wait()

    link = await Link.over(one.detach())
    hanging = asyncio.create_task(link.run(hangs))
    await scene.gathered.add(0, os.getpid(), other.detach())
    await scene.join(1)
    assert scene.gathered.purge is not None
    async with asyncio.timeout(TO_PURGE / 2):
        found = await scene.gathered.purge(Wish(urls=["http://a/"]), "127.0.0.1:1")
    assert found.items[0].entries == {"memory": 1}
    assert len(scene.workers[1].done) == 1
    await scene.gathered.close()
    await hanging
    await scene.workers[1].answering.close()


async def test_one_that_ends_leaves_a_purge_to_another(scene: Scene) -> None:
    scene.workers[0].closed = True
    assert scene.gathered.purge is not None
    wish = Wish(urls=["http://a/"])
    assert (await scene.gathered.purge(wish, "127.0.0.1:1")).items[0].entries == {"memory": 3}
    assert scene.workers[1].done == [wish]
    scene.workers[1].closed = True
    with pytest.raises(PellucidError, match="the store is closed") as raised:
        await scene.gathered.purge(wish, "127.0.0.1:1")
    assert raised.value.status == 503
