"""Sockets of others, on which connections are accepted for a while."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

import pytest

from proxy.server.workers.lent import Lent


class Accepting:
    """Accepts on sockets; it takes a moment to begin."""

    def __init__(self) -> None:
        self.on: list[Sequence[socket.socket]] = []

    async def begin(self, sockets: Sequence[socket.socket]) -> Callable[[], None]:
        self.on.append(sockets)
        await asyncio.sleep(0)
        return lambda: self.on.remove(sockets)


def lendable() -> int:
    """A listening socket, as it comes with a message."""
    return socket.create_server(("127.0.0.1", 0)).detach()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(5))
async def test_what_is_wanted_back_at_once_is_not_kept(turns: int) -> None:
    accepting = Accepting()
    lent = Lent(accepting.begin)
    lent.take(1, [lendable()])
    for _ in range(turns):
        await asyncio.sleep(0)
    lent.give_back(1)
    await settled()
    assert accepting.on == []
    await lent.close()


async def test_what_is_lent_again_takes_the_place_of_what_was() -> None:
    accepting = Accepting()
    lent = Lent(accepting.begin)
    for _ in range(2):
        lent.take(1, [lendable()])
        await settled()
    (kept,) = accepting.on
    lent.give_back(1)
    await settled()
    assert accepting.on == []
    assert [one.fileno() for one in kept] == [-1]
    await lent.close()


async def test_one_that_ends_takes_nothing_more() -> None:
    accepting = Accepting()
    lent = Lent(accepting.begin)
    lent.take(0, [lendable()])
    await lent.close()
    lent.take(2, [lendable()])
    await settled()
    assert accepting.on == []
