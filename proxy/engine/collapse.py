"""Collapsed forwarding: who asks for what another exchange is fetching follows that one (RFC 9111 §4).

The races, and how each ends:

- Two ask at once: whoever comes first to the table leads. Nothing is awaited between looking and entering.
- A follower leaves while it waits, or just after it was told: it gives its share in the content back.
- The leader leaves before the head is there: what it began goes on without it for those who wait. If that
  can't be, it is given up, and those who wait look again: the first of them leads.
- The leader leaves later, or is slow: the content comes in by itself (`intake.py`), for whoever reads it.
- Something is invalidated while it is on its way: those who had asked before may have it; those who ask
  afterwards don't find it.
- The end comes before a follower has looked: it finds the entry in the store, or the same bytes still here.
- What the head says is of use to nobody without validation: whoever finds that out says so (`Collapse.vain`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic

from proxy.caching.effects import Collapse
from proxy.engine.arriving import Arriving
from proxy.storage.claims import Claim
from proxy.storage.selection import Selection

REMEMBERED = 10_000
"""How many ways that were not to be shared are remembered at most."""
FOR = 60.0
"""For how many seconds they are."""

Way = tuple[bytes, bytes]
"""What requests have in common that may share one way: their key, and what tells variants apart."""


class Flight:
    """A way to the origin and back that one exchange leads and others may follow.

    It has arrived when the head is there and may be for others; it lands when the content has ended, or as
    soon as it's known that there is nothing to share. Those who wait are told at once, all of them.
    """

    __slots__ = ("_claim", "_flights", "_over", "_waiting", "answered", "arriving", "deserted", "way")

    def __init__(self, flights: Flights, way: Way) -> None:
        self.way = way
        self.arriving: Arriving | None = None
        self.answered = False  # the origin has given an answer that is no failure
        self.deserted: Callable[[], None] | None = None
        self._claim: Claim | None = None
        self._flights = flights
        self._waiting: dict[asyncio.Future[Arriving | None], None] = {}  # the first who came first
        self._over = False

    @property
    def over(self) -> bool:
        """Whether it has landed."""
        return self._over

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for its head."""
        return bool(self._waiting)

    def hold(self, claim: Claim) -> None:
        """The way is this process's among all that share the store, until the flight is over."""
        if self._over or self._flights.get_way(self.way) is not self:
            claim.release(shared=True)
        else:
            self._claim = claim

    def withdraw(self, *, shared: bool = True) -> None:
        """Other processes needn't wait for it any more."""
        if self._claim is not None:
            self._claim.release(shared=shared)
            self._claim = None

    def arrive(self, arriving: Arriving) -> None:
        """The head is there: its followers can decide for themselves, and read."""
        self.arriving, self.answered = arriving, True
        self._tell(arriving)

    def land(self, *, shared: bool, answered: bool = False) -> None:
        """There's nothing more to follow. Nothing where it has landed already.

        `shared` is False where the response was not for others; a failure says nothing about that.
        `answered`: what the origin said is in the store.
        """
        if not self._over:
            self.answered = self.answered or answered
            self._over = True
            self._flights.ended(self, shared=shared)
            self.withdraw(shared=shared)
            self._tell(None)

    async def head(self, patience: float) -> Arriving | None:
        """What arrives, which is for the caller to leave again; None where nothing does for others.

        None as well after `patience` seconds.
        """
        if self._over or self.arriving is not None:
            return self._shared()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Arriving | None] = loop.create_future()
        self._waiting[waiter] = None
        alarm = loop.call_later(patience, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and (told := waiter.result()) is not None:
                told.leave()
            raise
        finally:
            alarm.cancel()
            self._waiting.pop(waiter, None)
            if not self._waiting and not self._over and self.arriving is None and self.deserted is not None:
                self.deserted()

    def _shared(self) -> Arriving | None:
        if self.arriving is not None and self.arriving.error is None:
            self.arriving.join()
            return self.arriving
        return None

    def _tell(self, arriving: Arriving | None) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                if arriving is not None:
                    arriving.join()
                waiter.set_result(arriving)


def _give_up(waiter: asyncio.Future[Arriving | None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Flights:
    """All flights of one proxy, by the way that their exchanges share.

    Where a response turned out not to be for others, the next requests for the same don't wait for each
    other for a while: each would be answered by the origin in the end, and later.
    """

    def __init__(self) -> None:
        self._flights: dict[Way, Flight] = {}
        self._unshared: dict[int, float] = {}  # until when, the first to end first; by hash: keys may be long

    def __len__(self) -> int:
        return len(self._flights)

    def shares(self, collapse: Collapse) -> bool:
        """Whether requests with this way in common should follow one another."""
        if not self._unshared:
            return True
        until = self._unshared.get(hash((collapse.key, collapse.among)))
        return until is None or until <= monotonic()

    def apart(self, collapse: Collapse | None) -> bool:
        """Whether a request would go to the origin by itself at this moment, neither led nor leading."""
        if collapse is None or not self.shares(collapse):
            return True
        return not (collapse.leads or (collapse.follows and self.get(collapse) is not None))

    def apart_for(self, collapse: Collapse | None) -> float:
        """For how many seconds `apart` holds from now on, whatever others ask for."""
        if collapse is None or not (collapse.leads or collapse.follows):
            return inf
        until = self._unshared.get(hash((collapse.key, collapse.among)))
        return 0.0 if until is None else until - monotonic()

    def get(self, collapse: Collapse) -> Flight | None:
        """The flight to follow."""
        return self.get_way((collapse.key, collapse.among))

    def get_way(self, way: Way) -> Flight | None:
        """The flight that whoever asks on this way from now on follows."""
        return self._flights.get(way)

    def lead(self, collapse: Collapse) -> Flight:
        """A new flight, to be landed in any case."""
        way = (collapse.key, collapse.among)
        flight = self._flights[way] = Flight(self, way)
        return flight

    def in_vain(self, collapse: Collapse) -> None:
        """Nobody should wait for this for a while."""
        self._keep_apart((collapse.key, collapse.among))

    def ended(self, flight: Flight, *, shared: bool) -> None:
        """A flight is over; called by the flight itself."""
        if self._flights.get(flight.way) is flight:
            del self._flights[flight.way]
        if not shared:
            self._keep_apart(flight.way)

    def _keep_apart(self, way: Way) -> None:
        name = hash(way)
        self._unshared.pop(name, None)
        if len(self._unshared) >= REMEMBERED:
            del self._unshared[next(iter(self._unshared))]
        self._unshared[name] = monotonic() + FOR

    def invalidate(self, wanted: Selection) -> None:
        """What is on its way of all that is `wanted` is not for those who ask from now on (RFC 9111 §4.4).

        The labels of what has no head yet are not known: it might have any.
        """
        for flight in [flight for flight in self._flights.values() if _meant(flight, wanted)]:
            del self._flights[flight.way]
            flight.withdraw()


def _meant(flight: Flight, wanted: Selection) -> bool:
    if flight.arriving is None:
        return bool(wanted.labels) or wanted.meant(flight.way[0], ())
    return wanted.meant(flight.way[0], flight.arriving.labels)
