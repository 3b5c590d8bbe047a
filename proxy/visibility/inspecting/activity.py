"""Who asked when: whether somebody did anything between two requests."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from proxy.visibility.inspecting.candidates import CREDENTIALS
from proxy.visibility.inspecting.messages import cookies_of
from proxy.visibility.observation import Observation

Who = tuple[str, str]
"""A credential and its value, or `client` and an address."""


class Activity:
    """When each user asked for something, a user being whoever sends a certain credential."""

    def __init__(self, exchanges: Iterable[Observation] = ()) -> None:
        self._times: dict[Who, list[float]] = {}
        for one in exchanges:
            for who in _who(one):
                self._times.setdefault(who, []).append(one.time)
        for times in self._times.values():
            times.sort()

    def between(self, who: Who, first: float, last: float) -> int:
        """How often somebody asked for something after `first` and before `last`, both excluded."""
        times = self._times.get(who, [])
        return max(0, bisect_left(times, last) - bisect_right(times, first))


def _who(exchange: Observation) -> Iterable[Who]:
    if exchange.client:
        yield "client", exchange.client
    for name, value in exchange.request_fields:
        lowered = name.lower()
        if lowered == "cookie":
            for cookie, content in cookies_of(value).items():
                yield f"cookie {cookie}", content
        elif lowered in CREDENTIALS:
            yield f"field {lowered}", value
