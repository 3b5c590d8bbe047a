"""What was invalidated lately, so that no response that may be older than the change is stored after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from proxy.storage.selection import Selection

REMEMBERED = 10_000
"""How many invalidations are remembered at most."""


Invalidation = tuple[float, Selection]
"""When it was noted, by the monotonic clock; what it was about."""


class Invalidations:
    """The last invalidations, in the order in which they came (RFC 9111 §4.4).

    A request may be on its way to the origin while a change of the same resource is: nobody can tell which of
    the two the origin saw first. All times are seconds of the monotonic clock, which is never set back.
    """

    def __init__(self) -> None:
        self._last: deque[Invalidation] = deque()
        self._forgotten = float("-inf")

    def note(self, now: float, wanted: Selection) -> Invalidation:
        """All that is `wanted` is invalidated at `now`."""
        noted = now, wanted
        self._last.append(noted)
        if len(self._last) > REMEMBERED:
            self._forgotten = self._last.popleft()[0]
        return noted

    def since(
        self, began: float, key: bytes, labels: Sequence[bytes], own: Sequence[Invalidation] = ()
    ) -> bool:
        """Whether the key or one of the labels was, or may have been, invalidated at `began` or later.

        `own` are those by the response itself, which is as new as the change that it tells of.
        """
        if not self._last or self._last[-1][0] < began:
            return False
        if began <= self._forgotten:
            return True
        for noted in reversed(self._last):
            when, wanted = noted
            if when < began:
                break
            if any(noted is one for one in own):
                continue
            if wanted.meant(key, labels):
                return True
        return False
