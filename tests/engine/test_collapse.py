from __future__ import annotations

import asyncio
import sys

import pytest

from proxy.caching.effects import Collapse
from proxy.engine.collapse import Flights
from proxy.upstream.contract import Unreachable
from tests.engine.stage import Client, Origin, Stage, fresh, until


async def crowd(stage: Stage, size: int, target: bytes = b"/") -> list[asyncio.Task[Client]]:
    tasks = [asyncio.ensure_future(stage.ask(target)) for _ in range(size)]
    await asyncio.sleep(0)
    return tasks


async def test_a_thousand_clients_cause_one_request_to_the_origin(stage: Stage) -> None:
    gate = asyncio.Event()
    stage.answers(fresh(gate, b"cold", length=4))
    asking = await crowd(stage, 1000)
    gate.set()
    clients = await asyncio.gather(*asking)
    assert len(stage.origin.asked) == 1
    assert {client.body for client in clients} == {b"cold"}
    assert sum(b"collapsed" in client.cache_status for client in clients) == 999


async def test_what_is_not_to_be_shared_lets_the_others_go_at_once(stage: Stage) -> None:
    private = (b"Cache-Control", b"private")
    stage.answers(*(Origin(200, (private,), (b"%d" % number,), 1) for number in range(5)))
    clients = await asyncio.gather(*(await crowd(stage, 5)))
    assert sorted(client.body for client in clients) == [b"0", b"1", b"2", b"3", b"4"]


async def test_who_was_not_to_share_once_does_not_wait_the_next_time(stage: Stage) -> None:
    stage.answers(Origin(200, ((b"Cache-Control", b"no-store"),), (b"x",), 1))
    await stage.ask()
    never = asyncio.Event()
    slow = Origin(200, ((b"Cache-Control", b"no-store"),), (never,), None)
    stage.answers(slow, slow)
    asking = await crowd(stage, 2)
    await until(lambda: len(stage.origin.asked) == 3)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_an_origin_that_fails_fails_for_each_on_its_own(stage: Stage) -> None:
    stage.answers(Unreachable("down"), fresh(b"up"), fresh(b"up"))
    clients = await asyncio.gather(*(await crowd(stage, 3)))
    assert sorted(client.head.status for client in clients if client.head) == [200, 200, 502]


@pytest.mark.parametrize("failure", [Unreachable("down"), Origin(503, (), (b"busy",), 4)])
async def test_a_failure_says_nothing_about_who_may_share(
    stage: Stage, failure: Unreachable | Origin
) -> None:
    gate = asyncio.Event()
    stage.answers(failure, fresh(gate, b"up", length=2))
    await stage.ask()
    asking = await crowd(stage, 3)
    gate.set()
    assert {client.body for client in await asyncio.gather(*asking)} == {b"up"}
    assert len(stage.origin.asked) == 2


async def test_different_resources_do_not_wait_for_each_other(stage: Stage) -> None:
    never = asyncio.Event()
    stage.answers(fresh(never, length=100), fresh(b"other"))
    [first] = await crowd(stage, 1, b"/slow")
    assert (await stage.ask(b"/fast")).body == b"other"
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_what_is_remembered_of_a_long_key_is_small() -> None:
    flights = Flights()
    collapse = Collapse(b"GET http://a.example/" + b"x" * 8000)
    flights.lead(collapse).land(shared=False)
    assert not flights.shares(collapse)
    assert sum(map(sys.getsizeof, flights._unshared)) < 100


async def test_who_would_go_alone_is_known_beforehand() -> None:
    flights = Flights()
    both, follower = Collapse(b"key"), Collapse(b"key", leads=False)
    assert flights.apart(None)
    assert flights.apart(follower)
    assert not flights.apart(both)
    flight = flights.lead(both)
    assert not flights.apart(follower)
    assert flights.apart(Collapse(b"key", leads=False, follows=False))
    flight.land(shared=False)
    assert flights.apart(both)
