"""Followers of one way to the origin: what each gets, and when, and who goes on his own."""

from __future__ import annotations

import asyncio

import pytest

from proxy.message.fields import FieldLine
from tests.engine.crowd import NO_STORE, PUBLIC, TAG, Crowd, asked, turns
from tests.engine.stage import Client, Origin, asking, fresh, until

# What arrives, arrives for all.


@pytest.mark.parametrize("length", [9, None])
async def test_each_gets_what_has_come_and_then_the_rest_as_it_comes(
    crowd: Crowd, length: int | None
) -> None:
    more, end = asyncio.Event(), asyncio.Event()
    crowd.stage.answers(fresh(b"one", more, b"two", end, b"end", length=length))
    first, early = await crowd.come(), await crowd.come()
    assert first.body == early.body == b"one"
    more.set()
    await turns()
    late = await crowd.come()
    assert first.body == early.body == late.body == b"onetwo"
    end.set()
    await crowd.end()
    assert {client.body for client in crowd.clients} == {b"onetwoend"}
    assert all(client.ended and client.length == length for client in crowd.clients)
    assert asked(crowd) == 1
    digests = {client.account.digest for client in crowd.clients if client.account}
    assert len(digests) == 1
    assert "" not in digests


async def test_the_head_alone_is_enough_to_begin(crowd: Crowd) -> None:
    content = asyncio.Event()
    crowd.stage.answers(fresh(content, b"later", length=5))
    await crowd.come()
    follower = await crowd.come()
    assert follower.head is not None
    assert follower.head.status == 200
    content.set()
    await crowd.end()


async def test_a_follower_says_that_it_is_one(crowd: Crowd) -> None:
    content = asyncio.Event()
    crowd.stage.answers(fresh(content, b"x", lines=[(b"Age", b"7")], length=1))
    await crowd.come()
    follower = await crowd.come()
    content.set()
    await crowd.end()
    assert follower.cache_status == b"pellucid;fwd=uri-miss;ttl=52;collapsed;detail=nothing-stored"
    assert follower.head is not None
    assert follower.head.fields.get(b"age") == b"7"
    assert follower.account is not None
    assert follower.account.decision is not None
    assert follower.account.decision.collapsed is True
    assert (
        crowd.clients[0].cache_status
        == b"pellucid;fwd=uri-miss;fwd-status=200;ttl=52;stored;detail=nothing-stored"
    )


@pytest.mark.parametrize("slow", [0, 1])
async def test_a_slow_client_holds_up_nobody(crowd: Crowd, slow: int) -> None:
    content = asyncio.Event()
    large = [bytes([65 + number]) * 20_000 for number in range(10)]
    crowd.stage.answers(fresh(content, *large))
    for number in range(3):
        await crowd.come(slow=number == slow)
    content.set()
    await until(lambda: sum(task.done() for task in crowd.tasks) == 2)
    assert crowd.stage.origin.arriving[0].closed
    assert (await crowd.stage.ask()).body == b"".join(large)
    assert not crowd.tasks[slow].done()
    crowd.clients[slow].room.set()
    await crowd.end()
    assert {client.body for client in crowd.clients} == {b"".join(large)}
    assert asked(crowd) == 1


async def test_only_one_copy_is_held_for_all(crowd: Crowd) -> None:
    class Holding(Client):
        held: list[bytes | memoryview]

        async def write(self, data: bytes | memoryview) -> None:
            self.held.append(data)

    content = asyncio.Event()
    pieces = [bytes([65 + number]) * 50_000 for number in range(4)]
    crowd.stage.answers(fresh(content, *pieces))
    for _ in range(5):
        client = Holding(asking())
        client.held = []
        crowd.clients.append(client)
        crowd.tasks.append(asyncio.ensure_future(crowd.stage.serve(client)))
        await turns()
    content.set()
    await crowd.end()
    held = [client.held for client in crowd.clients if isinstance(client, Holding)]
    assert [b"".join(pieces) for pieces in held] == [b"".join(pieces)] * 5
    blocks = {id(data.obj if isinstance(data, memoryview) else data) for one in held for data in one}
    assert len(blocks) <= len(pieces) + 1


async def test_heads_conditions_and_ranges_follow_too(crowd: Crowd) -> None:
    content = asyncio.Event()
    crowd.stage.answers(fresh(b"0123", content, b"456789", lines=[TAG], length=10))
    await crowd.come()
    head = await crowd.come(method=b"HEAD")
    same = await crowd.come((b"If-None-Match", b'"1"'))
    other = await crowd.come((b"If-None-Match", b'"2"'))
    early = await crowd.come((b"Range", b"bytes=1-2"))
    late = await crowd.come((b"Range", b"bytes=-3"))
    assert [head.ended, same.ended, other.ended, early.ended, late.ended] == [True, True, False, True, False]
    content.set()
    await crowd.end()
    told = [(client.head.status, client.body) for client in crowd.clients if client.head]
    whole = b"0123456789"
    assert told == [(200, whole), (200, b""), (304, b""), (200, whole), (206, b"12"), (206, b"789")]
    assert asked(crowd) == 1


@pytest.mark.parametrize(
    "line", [(b"If-None-Match", b'"1"'), (b"Range", b"bytes=0-1"), (b"Cache-Control", b"no-store")]
)
async def test_who_asks_for_himself_alone_does_not_lead(crowd: Crowd, line: FieldLine) -> None:
    heads = [asyncio.Event(), asyncio.Event()]
    crowd.stage.answers(Origin(200, (PUBLIC,), (b"a",), 1, ready=heads[0]))
    crowd.stage.answers(Origin(200, (PUBLIC,), (b"b",), 1, ready=heads[1]))
    await crowd.come(line)
    await crowd.come()
    assert asked(crowd) == 2
    for head in heads:
        head.set()
    await crowd.end()


