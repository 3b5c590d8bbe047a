"""How requests are spread over several servers: times in seconds, shares from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Policy = Literal["round-robin", "least", "hash", "sticky"]


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """`policy` says which server is asked: each in its turn, the one with the fewest requests under way, the
    one that a hash of `key` names, or the one that the client's `cookie` names.

    `key` is `uri`, `path`, `client`, `field:NAME` or `cookie:NAME`.

    At most `tries` servers are asked for one request, and `retries` is the share of requests that may be
    asked again on the whole, beside a few each second.

    After `failures` in a row a server is left out for `out`, and twice as long each time that it fails again,
    at most `longest_out`; one that can't be reached is left out at once. It gets its full share back over
    `ease`. One whose responses begin `slow` times as late as those of the others is left out too (0: never).

    `check` is a path that a server has to answer with 200 to 399, asked every `check_every`; where it is
    empty, only servers that are left out are tried, by connecting to them.
    """

    policy: Policy = "round-robin"
    key: str = "uri"
    cookie: str = "pellucid-server"
    tries: int = 3
    retries: float = 0.2
    failures: int = 3
    out: float = 1.0
    longest_out: float = 30.0
    ease: float = 10.0
    slow: float = 8.0
    check: str = ""
    check_every: float = 1.0
