"""Counting: nothing is lost, whoever counts which part, and memory stays small."""

from __future__ import annotations

import pickle
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.visibility.inspecting.aggregate import Aggregate
from proxy.visibility.inspecting.reporting import Wishes, report
from proxy.visibility.observation import Batch, Observation
from tests.visibility.inspecting.traffic import BEGIN, EVERYTHING, PLAIN, aggregate_of, exchange

QUIET = Wishes(predictions=False)


def some_traffic(count: int, seed: int = 1) -> list[Observation]:
    random_ = random.Random(seed)
    found = []
    for at in range(count):
        path = random_.choice(
            [f"/users/{random_.randint(1, 50)}", f"/p/P{random_.randint(1, 30):03}", "/cart", "/gone"]
        )
        found.append(
            exchange(
                path,
                at * 0.7,
                status=404 if path == "/gone" else random_.choice([200, 200, 200, 304, 500]),
                content="x" * random_.randint(0, 9),
                asked=[("Cookie", f"sid={random_.randint(1, 5)}")],
                said=[("Cache-Control", random_.choice(["max-age=60", "no-store", "private"]))],
                duration=random_.random(),
                from_cache=random_.choice([True, False]),
                reasons=(random_.choice(["fresh", "no-store", "private"]),),
            )
        )
    return found


@given(st.integers(0, 10_000), st.integers(0, 120))
@settings(max_examples=15, deadline=None)
def test_two_parts_give_the_report_of_the_whole(seed: int, at: int) -> None:
    traffic = some_traffic(120, seed)
    first, second = aggregate_of(traffic[:at]), aggregate_of(traffic[at:])
    first.merge(pickle.loads(pickle.dumps(second)))
    assert report(first, wishes=QUIET) == report(aggregate_of(traffic), wishes=QUIET)


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_many_parts_give_the_report_of_the_whole(seed: int) -> None:
    traffic = some_traffic(150, seed)
    total = Aggregate()
    for at in range(0, 150, 40):
        total.merge(aggregate_of(traffic[at : at + 40]))
    assert report(total, wishes=QUIET) == report(aggregate_of(traffic), wishes=QUIET)


def test_a_path_that_was_missing_first_is_counted_with_the_others() -> None:
    missing = [exchange(f"/users/{n}", n, status=404) for n in range(5)]
    there = [exchange(f"/users/{n}", n + 10) for n in range(5)]
    found = report(aggregate_of([*missing, *there]), wishes=QUIET)
    assert [(one.name, one.figures.exchanges) for one in found.endpoints] == [("/users/{id}", 10)]
    assert found.endpoints[0].statuses == {"200": 5, "404": 5}


def test_paths_at_which_nothing_is_stand_together() -> None:
    found = report(aggregate_of([exchange("/a"), *(exchange(f"/x{n}q", status=404) for n in range(50))]))
    assert {one.name: one.figures.exchanges for one in found.endpoints} == {"/a": 1, "(no such path)": 50}


@pytest.mark.parametrize("held", [EVERYTHING, PLAIN])
def test_a_million_paths_take_little_room(held: object) -> None:
    random_ = random.Random(3)
    found = Aggregate(budget=500)
    count = 12_000
    for _ in range(0, count, 1_000):
        batch = [
            exchange(
                f"/{random_.getrandbits(60):x}g/{random_.getrandbits(60):x}",
                asked=[("Cookie", f"c{random_.getrandbits(40)}=1")],
            )
            for _ in range(1_000)
        ]
        found.add(Batch(held, batch))  # type: ignore[arg-type]
    assert len(pickle.dumps(found)) < 4 << 20
    result = report(found, wishes=QUIET)
    assert sum(one.figures.exchanges for one in result.endpoints) == count == result.summary.figures.exchanges


def test_exchanges_that_lack_everything_are_counted() -> None:
    found = report(aggregate_of([Observation() for _ in range(3)]))
    assert found.summary.figures.exchanges == 3
    assert found.first is None


def test_the_slowest_are_kept() -> None:
    traffic = [exchange(f"/{n}", n, duration=float(n % 50)) for n in range(200)]
    found = report(aggregate_of(traffic), wishes=QUIET)
    assert [one.duration for one in found.slowest][:4] == [49.0] * 4
    assert len(found.slowest) == 20


def test_errors_are_counted_by_kind() -> None:
    traffic = [exchange("/a", n, status=502, error="no connection") for n in range(3)]
    traffic += [exchange("/a", n, status=0, error=f"broke off at {n}") for n in range(100)]
    found = report(aggregate_of(traffic), wishes=QUIET)
    assert found.errors[0].status == 0
    assert sum(one.count for one in found.errors) == 103
    assert len(found.errors) < 30
    assert (502, "no connection", 3) in [(one.status, one.error, one.count) for one in found.errors]


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1e300, 1e300, -5.0, 1e12])
def test_times_that_are_none_are_not_shown(time: float) -> None:
    found = report(aggregate_of([exchange("/a", time=time, status=500), exchange("/a", 3.0)]))
    assert found.first == found.last == BEGIN + 3.0
    assert found.summary.figures.exchanges == 2
    assert all(one.time is None or one.time >= 0 for one in found.slowest)
    json = msgspec.json.encode(found)
    assert b"Infinity" not in json