@pytest.mark.parametrize("wish", [b"no-cache", b"max-age=0"])
async def test_who_wants_it_from_the_origin_does_not_follow(crowd: Crowd, wish: bytes) -> None:
    head = asyncio.Event()
    crowd.stage.answers(*(Origin(200, (PUBLIC,), (b"%d" % n,), 1, ready=head) for n in range(2)))
    await crowd.come()
    await crowd.come((b"Cache-Control", wish))
    assert asked(crowd) == 2
    head.set()
    await crowd.end()


# What is not for all lets all go.


@pytest.mark.parametrize(
    "line",
    [NO_STORE, (b"Cache-Control", b"private, max-age=60"), (b"Set-Cookie", b"id=1"), (b"Vary", b"*")],
)
async def test_who_can_not_share_goes_at_once_with_all_the_others(crowd: Crowd, line: FieldLine) -> None:
    first, rest = asyncio.Event(), asyncio.Event()
    crowd.stage.answers(Origin(200, (line,), (b"0",), 1, ready=first))
    crowd.stage.answers(*(Origin(200, (line,), (b"%d" % n,), 1, ready=rest) for n in range(1, 10)))
    for _ in range(10):
        await crowd.come()
    assert asked(crowd) == 1
    first.set()
    await turns()
    assert asked(crowd) == 10
    rest.set()
    await crowd.end()
    assert sorted(client.body for client in crowd.clients) == [b"%d" % n for n in range(10)]


async def test_what_is_too_large_to_be_kept_is_not_waited_for(crowd: Crowd) -> None:
    first, rest = asyncio.Event(), asyncio.Event()
    size = crowd.stage.store.object_limit + 1
    crowd.stage.answers(Origin(200, (PUBLIC,), (rest, b"x" * size), size, ready=first))
    crowd.stage.answers(*(Origin(200, (PUBLIC,), (rest, b"x" * size), size) for _ in range(2)))
    for _ in range(3):
        await crowd.come()
    first.set()
    await turns()
    assert asked(crowd) == 3
    rest.set()
    await crowd.end()
    assert [len(client.body) for client in crowd.clients] == [size] * 3


async def test_what_grows_too_large_still_gets_to_those_who_keep_up(crowd: Crowd) -> None:
    pieces = [bytes([65 + number]) * 100_000 for number in range(26)]
    content, late = asyncio.Event(), asyncio.Event()
    crowd.stage.answers(fresh(pieces[0], content, *pieces[1:20], late, *pieces[20:], length=None))
    for number in range(3):
        await crowd.come(slow=number == 2)
    content.set()
    await until(lambda: len(crowd.clients[0].body) == 2_000_000)
    crowd.stage.answers(fresh(b"another"))
    assert (await crowd.stage.ask()).body == b"another"  # newcomers don't wait for it
    late.set()
    await until(lambda: crowd.tasks[0].done() and crowd.tasks[1].done())
    crowd.clients[2].room.set()
    await crowd.end()
    whole = b"".join(pieces)
    assert crowd.clients[0].body == crowd.clients[1].body == whole
    behind = crowd.clients[2]
    assert behind.aborted
    assert whole.startswith(behind.body)
    assert len(behind.body) < len(whole)


async def test_one_slow_client_of_what_grows_too_large_gets_all_of_it(crowd: Crowd) -> None:
    pieces = [bytes([65 + number % 26]) * 100_000 for number in range(40)]
    content = asyncio.Event()
    crowd.stage.answers(fresh(pieces[0], content, *pieces[1:], length=None))
    client = await crowd.come(slow=True)
    content.set()
    await turns(100)
    assert len(crowd.stage.origin.arriving[0].pieces) > 25  # the rest has to wait where it comes from
    client.room.set()
    await crowd.end()
    assert client.body == b"".join(pieces)


async def test_each_variant_is_fetched_once(crowd: Crowd) -> None:
    heads = {name: asyncio.Event() for name in (b"gzip", b"br", b"zstd")}
    vary = (b"Vary", b"Accept-Encoding")
    crowd.stage.answers(
        *(Origin(200, (PUBLIC, vary), (name,), len(name), ready=head) for name, head in heads.items())
    )
    for _ in range(3):
        for name in heads:
            await crowd.come((b"Accept-Encoding", name))
    assert asked(crowd) == 1
    for head in heads.values():
        head.set()
        await turns()
    await crowd.end()
    assert asked(crowd) == 3
    assert [client.body for client in crowd.clients] == [b"gzip", b"br", b"zstd"] * 3


async def test_who_has_credentials_follows_only_the_like(crowd: Crowd) -> None:
    heads = [asyncio.Event(), asyncio.Event()]
    public = (b"Cache-Control", b"public, max-age=60")
    crowd.stage.answers(*(Origin(200, (public,), (b"%d" % n,), 1, ready=heads[n]) for n in range(2)))
    for number in range(6):
        await crowd.come(*([(b"Authorization", b"Basic %d" % number)] if number % 2 else []))
    assert asked(crowd) == 2
    for head in heads:
        head.set()
        await turns()
    await crowd.end()
    assert [client.body for client in crowd.clients] == [b"0", b"1"] * 3
