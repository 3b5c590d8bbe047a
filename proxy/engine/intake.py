"""Takes in what arrives from the origin and is to be stored: for its own client and for all who follow."""

from __future__ import annotations

import asyncio
from functools import partial

from proxy.caching.effects import Answer
from proxy.engine.arriving import Arriving
from proxy.engine.collapse import Flight
from proxy.engine.keeping import Keeping
from proxy.engine.performer import Performer
from proxy.engine.reach import Reach
from proxy.message.fields import NO_FIELDS
from proxy.upstream.contract import BrokenResponse, UpstreamError, UpstreamResponse


async def take_in(answer: Answer, performer: Performer, reach: Reach) -> Arriving | None:
    """Begin to take in what arrives; None where none of it is kept, and whoever wants it has to read it.

    Those who follow are told: to read along, or that there is nothing for them. The caller has an interest
    in what is returned and has to leave it. What has come entirely is in the store by then; all else comes
    in by itself from here on, and the caller's leaving doesn't end it while others read.
    """
    wanted, response, flight = answer.store, performer.response, performer.flight
    if wanted is None or response is None:
        if flight is not None:
            validated = response is not None and response.head.status == 304
            failed = response is None or response.head.status >= 500
            flight.land(shared=validated or failed, answered=validated)
        return None
    keeping = await Keeping.begin(reach, wanted, response.length, performer.entry)
    outdated = reach.invalidations.since(performer.began, wanted.key, wanted.labels, performer.invalidated)
    if keeping is not None and outdated:
        keeping.outdate()
    if keeping is None:
        if flight is not None:
            flight.land(shared=False)
        return None
    performer.response = performer.flight = None  # they are the intake's from here on
    arriving = Arriving(wanted, response.length, keeping.pieces)
    arriving.join()
    intake = _Intake(response, keeping, arriving, flight, reach)
    if flight is not None and wanted.extends is None and wanted.stored.response.status != 206:
        flight.arrive(arriving)
    if not response.whole:
        intake.start()
        return arriving
    try:
        await intake.read()
    finally:
        intake.close()
    return arriving


class _Intake:
    """One response that is being read into the store."""

    __slots__ = ("_arriving", "_flight", "_keeping", "_reach", "_response", "_task")

    def __init__(
        self,
        response: UpstreamResponse,
        keeping: Keeping,
        arriving: Arriving,
        flight: Flight | None,
        reach: Reach,
    ) -> None:
        self._response = response
        self._keeping = keeping
        self._arriving = arriving
        self._flight = flight
        self._reach = reach
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Go on without whoever calls."""
        self._arriving.deserted = self._deserted
        self._task = task = self._reach.intakes.start(self, self._run)
        if task is None:
            self.close()
        else:
            task.add_done_callback(lambda _: self.close())  # it may be ended before it has begun

    def close(self) -> None:
        """Its exchange with the origin is over; what was not read to the end is given up."""
        self._keeping.abort()
        self._response.close()
        self._arriving.break_off(BrokenResponse("the response was given up"))
        if self._flight is not None:
            self._flight.land(shared=True, answered=self._arriving.done)

    async def _run(self) -> None:
        try:
            await self.read()
        except UpstreamError as error:
            self._arriving.break_off(error)

    async def read(self) -> None:
        """Read all of it. Raises `UpstreamError`."""
        response, keeping, arriving = self._response, self._keeping, self._arriving
        left = response.length
        while left != 0 and (data := await response.read()):
            kept = keeping.add(data)
            arriving.grow(len(data))
            if left is not None:
                left -= len(data)
            if not kept:
                await self._hold_back(left is None)
            elif left is None:
                await arriving.room()
        entry = await keeping.end()
        arriving.end(entry, keeping.digest, response.trailers if left is None else NO_FIELDS)

    async def _hold_back(self, too_large: bool) -> None:
        """It can't be kept: those who wait are let go, and it comes no faster than it's read."""
        if self._flight is not None:
            self._flight.land(shared=not too_large)
        if too_large:
            self._arriving.forget()
        await self._arriving.room()

    def _deserted(self) -> None:
        """Nobody wants it any more: what is nearly whole is completed for the cache, all else is given up."""
        task, left = self._task, self._response.length
        if task is None or task.done():
            return
        if left is not None:
            left -= self._arriving.length
        if left is None or left > self._reach.settings.nearly_done:
            task.cancel()
            return
        if self._reach.background.start(self, partial(_see_through, task)) is None:
            task.cancel()


async def _see_through(task: asyncio.Task[None]) -> None:
    """Wait for it; what cancels this, a time limit or the end of the proxy, ends it too."""
    await task
