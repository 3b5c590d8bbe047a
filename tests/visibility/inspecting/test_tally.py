"""Counters that can be added up: distinct things, durations, slices of time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.visibility.inspecting.tally import MOST_PATHS, Distinct, Histogram, Tally, step_of, value_of
from proxy.visibility.inspecting.timeline import MOST, Timeline
from proxy.visibility.inspecting.traits import Traits

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=200)


def distinct(hashes: list[int]) -> Distinct:
    found = Distinct()
    for one in hashes:
        found.add(one)
    return found


@given(HASHES)
def test_few_are_counted(hashes: list[int]) -> None:
    found = distinct(hashes)
    assert found.exact
    assert found.count == len(set(hashes))


@pytest.mark.parametrize("number", [5_000, 50_000])
def test_many_are_estimated(number: int) -> None:
    random_ = random.Random(number)
    found = distinct([random_.getrandbits(64) for _ in range(number)] * 2)
    assert not found.exact
    assert found.count == pytest.approx(number, rel=0.1)
    assert len(found.hashes) <= 2 * MOST_PATHS


def test_merged_counts_are_those_of_the_whole() -> None:
    random_ = random.Random(1)
    hashes = [random_.getrandbits(64) for _ in range(9_000)]
    first, second, whole = distinct(hashes[:4_000]), distinct(hashes[3_000:]), distinct(hashes)
    first.merge(second)
    assert first.count == pytest.approx(whole.count, rel=0.05)


@given(st.floats(1e-6, 1e5))
def test_a_duration_is_known_to_a_few_percent(seconds: float) -> None:
    assert value_of(step_of(seconds)) == pytest.approx(seconds, rel=0.07)


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=60), st.integers(0, 60))
def test_merged_durations_are_those_of_the_whole(values: list[float], at: int) -> None:
    first, second, whole = Histogram(), Histogram(), Histogram()
    for number, one in enumerate(values):
        (first if number < at else second).add(one)
        whole.add(one)
    first.merge(second)
    assert first.durations() == whole.durations()


def test_quantiles() -> None:
    histogram = Histogram()
    for number in range(1, 1_001):
        histogram.add(number / 1_000)
    found = histogram.durations()
    assert found.median == pytest.approx(0.5, rel=0.09)
    assert found.p99 == pytest.approx(0.99, rel=0.09)
    assert (found.known, found.longest) == (1_000, 1.0)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), 1e300])
def test_odd_durations_are_counted(seconds: float) -> None:
    histogram = Histogram()
    histogram.add(seconds)
    assert histogram.durations().known == 1


TIMES = st.lists(st.floats(0, 4e9), max_size=80)


def timeline(times: list[float]) -> Timeline:
    found = Timeline()
    for time in times:
        found.slot(time)[0] += 1
        found.span(time, time)
    return found


@given(TIMES, st.integers(0, 80))
@settings(deadline=None)
def test_merged_slices_hold_everything(times: list[float], at: int) -> None:
    first, whole = timeline(times[:at]), timeline(times)
    first.merge(timeline(times[at:]))
    assert sum(one.exchanges for one in first.all()) == len(times)
    assert (
        (first.first, first.last)
        == (whole.first, whole.last)
        == (min(times, default=None), max(times, default=None))
    )


@given(TIMES)
@settings(deadline=None)
def test_there_are_never_many_slices(times: list[float]) -> None:
    found = timeline([*times, *(number * 1e5 for number in range(300))])
    assert len(found.all()) <= MOST
    assert sum(one.exchanges for one in found.all()) == len(times) + 300
    assert all(one.time % one.seconds == 0 for one in found.all())


def test_clocks_that_are_wrong_do_no_harm() -> None:
    found = timeline([1e30, -1e30, 5.0])
    assert sum(one.exchanges for one in found.all()) == 3


def test_very_many_sorts_of_exchanges_are_bounded() -> None:
    tally = Tally()
    traits = Traits("GET", 200)
    for number in range(5_000):
        tally.row((traits, False, "forwarded", (f"r{number}",)))[0] += 1
    assert tally.weight == 5_000
    assert len(tally.rows) < 2_100
