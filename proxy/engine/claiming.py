"""Collapsed forwarding among processes that share a store: one asks the origin, the others look again.

A request that leads in its own process claims its way before it goes to the origin. The races, and the ends:

- Another process stored the response after this one had looked: whoever has got a claim looks once more.
- The holder dies: its claim goes with it, and the first of those who waited has the next.
- The response turns out not to be for others: all who wait are let go at once, in every process.
- Something is invalidated while it's on its way: the claim is released, as those who ask from then on must
  not wait for what is older than the change.
- It takes longer than anybody's patience: who waits goes to the origin by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from proxy.caching.effects import Collapse
from proxy.caching.stored import StoredResponse
from proxy.engine.collapse import Flight
from proxy.storage.claims import Claims
from proxy.storage.contract import Entry, Store

MOST_WAITED = 3
"""After so many claims of others that came to nothing an exchange goes to the origin without one."""


class Taken(Exception):  # noqa: N818
    """Another process is at it already, and the caller did not want to wait."""


async def claim(
    claims: Claims,
    store: Store,
    collapse: Collapse,
    flight: Flight,
    known: Callable[[StoredResponse], bool],
    *,
    patience: float,
    wait: bool,
) -> Sequence[Entry] | None:
    """What another process has stored of the same; None: go to the origin, with a claim if one was to be had.

    `flight` gets the claim, or lands where it's known by now that there is nothing to share. `known` says
    what the caller has found already. Raises Taken where another process has the claim, unless it's to
    `wait`, for `patience` seconds at most.
    """
    way = b"%d %b%b" % (len(collapse.key), collapse.key, collapse.among)
    clock = asyncio.get_running_loop().time
    ends = clock() + patience
    for _ in range(MOST_WAITED):
        mine = await claims.claim(way)
        if mine is not None:
            flight.hold(mine)
        elif not wait:
            raise Taken
        elif not await claims.settled(way, ends - clock()):
            if clock() < ends:
                flight.land(shared=False)
            return None
        entries = await store.look_up(collapse.key)
        if not all(known(entry.stored) for entry in entries):
            return entries
        if mine is not None:
            return None
    return None
