"""One timer that is cheap to set anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls back when a moment has passed, unless it's cleared before.

    To set and to clear it costs two assignments: the event loop's timer stays where it is, and looks at
    the moment when it goes off. Only an earlier moment needs a new timer.
    """

    __slots__ = ("_late", "_loop", "_moment", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._moment = 0.0
        self._late: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float, late: Callable[[], None]) -> None:
        """Call `late` in so many seconds, and nothing that was set before."""
        self._moment = moment = self._loop.time() + seconds
        self._late = late
        timer = self._timer
        if timer is None or timer.when() > moment:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(moment, self._look)

    def clear(self) -> None:
        """Call nothing."""
        self._late = None

    def stop(self) -> None:
        """Call nothing, and leave no timer behind in the event loop."""
        self._late = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        late = self._late
        if late is None:
            return
        if self._loop.time() < self._moment:
            self._timer = self._loop.call_at(self._moment, self._look)
            return
        self._late = None
        late()
