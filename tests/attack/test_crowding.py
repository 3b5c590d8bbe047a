"""A crowd that asks for one cold resource at once, whatever becomes of the first one's response."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from tests.attack.conftest import Attacked
from tests.server.served import Wire

MANY = 1000
SOME = 200


class Crowding:
    """Clients with a cookie each that ask for `target` at once; `leaving` of them don't wait to the end."""

    def __init__(self, attacked: Attacked, target: bytes, leaving: float = 0.0) -> None:
        self.attacked = attacked
        self.target = target
        self.leaving = leaving
        self.chance = random.Random(7)
        self.seen: Counter[str] = Counter()

    async def come(self, size: int) -> Counter[str]:
        await asyncio.gather(*(self._client(number) for number in range(size)))
        return self.seen

    async def _client(self, number: int) -> None:
        wire = Wire(*await asyncio.open_connection(*self.attacked.address, limit=1 << 20))
        own = b"-/u=%d" % number
        try:
            await wire.send(
                b"GET %b HTTP/1.1\r\nHost: a.example\r\nCookie: u=%d\r\n\r\n" % (self.target, number)
            )
            if self.chance.random() < self.leaving:
                await asyncio.sleep(self.chance.random() * 0.1)
                self.seen["left"] += 1
                await (wire.reset() if self.chance.random() < 0.5 else wire.close())
                return
            answer = await wire.answer()
            lines = set(answer.content.splitlines())
            self.seen[str(answer.head.status)] += 1
            if answer.field(b"proxy-status") is None:
                assert len(lines) == 1
                self.seen["own" if lines.pop().split(b"|")[0] == own else "other's"] += 1
        except EOFError:
            self.seen["broken"] += 1
        finally:
            await wire.close()


async def test_a_thousand_clients_and_one_request_to_the_origin(attacked: Attacked) -> None:
    seen = await Crowding(attacked, b"/?cc=max-age%3D60&delay=0.3&size=5000").come(MANY)
    assert seen == {"200": MANY, "own": 1, "other's": MANY - 1}
    assert attacked.origin.requests == 1


async def test_those_who_leave_take_nothing_from_those_who_stay(attacked: Attacked) -> None:
    crowding = Crowding(attacked, b"/?cc=max-age%3D60&delay=0.1&size=100000&mode=chunked", leaving=0.5)
    seen = await crowding.come(SOME)
    assert seen["200"] == SOME - seen["left"]
    assert seen["broken"] == 0
    assert attacked.origin.requests < SOME / 4


@pytest.mark.parametrize(
    "answer",
    [
        b"cc=private",
        b"cc=no-store",
        b"cc=max-age%3D60&vary=Cookie",
        b"cookie=1",
        b"cc=private&mode=chunked&size=100000",
    ],
)
async def test_what_turns_out_not_to_be_for_all_is_for_one_each(attacked: Attacked, answer: bytes) -> None:
    seen = await Crowding(attacked, b"/?delay=0.05&" + answer, leaving=0.2).come(SOME)
    assert seen["own"] == SOME - seen["left"]
    assert not seen["other's"]


@pytest.mark.parametrize("answer", [b"cut=0", b"cut=0.5&size=100000", b"cut=0.9&size=100000&mode=chunked"])
async def test_a_response_that_fails_is_nobody_s(attacked: Attacked, answer: bytes) -> None:
    seen = await Crowding(attacked, b"/?cc=max-age%3D60&delay=0.05&" + answer, leaving=0.2).come(SOME)
    assert not seen["own"] + seen["other's"]
    assert seen["broken"] + seen["502"] == SOME - seen["left"]
    assert attacked.proxy._store.figures().entries == 0
    attacked.kept.accounts.clear()
    again = await Crowding(attacked, b"/?cc=max-age%3D60").come(SOME)
    assert again == {"200": SOME, "own": 1, "other's": SOME - 1}
