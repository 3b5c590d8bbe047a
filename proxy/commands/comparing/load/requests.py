"""The requests of a load, as they stand on the wire, and in the order in which they are asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from proxy.commands.comparing.origin.content import ITEMS, item, private

AGENTS = 100
SKEW = 1.0
SEQUENCE = 20_000
"""So many requests are drawn; then the same again."""

_SEED = 9111
_SYSTEMS = (
    "X11; Linux x86_64",
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "Android 15; Mobile",
)
_TRACE = b"traceparent: 00-"
_END = b"\r\n\r\n"
_BETWEEN = b"\0"


def agent(number: int) -> str:
    """One of many user agents."""
    system = _SYSTEMS[number % len(_SYSTEMS)]
    return f"Mozilla/5.0 ({system}; rv:{120 + number}.0) Gecko/20100101 Firefox/{120 + number}.0"


def request(target: str, user_agent: str, *, traced: bool = False) -> bytes:
    """A GET as clients of APIs send it. A traced one ends where each time another trace id has to follow."""
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: api.example.org",
        f"User-Agent: {user_agent}",
        "Accept: application/json",
        "Accept-Encoding: gzip, deflate, br",
        "Accept-Language: en-GB,en;q=0.8",
        "Connection: keep-alive",
    ]
    head = "\r\n".join(lines).encode()
    return head + (b"\r\n" + _TRACE if traced else _END)


def complete(start: bytes, trace: int) -> bytes:
    """A traced request with its trace id, and the end of the head."""
    return b"%b%032x-%016x-01%b" % (start, trace * 0x9E3779B97F4A7C15 % (1 << 128) or 1, trace or 1, _END)


def one(target: str, *, traced: bool = False) -> list[bytes]:
    """The same request all the time."""
    return [request(target, agent(0), traced=traced)]


def zipf(
    *, traced: bool = False, length: int = SEQUENCE, skew: float = SKEW, items: int = ITEMS, part: int = 0
) -> list[bytes]:
    """Requests by many user agents, for the n-th most wanted item 1/n^skew as often as for the first.

    Each `part` goes on differently, with the same items wanted most.
    """
    chance = random.Random(_SEED)
    weights = list(accumulate(1 / rank**skew for rank in range(1, items + 1)))
    order = chance.sample(range(items), items)
    if part:
        chance = random.Random(_SEED + part)
    wanted = chance.choices(order, cum_weights=weights, k=length)
    return [request(item(number), agent(chance.randrange(AGENTS)), traced=traced) for number in wanted]


def uncacheable() -> list[bytes]:
    """Requests for all that may not be stored, in an order that says nothing."""
    chance = random.Random(_SEED)
    order = chance.sample(range(ITEMS), ITEMS)
    return [request(private(number), agent(chance.randrange(AGENTS))) for number in order]


def write(requests: Sequence[bytes], path: Path) -> None:
    """Put them into a file, for whoever asks them."""
    path.write_bytes(_BETWEEN.join(requests))


def read(path: Path) -> list[bytes]:
    """What `write` put there."""
    return path.read_bytes().split(_BETWEEN)
