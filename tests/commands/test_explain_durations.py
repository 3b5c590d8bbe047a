"""Seconds as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.commands.explaining.durations import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.999, "60 s"),
        (119, "119 s"),
        (120, "2 min"),
        (150, "2 min 30 s"),
        (3599.1, "1 h"),
        (5400, "1 h 30 min"),
        (86_400, "1 day"),
        (90_000, "1 day 1 h"),
        (172_800, "2 days"),
        (31_536_000, "1 year"),
        (2**31, "68 years 35 days"),
        (-5, "-5 s"),
    ],
)
def test_a_duration(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.floats(0, 2**31))
def test_law_it_has_two_units_at_most(seconds: float) -> None:
    assert len(duration(seconds).split()) in (2, 4)
