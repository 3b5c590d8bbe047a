"""Which of several servers is asked: pure planners, whose state is handed in and out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from proxy.message.request import Request


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that may be asked. `weight` is its share of the requests against the others', above 0.

    `outstanding` is how many requests to it are under way.
    """

    name: str
    weight: float = 1.0
    outstanding: int = 0


Credits = Mapping[str, float]
"""What round robin remembers: how far each server is from its next turn."""


def round_robin(candidates: Sequence[Candidate], known: Credits) -> tuple[Candidate, Credits]:
    """The one whose turn it is, and what to remember; turns are spread evenly, however weights differ.

    Each gets credit by its weight, and who is asked pays what all have got.
    """
    total = sum(one.weight for one in candidates)
    now = {one.name: known.get(one.name, 0.0) + one.weight for one in candidates}
    chosen = max(candidates, key=lambda one: now[one.name])
    now[chosen.name] -= total
    return chosen, now


def least_outstanding(candidates: Sequence[Candidate], turn: int) -> Candidate:
    """The one with the fewest requests under way for its weight; among equals each in its `turn`."""
    start = turn % len(candidates)
    rotated = [*candidates[start:], *candidates[:start]]
    return min(rotated, key=lambda one: (one.outstanding + 1) / one.weight)


def consistent(candidates: Sequence[Candidate], key: bytes) -> Candidate:
    """The one that `key` belongs to: when one comes or goes, no key moves between the others.

    Weighted rendezvous hashing (Thaler and Ravishankar 1998; the logarithmic weights are due to Schindelhauer
    and Schomaker, 2005).
    """
    return max(candidates, key=lambda one: -one.weight / math.log(_fraction(one.name, key)))


def tag(name: str, secret: bytes) -> bytes:
    """What a client's cookie calls a server: nobody learns its address from that."""
    return blake2b(name.encode(), digest_size=8, key=secret).hexdigest().encode()


def named(candidates: Sequence[Candidate], wanted: bytes | None, secret: bytes) -> Candidate | None:
    """The one that a cookie calls by `wanted`; None where it names none that may be asked."""
    if wanted is None:
        return None
    return next((one for one in candidates if tag(one.name, secret) == wanted), None)


def cookie(request: Request, name: bytes) -> bytes | None:
    """The value of the request's cookie called `name` (RFC 6265 §5.4)."""
    for line in request.fields.all(b"cookie"):
        for pair in line.split(b";"):
            known, equals, value = pair.strip().partition(b"=")
            if equals and known == name:
                return value
    return None


def hash_key(request: Request, key: str) -> bytes:
    """The bytes by which a request is assigned: see `BalanceSettings.key`."""
    kind, _, name = key.partition(":")
    match kind:
        case "path":
            return request.target.partition(b"?")[0]
        case "client":
            return b",".join(request.fields.all(b"x-forwarded-for")).rpartition(b",")[2].strip()
        case "field":
            return b"\0".join(request.fields.all(name.lower().encode()))
        case "cookie":
            return cookie(request, name.encode()) or b""
        case _:
            return request.authority + request.target


def _fraction(name: str, key: bytes) -> float:
    """A number between 0 and 1, neither included, that is always the same for these two."""
    digest = blake2b(key, digest_size=8, key=name.encode()[:64]).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64
