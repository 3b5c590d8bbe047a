"""What every exchange of one proxy has within its reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from proxy.caching.policy import Policy
from proxy.engine.background import Background
from proxy.engine.collapse import Flights
from proxy.engine.invalidations import Invalidation, Invalidations
from proxy.engine.settings import EngineSettings
from proxy.storage.claims import Claims
from proxy.storage.contract import Store
from proxy.storage.selection import Selection
from proxy.upstream.contract import Upstream


@dataclass(frozen=True, slots=True)
class Reach:
    """The store, the way upstream, the policy and the settings, and what is under way at the moment.

    `flights` are the ways to the origin that several share, `intakes` what is being read into the store,
    and `background` what goes on although no client waits for it, which is bounded. `claims` are those among
    the processes that share the store, None where none does.
    """

    store: Store
    upstream: Upstream
    policy: Policy
    settings: EngineSettings
    background: Background
    claims: Claims | None = None
    invalidations: Invalidations = field(default_factory=Invalidations)
    flights: Flights = field(default_factory=Flights)
    intakes: Background = field(default_factory=partial(Background, None, None))

    def __post_init__(self) -> None:
        self.store.hear(self.outdate)

    def outdate(self, wanted: Selection) -> Invalidation:
        """All that is `wanted` was invalidated: what is on its way may be older than the change.

        It still gets to those who asked before, but to nobody else, and is not stored.
        """
        self.flights.invalidate(wanted)
        return self.invalidations.note(monotonic(), wanted)

    async def invalidate(
        self, keys: Sequence[bytes], labels: Sequence[bytes], own: list[Invalidation] | None = None
    ) -> int:
        """Remove all that is stored under these keys or with these labels; the number of entries.

        What is on its way is outdated. An exchange whose own response tells of the change adds it to its
        `own`.
        """
        noted = self.outdate(Selection(keys=tuple(keys), labels=tuple(labels)))
        if own is not None:
            own.append(noted)
        return await self.store.invalidate(keys, labels)

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove all that is `wanted`, or have it count as stale from `soft` on, or only count it if `dry`.

        How many entries it was by tier. What is on its way is outdated, by a soft purge too.
        """
        if not dry:
            self.outdate(wanted)
        return await self.store.purge(wanted, soft=soft, dry=dry)
