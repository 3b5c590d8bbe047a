"""What every exchange of one proxy has within its reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from time import time

from proxy.caching.policy import Policy
from proxy.engine.background import Background
from proxy.engine.collapse import Flights
from proxy.engine.invalidations import Invalidation, Invalidations
from proxy.engine.settings import EngineSettings
from proxy.storage.contract import Store
from proxy.upstream.contract import Upstream


@dataclass(frozen=True, slots=True)
class Reach:
    """The store, the way upstream, the policy and the settings, and what is under way at the moment.

    `flights` are the ways to the origin that several share, `intakes` what is being read into the store,
    and `background` what goes on although no client waits for it, which is bounded.
    """

    store: Store
    upstream: Upstream
    policy: Policy
    settings: EngineSettings
    background: Background
    invalidations: Invalidations = field(default_factory=Invalidations)
    flights: Flights = field(default_factory=Flights)
    intakes: Background = field(default_factory=partial(Background, None, None))

    async def invalidate(
        self, keys: Sequence[bytes], labels: Sequence[bytes], own: list[Invalidation] | None = None
    ) -> int:
        """Remove all that is stored under these keys or with these labels; the number of entries.

        What is on its way still gets to those who asked before, but to nobody else, and is not stored. An
        exchange whose own response tells of the change adds it to its `own`.
        """
        noted = self.invalidations.note(time(), keys, labels)
        if own is not None:
            own.append(noted)
        self.flights.invalidate(keys, labels)
        return await self.store.invalidate(keys, labels)
