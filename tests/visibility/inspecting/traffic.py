"""Exchanges made up for tests: a server of the mind, and those who ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

import msgspec

from proxy.visibility.inspecting.aggregate import Aggregate
from proxy.visibility.inspecting.report import Report
from proxy.visibility.inspecting.reporting import report
from proxy.visibility.observation import Batch, Held, Lines, Observation, Part

EVERYTHING = Held("pellucid", ~Part(0))
"""What our own records hold."""

PLAIN = Held("combined", Part.TIME | Part.CLIENT | Part.RESPONSE_BYTES, frozenset({"referer", "user-agent"}))
"""What a combined access log holds."""

BEGIN = 1_800_000_000.0


def digest_of(content: str) -> str:
    """A digest as it stands in a record."""
    return f"sha-256=:{sha256(content.encode()).hexdigest()[:43]}=:"


def exchange(
    target: str = "/",
    at: float = 0.0,
    *,
    method: str = "GET",
    status: int = 200,
    content: str = "content",
    asked: Iterable[tuple[str, str]] = (),
    said: Iterable[tuple[str, str]] = (),
    **others: object,
) -> Observation:
    """One exchange, `at` so many seconds from the beginning."""
    fields: dict[str, object] = {
        "time": BEGIN + at,
        "client": "192.0.2.1",
        "method": method,
        "scheme": "http",
        "authority": "api.example",
        "target": target,
        "version": "1.1",
        "request_fields": tuple(asked),
        "request_bytes": 0,
        "status": status,
        "response_fields": tuple(said),
        "response_bytes": len(content),
        "digest": digest_of(content),
        "duration": 0.01,
        "from_cache": False,
        "outcome": "forwarded",
        "upstream": "192.0.2.9:80",
        "id": f"x-{at}",
    }
    return Observation(**{**fields, **others})  # type: ignore[arg-type]


def aggregate_of(exchanges: Iterable[Observation], held: Held = EVERYTHING, size: int = 100) -> Aggregate:
    """What is counted of some exchanges, that come in batches."""
    found, everything = Aggregate(), list(exchanges)
    for at in range(0, len(everything), size):
        found.add(Batch(held, everything[at : at + size]))
    return found


def report_of(exchanges: Iterable[Observation], held: Held = EVERYTHING) -> Report:
    """The report on some exchanges."""
    return report(aggregate_of(exchanges, held))


def cookie(value: str, name: str = "sid") -> Lines:
    """The Cookie field."""
    return (("Cookie", f"{name}={value}"),)


Server = Callable[[Observation], str]


def served(requests: Iterable[Observation], server: Server) -> list[Observation]:
    """The same exchanges with the content that a server gives to each, one after another."""
    found = []
    for one in requests:
        content = server(one)
        found.append(msgspec.structs.replace(one, digest=digest_of(content), response_bytes=len(content)))
    return found
