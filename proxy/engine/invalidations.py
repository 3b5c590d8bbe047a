"""What was invalidated lately, so that no response that may be older than the change is stored after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

REMEMBERED = 10_000
"""How many invalidations are remembered at most."""


Invalidation = tuple[float, Sequence[bytes], Sequence[bytes]]
"""When it was, in seconds since the epoch; the keys and the labels."""


class Invalidations:
    """The last invalidations, in the order in which they came (RFC 9111 §4.4).

    A request may be on its way to the origin while a change of the same resource is: nobody can tell which of
    the two the origin saw first.
    """

    def __init__(self) -> None:
        self._last: deque[Invalidation] = deque()
        self._forgotten = float("-inf")

    def note(self, now: float, keys: Sequence[bytes], labels: Sequence[bytes]) -> Invalidation:
        """These keys and labels are invalidated at `now`, in seconds since the epoch."""
        noted = now, keys, labels
        self._last.append(noted)
        if len(self._last) > REMEMBERED:
            self._forgotten = self._last.popleft()[0]
        return noted

    def since(
        self, sent: float, key: bytes, labels: Sequence[bytes], own: Sequence[Invalidation] = ()
    ) -> bool:
        """Whether the key or one of the labels was, or may have been, invalidated at `sent` or later.

        `own` are those by the response itself, which is as new as the change that it tells of.
        """
        if not self._last or self._last[-1][0] < sent:
            return False
        if sent <= self._forgotten:
            return True
        for noted in reversed(self._last):
            when, keys, others = noted
            if when < sent:
                break
            if any(noted is one for one in own):
                continue
            if key in keys or any(label in others for label in labels):
                return True
        return False
