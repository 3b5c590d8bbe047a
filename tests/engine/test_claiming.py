"""Collapsed forwarding among processes that share a store: two drivers, one store, and claims."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from proxy.caching.policy import Policy
from proxy.engine.driver import Driver
from proxy.engine.settings import EngineSettings
from tests.engine.stage import Client, Origin, Stage, fresh, until


class Granted:
    """A claim that was granted; whoever waits is told when it's released, or when its holder dies."""

    def __init__(self, claims: Claims, way: bytes) -> None:
        self._claims = claims
        self._way = way
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def release(self, *, shared: bool) -> None:
        if self._claims.held.get(self._way) is self:
            del self._claims.held[self._way]
            self.over.set_result(shared)


@dataclass
class Claims:
    """Those among the drivers of a test."""

    held: dict[bytes, Granted] = field(default_factory=dict)
    waiting: int = 0

    async def claim(self, way: bytes) -> Granted | None:
        await asyncio.sleep(0)
        if way in self.held:
            return None
        self.held[way] = Granted(self, way)
        return self.held[way]

    async def settled(self, way: bytes, patience: float) -> bool:
        if way not in self.held:
            return True
        self.waiting += 1
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(self.held[way].over)
        except TimeoutError:
            return False
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        pass


@dataclass
class Pair:
    """Two processes: each with its own driver."""

    one: Stage
    other: Stage
    claims: Claims

    async def both_ask(self, times: int) -> list[asyncio.Task[Client]]:
        asking = [asyncio.ensure_future(stage.ask()) for stage in [self.one, self.other] * times]
        await until(lambda: self.claims.waiting > 0)
        return asking


def slow(ready: asyncio.Event, content: bytes) -> Origin:
    """A response that may be kept, whose head comes when it's `ready`."""
    return Origin(200, ((b"Cache-Control", b"max-age=60"),), (content,), len(content), ready=ready)


def driven(stage: Stage, claims: Claims, patience: float = 20.0) -> Stage:
    settings = EngineSettings(patience=patience)
    stage.driver = Driver(stage.store, stage.origin, Policy(), settings, claims)
    return stage


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    one, other, claims = Stage(), Stage(), Claims()
    other.store, other.origin = one.store, one.origin
    pair = Pair(driven(one, claims), driven(other, claims), claims)
    yield pair
    await one.driver.close()
    await other.driver.close()
    assert not claims.held
    await one.store.close()


async def test_two_processes_ask_the_origin_once(pair: Pair) -> None:
    gate = asyncio.Event()
    pair.one.answers(fresh(gate, b"cold", length=4))
    asking = await pair.both_ask(50)
    gate.set()
    clients = await asyncio.gather(*asking)
    assert {client.body for client in clients} == {b"cold"}
    assert len(pair.one.origin.asked) == 1
    assert sum(b"collapsed" in client.cache_status for client in clients) == 99


async def test_who_gets_a_claim_too_late_finds_what_was_stored_meanwhile(pair: Pair) -> None:
    pair.one.answers(fresh(b"cold", length=4))
    first, second = await asyncio.gather(pair.one.ask(), pair.other.ask())
    assert (first.body, second.body) == (b"cold", b"cold")
    assert len(pair.one.origin.asked) == 1


async def test_what_is_not_to_be_shared_lets_all_go_at_once(pair: Pair) -> None:
    ready = asyncio.Event()
    private = ((b"Cache-Control", b"private"),)
    pair.one.answers(*(Origin(200, private, (b"%d" % n,), 1, ready=ready) for n in range(6)))
    asking = await pair.both_ask(3)
    ready.set()
    clients = await asyncio.gather(*asking)
    assert sorted(client.body for client in clients) == [b"%d" % n for n in range(6)]


async def test_a_holder_that_dies_is_followed_by_the_next(pair: Pair) -> None:
    never = asyncio.Event()
    pair.one.answers(slow(never, b""), fresh(b"cold", length=4))
    dying = asyncio.ensure_future(pair.one.ask())
    await until(lambda: len(pair.one.origin.asked) == 1)
    waiting = asyncio.ensure_future(pair.other.ask())
    await until(lambda: pair.claims.waiting == 1)
    for granted in list(pair.claims.held.values()):
        granted.release(shared=True)  # as the kernel does
    assert (await waiting).body == b"cold"
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)


async def test_whose_patience_ends_asks_by_itself(pair: Pair) -> None:
    never = asyncio.Event()
    driven(pair.other, pair.claims, patience=0.05)
    pair.one.answers(slow(never, b""), fresh(b"own", length=3))
    waiting = asyncio.ensure_future(pair.one.ask())
    await until(lambda: len(pair.one.origin.asked) == 1)
    assert (await pair.other.ask()).body == b"own"
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_what_was_invalidated_on_its_way_is_waited_for_by_nobody(pair: Pair) -> None:
    ready = asyncio.Event()
    pair.one.answers(slow(ready, b"old"), fresh(b"new", length=3))
    first = asyncio.ensure_future(pair.one.ask())
    await until(lambda: len(pair.one.origin.asked) == 1)
    key = next(iter(pair.one.driver.reach.flights._flights))[0]
    await pair.one.driver.invalidate([key], [])
    assert (await pair.other.ask()).body == b"new"
    ready.set()
    assert (await first).body == b"old"
    assert (await pair.other.ask()).body == b"new"


async def test_who_waits_and_leaves_leaves_nothing_behind(pair: Pair) -> None:
    ready = asyncio.Event()
    pair.one.answers(slow(ready, b"cold"))
    first = asyncio.ensure_future(pair.one.ask())
    await until(lambda: len(pair.one.origin.asked) == 1)
    leaving = asyncio.ensure_future(pair.other.ask())
    await until(lambda: pair.claims.waiting == 1)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert not len(pair.other.driver.reach.flights)
    ready.set()
    assert (await first).body == b"cold"


async def test_in_the_background_only_one_process_validates(pair: Pair) -> None:
    stale = ((b"Cache-Control", b"max-age=0, stale-while-revalidate=600"), (b"ETag", b'"1"'))
    pair.one.answers(Origin(200, stale, (b"old",), 3))
    await pair.one.ask()
    ready = asyncio.Event()
    pair.one.answers(Origin(304, stale, ready=ready), Origin(304, stale))
    assert (await pair.one.ask()).body == b"old"
    await until(lambda: len(pair.one.origin.asked) == 2)
    assert (await pair.other.ask()).body == b"old"
    await until(lambda: not pair.other.driver.busy)
    assert len(pair.one.origin.asked) == 2
    ready.set()
    await until(lambda: not pair.one.driver.busy)


async def test_without_others_nothing_is_claimed() -> None:
    stage = Stage()
    assert stage.driver.reach.claims is None
    stage.answers(fresh(b"x", length=1))
    assert (await stage.ask()).body == b"x"
    await stage.driver.close()
    await stage.store.close()
