from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.message.errors import PellucidError
from proxy.server.workers.link import Link, LinkBroken, Refused

Answer = Callable[[str, Any], Awaitable[Any]]


@asynccontextmanager
async def linked(answer: Answer) -> AsyncIterator[tuple[Link, asyncio.Task[None]]]:
    """An end that asks, and the task that answers at the other."""
    one, other = socket.socketpair()
    asking, answering = await Link.over(one.detach()), await Link.over(other.detach())
    tasks = [asyncio.ensure_future(asking.run()), asyncio.ensure_future(answering.run(answer))]
    try:
        yield asking, tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_questions_are_answered_in_any_order() -> None:
    first = asyncio.Event()

    async def answer(what: str, value: Any) -> Any:
        if what == "slow":
            await first.wait()
        return [what, value]

    async with linked(answer) as (link, _):
        slow = asyncio.ensure_future(link.ask("slow", b"\x00" * 3_000_000))
        assert await link.ask("quick", {"a": 1.5}) == ["quick", {"a": 1.5}]
        first.set()
        assert (await slow)[1] == b"\x00" * 3_000_000


async def test_what_goes_wrong_is_told_to_whoever_asked() -> None:
    async def answer(what: str, value: Any) -> Any:
        if what == "ours":
            raise PellucidError("not like that", evidence="x", status=400)
        raise LookupError("secret")

    async with linked(answer) as (link, _):
        with pytest.raises(Refused, match="not like that: x") as refused:
            await link.ask("ours")
        assert refused.value.status == 400
        with pytest.raises(Refused, match="an error of the proxy itself"):
            await link.ask("theirs")


async def test_who_is_gone_is_asked_no_more() -> None:
    async def answer(what: str, value: Any) -> Any:
        await asyncio.Event().wait()

    async with linked(answer) as (link, answering):
        asking = asyncio.ensure_future(link.ask("anything"))
        await asyncio.sleep(0.01)
        answering.cancel()
        with pytest.raises(LinkBroken):
            await asking
        with pytest.raises(LinkBroken):
            await link.ask("more")


async def test_what_can_not_be_sent_any_more_is_a_broken_link() -> None:
    one, other = socket.socketpair()
    link = await Link.over(one.detach())
    other.close()
    link._writer.transport.abort()  # before `run` has noticed
    await asyncio.sleep(0)
    with pytest.raises(LinkBroken):
        await link.ask("totals")
