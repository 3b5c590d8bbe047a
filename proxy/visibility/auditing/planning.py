"""What an audit sends, in which order: synchronous plans, sent by others."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from proxy.visibility.auditing.shape import Asked, Candidate, Probe, Way

SEED = 9110
"""The other order is the same in each run."""


def close(asked: Asked, replicas: int) -> Iterator[Probe]:
    """What is sent of one request in one go: variations, each between two sendings of the request as it is.

    So what changes by itself is not taken for a dependence.
    """
    yield Probe(asked, Way.AGAIN)
    yield Probe(asked, Way.AGAIN)
    lacking: list[tuple[Candidate, ...]] = [(one,) for one in asked.candidates]
    if len(asked.candidates) > 1:
        lacking.append(asked.candidates)
    for left_out in lacking:
        yield Probe(asked, Way.WITHOUT, without=left_out)
        yield Probe(asked, Way.WITHOUT, without=left_out)
        yield Probe(asked, Way.AGAIN)
    for replica in range(1, replicas):
        yield Probe(asked, Way.REPLICA, replica)
        yield Probe(asked, Way.AGAIN)


def given(asked: Asked, replicas: int) -> Iterator[Probe]:
    """What is sent of a request whose answer set cookies: it again with these, everywhere."""
    yield Probe(asked, Way.GIVEN, given=True)
    yield Probe(asked, Way.GIVEN, given=True)
    for replica in range(1, replicas):
        yield Probe(asked, Way.GIVEN, replica, given=True)
        yield Probe(asked, Way.GIVEN, given=True)


def reordered(asked: Sequence[Asked]) -> Iterator[Probe]:
    """All requests once more, in another order."""
    order = list(asked)
    random.Random(SEED).shuffle(order)
    return (Probe(one, Way.REORDERED) for one in order)


def paused(asked: Sequence[Asked]) -> Iterator[Probe]:
    """All requests once more, after a pause."""
    return (Probe(one, Way.PAUSED) for one in asked)


def most(asked: Sequence[Asked], replicas: int) -> int:
    """How many requests will be sent at most."""
    return sum(sum(1 for _ in (*close(one, replicas), *given(one, replicas))) + 2 for one in asked)
