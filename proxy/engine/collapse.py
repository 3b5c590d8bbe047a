"""Collapsed forwarding: who asks for what another exchange is fetching waits for that one (RFC 9111 §4)."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from cachetools import TTLCache

REMEMBERED = 10_000
"""How many keys that were not to be shared are remembered at most."""
FOR = 60.0
"""For how many seconds they are."""


class Flight:
    """A way to the origin and back that one exchange leads and others may wait for.

    It lands when it's known what is stored: those who wait look again then. Where its leader gives it up
    before that (its client has left), the first of those who wait leads it instead.
    """

    def __init__(self, flights: Flights, key: bytes) -> None:
        self._flights = flights
        self._key = key
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._over = False

    def land(self, *, shared: bool) -> None:
        """What is to be stored is stored. Nothing where it has ended already.

        `shared` is False where the response was not for others; a failure says nothing about that.
        """
        if self._over:
            return
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(True)
        self._over = True
        self._flights.ended(self._key, shared=shared)

    def abandon(self) -> None:
        """Its leader leaves it to another. Nothing where it has ended already."""
        while self._waiting and not self._over:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(False)
                return
        self.land(shared=True)

    async def wait(self, limit: float) -> bool:
        """Whether it landed, or took more than `limit` seconds; False: it's for the caller to lead it now."""
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await asyncio.wait((waiter,), timeout=limit)
        except asyncio.CancelledError:
            if waiter.done() and not waiter.result():
                self.abandon()
            raise
        finally:
            with suppress(ValueError):
                self._waiting.remove(waiter)
        return waiter.result() if waiter.done() else True


class Flights:
    """All flights of one proxy, by the key that their exchanges share.

    Where a response turned out not to be for others, the next requests for the same don't wait for each
    other for a while: they would be answered one after another, and each by the origin in the end.
    """

    def __init__(self) -> None:
        self._flights: dict[bytes, Flight] = {}
        self._unshared: TTLCache[int, bool] = TTLCache(REMEMBERED, FOR)  # by hash: keys may be long

    def __len__(self) -> int:
        return len(self._flights)

    def waits(self, key: bytes) -> bool:
        """Whether a request with this key should wait for others, and others for it."""
        return hash(key) not in self._unshared

    async def lead_or_wait(self, key: bytes, limit: float) -> Flight | None:
        """The flight to lead, and to end in any case; None after having waited for another's."""
        other = self._flights.get(key)
        if other is not None:
            return None if await other.wait(limit) else other
        flight = self._flights[key] = Flight(self, key)
        return flight

    def ended(self, key: bytes, *, shared: bool) -> None:
        """A flight is over; called by the flight itself."""
        del self._flights[key]
        if shared:
            self._unshared.pop(hash(key), None)
        else:
            self._unshared[hash(key)] = True
