"""The behaviour of every credential in the traffic, of bounded size."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.visibility.observation import Held, Observation
from proxy.visibility.sessions.behaviour import Behaviour
from proxy.visibility.sessions.carried import carried
from proxy.visibility.sessions.kinds import Where

Place = tuple[Where, str]
"""What tells credentials apart: the part of the message, and the name."""

_MOST = 512


class Behaviours:
    """An account of all credentials. Of more than 512 names those are kept that came first."""

    def __init__(self) -> None:
        self.by_place: dict[Place, Behaviour] = {}
        self.left_out = 0
        """How often there was a credential of a name that is not kept."""

    def observe(self, observation: Observation, held: Held) -> None:
        """Take in one exchange."""
        found = carried(observation)
        if not found.sent and not found.given:
            return
        told = held.has_request_field("cookie") and held.has_response_field("set-cookie")
        sent = {(one.where, one.name): one for one in reversed(found.sent)}
        given = {(one.where, one.name): one for one in found.given}
        for place in sent.keys() | given.keys():
            behaviour = self._behaviour(place)
            if behaviour is not None:
                behaviour.observe(observation, sent.get(place), given.get(place), told)

    def _behaviour(self, place: Place) -> Behaviour | None:
        found = self.by_place.get(place)
        if found is None:
            if len(self.by_place) >= _MOST:
                self.left_out += 1
                return None
            found = self.by_place[place] = Behaviour(*place)
        return found

    def merge(self, other: Behaviours) -> None:
        """Take in what was seen elsewhere."""
        self.left_out += other.left_out
        for place, behaviour in other.by_place.items():
            mine = self._behaviour(place)
            if mine is not None:
                mine.merge(behaviour)

    def __iter__(self) -> Iterator[Behaviour]:
        return iter(self.by_place.values())

    def __len__(self) -> int:
        return len(self.by_place)
