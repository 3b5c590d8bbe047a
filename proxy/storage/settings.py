"""What a user may set of storage."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.errors import ConfigurationError

LEAST = 64 << 10
"""The smallest budget in bytes that anything can be done with: a few dozen small responses."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Sizes in bytes, times in seconds.

    `memory` is the budget of the memory tier: contents, fields and bookkeeping together. It is 64 KiB at
    least, or 0 to keep nothing there. `object_limit` is the largest content that is stored, at most a
    quarter of the tier that is to hold it; a larger one is passed on only.

    `answers` is the budget for what is remembered in memory of answers that are given often; at 0 it is an
    eighth of `memory`, taken from that.

    `store` says where responses are kept beside memory, which is always in front: `memory` (nowhere),
    `disk:DIR`, `valkey://HOST:PORT` or `valkeys://HOST:PORT`, or several of these with commas between.
    `disk` is the budget of the folder. `alone` is for how long local copies are used while Valkey is cut off
    and nobody tells of changes; 0 sets no bound.
    """

    memory: int = 256 << 20
    answers: int = 0
    object_limit: int = 32 << 20
    store: str = "memory"
    disk: int = 10 << 30
    alone: float = 0.0

    def __post_init__(self) -> None:
        """Raises ConfigurationError where the budget is too small."""
        if 0 < self.memory < LEAST:
            raise ConfigurationError(
                "to store responses takes 64KiB of memory at least (0: none are stored)",
                evidence=f"{self.memory} bytes",
            )


@dataclass(frozen=True, slots=True)
class ValkeySettings:
    """How Valkey is used; times in seconds.

    Proxies share what they store where the `namespace` is the same. `lookup` is the longest that an exchange
    waits for a look-up, `write` for anything else. A server that says nothing for twice `heartbeat` counts
    as gone: for so long at most a silent cut stays unnoticed. `lease` is how long a claim outlives a proxy
    that died while it fetched. `ca` is a file with the certificates to trust for `valkeys://` ("": the
    system's). `compress` has contents compressed that get smaller by it.
    """

    namespace: str = "shared"
    lookup: float = 0.01
    write: float = 0.02
    heartbeat: float = 0.25
    lease: float = 1.0
    ca: str = ""
    compress: bool = True

    def __post_init__(self) -> None:
        """Raises ConfigurationError where a name or a time can't be used."""
        if not self.namespace or not all(char.isalnum() or char in "-_." for char in self.namespace):
            raise ConfigurationError("not a namespace (letters, digits, - _ .)", evidence=self.namespace[:40])
        for name in ("lookup", "write", "heartbeat", "lease"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"valkey.{name} has to be more than nothing")
