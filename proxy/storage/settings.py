"""What a user may set of storage."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.errors import ConfigurationError

LEAST = 64 << 10
"""The smallest budget in bytes that anything can be done with: a few dozen small responses."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Sizes in bytes.

    `memory` is the budget of the memory tier: contents, fields and bookkeeping together. It is 64 KiB at
    least, or 0 to keep nothing at all. `object_limit` is the largest content that is stored, at most a
    quarter of that; a larger one is passed on only.
    """

    memory: int = 256 << 20
    object_limit: int = 32 << 20

    def __post_init__(self) -> None:
        """Raises ConfigurationError where the budget is too small."""
        if 0 < self.memory < LEAST:
            raise ConfigurationError(
                "to store responses takes 64KiB of memory at least (0: none are stored)",
                evidence=f"{self.memory} bytes",
            )
