"""Followers of one way to the origin: who leaves, what breaks, what is validated or changed meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from proxy.engine.downstream import ClientGone
from proxy.engine.settings import EngineSettings
from proxy.message.response import Response
from proxy.upstream.contract import BrokenResponse, Unreachable
from tests.engine.crowd import PUBLIC, TAG, Crowd, asked, turns
from tests.engine.stage import Client, Origin, Stage, asking, fresh, until

# What goes wrong.


@pytest.mark.parametrize("length", [100, None])
async def test_a_break_is_seen_by_all(crowd: Crowd, length: int | None) -> None:
    content = asyncio.Event()
    crowd.stage.answers(fresh(b"some", content, b"more", BrokenResponse("cut"), length=length))
    for _ in range(3):
        await crowd.come()
    content.set()
    await crowd.end()
    assert [(client.body, client.aborted, client.ended) for client in crowd.clients] == [
        (b"somemore", True, False)
    ] * 3
    crowd.stage.answers(fresh(b"whole"))
    assert (await crowd.stage.ask()).body == b"whole"


async def test_a_failure_is_tried_anew_once_for_all(crowd: Crowd) -> None:
    head = asyncio.Event()
    crowd.stage.answers(Unreachable("down"), Origin(200, (PUBLIC,), (b"up",), 2, ready=head))
    crowd.stage.origin.answers[0] = Origin(503, (), (b"busy",), 4, ready=head)
    for _ in range(5):
        await crowd.come()
    head.set()
    await crowd.end()
    assert asked(crowd) == 2
    assert [client.body for client in crowd.clients] == [b"busy", *[b"up"] * 4]


async def test_an_origin_that_keeps_failing_fails_for_each_in_bounded_time(crowd: Crowd) -> None:
    head = asyncio.Event()
    crowd.stage.answers(*(Origin(503, (), (b"busy",), 4, ready=head) for _ in range(9)))
    for _ in range(9):
        await crowd.come()
    head.set()
    await turns(60)
    assert asked(crowd) == 9
    await crowd.end()


async def test_a_leader_that_leaves_before_the_head_leaves_what_it_began(crowd: Crowd) -> None:
    head = asyncio.Event()
    crowd.stage.answers(Origin(200, (PUBLIC,), (b"all", b"of it"), 8, ready=head))
    for _ in range(3):
        await crowd.come()
    await crowd.leave(0)
    await crowd.leave(1)
    head.set()
    await crowd.end()
    assert asked(crowd) == 1
    assert crowd.clients[2].body == b"allof it"
    assert (await crowd.stage.ask()).body == b"allof it"


async def test_what_nobody_waits_for_any_more_is_given_up(crowd: Crowd) -> None:
    never = asyncio.Event()
    crowd.stage.answers(Origin(200, (PUBLIC,), (b"x",), 1, ready=never), fresh(b"again"))
    await crowd.come()
    await crowd.come()
    await crowd.leave(0)
    assert crowd.stage.driver.busy == 1
    await crowd.leave(1)
    await until(lambda: crowd.stage.driver.busy == 0)
    assert (await crowd.stage.ask()).body == b"again"


async def test_a_leader_that_leaves_in_the_middle_takes_nothing_with_it(crowd: Crowd) -> None:
    content = asyncio.Event()
    crowd.stage.answers(fresh(b"some", content, b"more", length=None))
    await crowd.come()
    await crowd.come()
    await crowd.leave(0)
    content.set()
    await crowd.end()
    assert crowd.clients[1].body == b"somemore"
    assert asked(crowd) == 1


async def test_the_last_who_leaves_ends_it() -> None:
    stage = Stage(EngineSettings(nearly_done=10))
    crowd, never = Crowd(stage), asyncio.Event()
    stage.answers(fresh(b"x" * 10, never, length=1000))
    for _ in range(3):
        await crowd.come()
    for number in range(3):
        assert not stage.origin.arriving[0].closed
        await crowd.leave(number)
    await until(lambda: stage.origin.arriving[0].closed)
    assert stage.store.figures().bytes == 0
    assert not len(stage.driver.reach.flights)
    await stage.driver.close()


async def test_nobody_waits_for_longer_than_the_patience() -> None:
    stage = Stage(EngineSettings(patience=0.01))
    crowd, never = Crowd(stage), asyncio.Event()
    stage.answers(Origin(200, (PUBLIC,), (b"x",), 1, ready=never), *(fresh(b"y") for _ in range(2)))
    for _ in range(3):
        await crowd.come()
    await until(lambda: sum(task.done() for task in crowd.tasks) == 2)
    assert [client.body for client in crowd.clients] == [b"", b"y", b"y"]
    await crowd.stop()
    await stage.driver.close()


async def test_hints_for_a_client_that_has_left_harm_nobody(crowd: Crowd) -> None:
    class Deaf(Client):
        async def interim(self, response: Response) -> None:
            raise ClientGone("gone")

    head = asyncio.Event()
    crowd.stage.answers(Origin(200, (PUBLIC,), (b"x",), 1, (Response(103),), ready=head))
    crowd.tasks.append(asyncio.ensure_future(crowd.stage.serve(Deaf(asking()))))
    await turns()
    follower = await crowd.come()
    head.set()
    await crowd.end()
    assert follower.body == b"x"
    assert asked(crowd) == 1


# Validation and invalidation.


async def test_one_validation_is_enough(crowd: Crowd) -> None:
    crowd.stage.answers(Origin(200, ((b"Cache-Control", b"max-age=0"), TAG), (b"kept",), 4))
    await crowd.stage.ask()
    head = asyncio.Event()
    crowd.stage.answers(Origin(304, (PUBLIC, TAG), ready=head))
    for _ in range(5):
        await crowd.come()
    head.set()
    await crowd.end()
    assert asked(crowd) == 2
    assert {client.body for client in crowd.clients} == {b"kept"}
    assert sum(b"collapsed" in client.cache_status for client in crowd.clients) == 4


async def test_a_validation_that_brings_something_new_brings_it_to_all(crowd: Crowd) -> None:
    crowd.stage.answers(Origin(200, ((b"Cache-Control", b"max-age=0"), TAG), (b"old",), 3))
    await crowd.stage.ask()
    content = asyncio.Event()
    crowd.stage.answers(fresh(b"n", content, b"ew", length=3))
    for _ in range(4):
        await crowd.come()
    assert [client.body for client in crowd.clients] == [b"n"] * 4
    content.set()
    await crowd.end()
    assert {client.body for client in crowd.clients} == {b"new"}
    assert asked(crowd) == 2


async def test_what_has_to_be_validated_each_time_is_not_waited_for_again(crowd: Crowd) -> None:
    each = ((b"Cache-Control", b"no-cache"), TAG)
    head = asyncio.Event()
    crowd.stage.answers(Origin(200, each, (b"x",), 1, ready=head))
    crowd.stage.answers(*(Origin(304, each) for _ in range(5)))
    for _ in range(3):
        await crowd.come()
    head.set()
    await crowd.end()
    assert asked(crowd) == 3
    never = asyncio.Event()
    crowd.stage.origin.answers = [Origin(304, each, ready=never) for _ in range(3)]
    for _ in range(3):
        await crowd.come()
    assert asked(crowd) == 6


async def test_a_failed_validation_says_nothing_about_who_may_share(crowd: Crowd) -> None:
    crowd.stage.answers(Origin(200, ((b"Cache-Control", b"max-age=0, must-revalidate"), TAG), (b"x",), 1))
    await crowd.stage.ask()
    head = asyncio.Event()
    crowd.stage.answers(Origin(503, (), (), 0, ready=head), Origin(304, (PUBLIC, TAG), ready=head))
    for _ in range(4):
        await crowd.come()
    head.set()
    await crowd.end()
    assert asked(crowd) == 3


async def test_a_validation_behind_a_client_s_back_is_followed_and_not_repeated(crowd: Crowd) -> None:
    swr = (b"Cache-Control", b"max-age=0, stale-while-revalidate=60")
    crowd.stage.answers(Origin(200, (swr, TAG), (b"old",), 3))
    await crowd.stage.ask()
    head = asyncio.Event()
    crowd.stage.answers(Origin(200, (PUBLIC,), (b"new",), 3, ready=head))
    assert (await crowd.stage.ask()).body == b"old"
    await turns()
    picky = await crowd.come((b"Cache-Control", b"max-stale=0, min-fresh=1"))
    assert asked(crowd) == 2
    head.set()
    await crowd.end()
    assert asked(crowd) == 2
    assert picky.body == b"new"


async def test_a_client_s_validation_is_not_repeated_behind_another_s_back(crowd: Crowd) -> None:
    swr = (b"Cache-Control", b"max-age=0, stale-while-revalidate=60")
    crowd.stage.answers(Origin(200, (swr, TAG), (b"old",), 3))
    await crowd.stage.ask()
    head = asyncio.Event()
    crowd.stage.answers(Origin(304, (PUBLIC, TAG), ready=head))
    await crowd.come((b"Cache-Control", b"min-fresh=1"))
    assert asked(crowd) == 2
    assert (await crowd.stage.ask()).body == b"old"
    await turns()
    assert asked(crowd) == 2
    head.set()
    await crowd.end()


@pytest.mark.parametrize("begun", [False, True])
async def test_what_was_invalidated_on_its_way_is_not_for_newcomers(crowd: Crowd, begun: bool) -> None:
    head, content = asyncio.Event(), asyncio.Event()
    crowd.stage.answers(Origin(200, (PUBLIC,), (content, b"before"), 6, ready=head))
    crowd.stage.answers(Origin(204), fresh(b"after"))
    await crowd.come()
    await crowd.come()
    if begun:
        head.set()
        await turns()
    await crowd.stage.ask(method=b"DELETE")
    assert (await crowd.stage.ask()).body == b"after"
    head.set()
    content.set()
    await crowd.end()
    assert [client.body for client in crowd.clients] == [b"before"] * 2
    assert (await crowd.stage.ask()).body == b"after"


async def test_a_purge_counts_as_well(crowd: Crowd) -> None:
    content = asyncio.Event()
    crowd.stage.answers(fresh(content, b"before", length=6), fresh(b"after"))
    await crowd.come()
    await crowd.stage.driver.invalidate([b"GET http://a.example/"], [])
    assert (await crowd.stage.ask()).body == b"after"
    content.set()
    await crowd.end()


async def test_a_client_that_is_gone_when_the_head_comes_leaves_nothing_behind(crowd: Crowd) -> None:
    class Gone(Client):
        async def start(self, response: Response, length: int | None) -> None:
            raise ClientGone("gone")

    never = asyncio.Event()
    crowd.stage.answers(fresh(never, length=None), fresh(never, length=None))
    for _ in range(2):
        with pytest.raises(ClientGone):
            await crowd.stage.serve(Gone(asking()))
        await turns()
    assert [arriving.closed for arriving in crowd.stage.origin.arriving] == [True, True]
    assert crowd.stage.store.figures().bytes == 0


async def test_the_end_of_the_proxy_ends_what_was_left_behind(crowd: Crowd) -> None:
    never = asyncio.Event()
    crowd.stage.answers(Origin(200, (PUBLIC,), (b"x",), 1, ready=never), fresh(b"again"))
    await crowd.come()
    await crowd.come()
    crowd.tasks[0].cancel()
    await asyncio.sleep(0)
    await crowd.stage.driver.close()
    await crowd.end()
    assert crowd.clients[1].body == b"again"
