"""What was invalidated lately, so that no response that may be older than the change is stored after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

REMEMBERED = 10_000
"""How many invalidations are remembered at most."""


class Invalidations:
    """The last invalidations, in the order in which they came (RFC 9111 §4.4).

    A request may be on its way to the origin while a change of the same resource is: nobody can tell which of
    the two the origin saw first.
    """

    def __init__(self) -> None:
        self._last: deque[tuple[float, Sequence[bytes], Sequence[bytes]]] = deque()
        self._forgotten = float("-inf")

    def note(self, now: float, keys: Sequence[bytes], labels: Sequence[bytes]) -> None:
        """These keys and labels are invalidated at `now`, in seconds since the epoch."""
        self._last.append((now, keys, labels))
        if len(self._last) > REMEMBERED:
            self._forgotten = self._last.popleft()[0]

    def since(self, sent: float, key: bytes, labels: Sequence[bytes]) -> bool:
        """Whether the key or one of the labels was, or may have been, invalidated at `sent` or later."""
        if not self._last or self._last[-1][0] < sent:
            return False
        if sent <= self._forgotten:
            return True
        for when, keys, others in reversed(self._last):
            if when < sent:
                break
            if key in keys or any(label in others for label in labels):
                return True
        return False
