"""Everything about one replica that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """`latency` in seconds per request; `session_lifetime` and `token_lifetime` in seconds."""

    style: str = "resources"
    seed: int = 1
    products: int = 200
    latency: float = 0.0
    secret: str = ""
    data: str = ":memory:"
    session_limit: int = 10_000
    session_lifetime: float = 1_800.0
    token_lifetime: float = 7_200.0
