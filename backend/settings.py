"""Everything about one replica that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass

from backend.records.local import LIMIT, MEMORY
from backend.tokens.contract import LARGEST


@dataclass(frozen=True, slots=True)
class Settings:
    """`latency` in seconds per request, `rate` in requests per second or 0 for as many as there is time for;
    `session_lifetime` and `token_lifetime` in seconds; `token_limit` in bytes.

    `data` is where orders and the carts of `resources` are, `state` where sessions are ("": in this process).
    `secrets` sign or encrypt what clients keep, the first one writes; so do the lines of `key_file`.
    """

    style: str = "resources"
    seed: int = 1
    products: int = 200
    latency: float = 0.0
    rate: float = 0.0
    data: str = MEMORY
    state: str = ""
    sessions: str = "client"
    tokens: str = "signed"
    secrets: tuple[str, ...] = ()
    key_file: str = ""
    session_limit: int = 10_000
    record_limit: int = LIMIT
    session_lifetime: float = 1_800.0
    token_lifetime: float = 7_200.0
    token_limit: int = LARGEST
    fill: int = 0

    @property
    def shop(self) -> str:
        """What replicas of one shop have in common: the same catalogue."""
        return f"{self.seed}/{self.products}"

    @property
    def variant(self) -> str:
        """Which kind of the style this is, in a word or two."""
        if self.style == "tokens":
            return self.tokens
        if self.style == "flask":
            held = "server, shared store" if self.state else "server, in process"
            return held if self.sessions == "server" else "client"
        where = self.state or MEMORY if self.style == "sessions" else self.data
        return "in process" if where == MEMORY else "shared store" if "://" in where else "file"
