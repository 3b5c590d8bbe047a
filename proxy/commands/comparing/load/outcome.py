"""What a load came to."""

from __future__ import annotations

import msgspec


class Outcome(msgspec.Struct, kw_only=True):
    """As the load generator saw it: times in seconds, content in bytes.

    `requests` were answered whole; `errors` were not answered, or with another status than 200, or not with
    the content that was due. `processor` is the generator's own processor time. `late` is how far the
    99th percentile of requests was sent behind its time, where a rate was given.
    """

    requests: int
    seconds: float
    errors: int
    content: int
    p50: float
    p99: float
    p999: float
    processor: float
    wire: int = 0
    late: float | None = None
    complaints: list[str] = []


class Plan(msgspec.Struct, kw_only=True):
    """What the generator of ours is to do.

    `rate` is requests per second (None: each connection asks anew as soon as it is answered). `once` asks
    each request of the file one time, `burst` one on each connection, all at once. `idle` connections ask
    once and then stay open. `length` is how much content each answer should have.
    """

    port: int
    requests: str
    connections: int
    seconds: float = 0.0
    rate: float | None = None
    once: bool = False
    burst: bool = False
    idle: int = 0
    traced: bool = False
    length: int
