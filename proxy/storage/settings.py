"""What a user may set of storage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Sizes in bytes.

    `memory` is the budget of the memory tier: contents, fields and bookkeeping together. `object_limit` is
    the largest content that is stored; a larger one is passed on only.
    """

    memory: int = 256 << 20
    object_limit: int = 32 << 20
