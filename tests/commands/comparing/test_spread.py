"""Medians, spreads, percentiles, and ratios that compare each round with itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.commands.comparing.spread import Spread, percentile, ratios, spread


def test_the_middle_the_smallest_and_the_largest() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert spread([4.0, 1.0, 2.0, 3.0]) == Spread(2.5, 1.0, 4.0)
    assert spread([5.0]) == Spread(5.0, 5.0, 5.0)


def test_nothing_has_no_middle() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread([])
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=30))
def test_the_middle_lies_between_the_ends(values: list[float]) -> None:
    found = spread(values)
    assert found.low <= found.median <= found.high
    assert {found.low, found.high} <= set(values)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.501, 51), (0.99, 99), (0.999, 100), (1.0, 100)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(range(1, 101), share) == value


def test_a_slow_moment_that_hits_both_sides_does_not_count() -> None:
    ours, theirs = {0: 10.0, 1: 30.0, 2: 11.0}, {0: 20.0, 1: 60.0, 2: 22.0}
    assert ratios(ours, theirs) == Spread(0.5, 0.5, 0.5)


def test_only_rounds_that_both_finished_are_compared() -> None:
    assert ratios({0: 10.0, 2: 30.0}, {1: 5.0, 2: 10.0}) == Spread(3.0, 3.0, 3.0)
    assert ratios({0: 10.0}, {1: 5.0}) is None
    assert ratios({0: 10.0}, {0: 0.0}) is None
