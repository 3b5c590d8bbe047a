"""What a user may set of the engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Sizes in bytes.

    `query_limit` bounds the content of a QUERY that is read into memory to make its cache key; a larger one
    is forwarded without the cache. `drain_limit` bounds what is read and thrown away of a response that is
    not wanted, so that its connection can be used again. `nearly_done` is how much of a response may still
    be missing when its client leaves for it to be completed for the cache. `background` bounds the
    validations and completions that go on without a client at one time. `patience` is how many seconds a
    request waits for the head of the response to another one that is fetching the same, before it goes to the
    origin itself.
    """

    query_limit: int = 1 << 20
    drain_limit: int = 64 << 10
    nearly_done: int = 256 << 10
    background: int = 64
    patience: float = 20.0
