"""Everything that may be set, in one value; importing it brings in nothing that serves."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.caching.policy import Policy
from proxy.engine.settings import EngineSettings
from proxy.server.settings import ServerSettings
from proxy.storage.settings import StorageSettings, ValkeySettings
from proxy.upstream.fleet.settings import BalanceSettings
from proxy.upstream.settings import UpstreamSettings
from proxy.visibility.settings import LogSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may be set, one section for each part of the proxy."""

    server: ServerSettings = field(default_factory=ServerSettings)
    upstream: UpstreamSettings = field(default_factory=UpstreamSettings)
    cache: Policy = field(default_factory=Policy)
    storage: StorageSettings = field(default_factory=StorageSettings)
    valkey: ValkeySettings = field(default_factory=ValkeySettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    log: LogSettings = field(default_factory=LogSettings)
    balance: BalanceSettings = field(default_factory=BalanceSettings)
