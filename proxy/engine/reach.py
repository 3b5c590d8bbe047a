"""What every exchange of one proxy has within its reach."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.caching.policy import Policy
from proxy.engine.collapse import Flights
from proxy.engine.settings import EngineSettings
from proxy.storage.contract import Store
from proxy.upstream.contract import Upstream


@dataclass(frozen=True, slots=True)
class Reach:
    """The store, the way upstream, the policy and the settings, and who is fetching what at the moment."""

    store: Store
    upstream: Upstream
    policy: Policy
    settings: EngineSettings
    flights: Flights = field(default_factory=Flights)
