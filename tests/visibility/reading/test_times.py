"""Times as logs write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.visibility.reading.times import any_time, clf, iso

WHEN = 1700000000.0


@pytest.mark.parametrize(
    "text",
    [
        "14/Nov/2023:22:13:20 +0000",
        "14/Nov/2023:17:13:20 -0500",
        "14/Nov/2023:22:13:20",
        "[14/Nov/2023:22:13:20 +0000]",
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20.000000Z",
        "2023-11-15T03:43:20+05:30",
        "2023-11-14 22:13:20",
        "2023-11-14T22:13:20,000Z",
        "2023-11-14T22:13:20.000000000+00:00",
        "1700000000",
        "1700000000.000",
        "1700000000000",
        "1700000000000000",
        "1700000000000000000",
        "1.7e+09",
    ],
)
def test_all_of_these_are_the_same_moment(text: str) -> None:
    assert any_time(text) == WHEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "now",
        "31/Feb/2023:00:00:00 +0000",
        "14/Nov/2023",
        "2023-11-14T25:00:00Z",
        "nan",
        "inf",
        "[",
        "1e99",
        "2023-11-14T22:13:20+00Z",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="the time can't be read"):
        any_time(text)


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    with suppress(ValueError):
        assert isfinite(any_time(text))


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_every_moment(moment: datetime) -> None:
    assert iso(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == pytest.approx(moment.timestamp(), abs=2e-6)
    assert clf(moment.strftime("%d/%b/%Y:%H:%M:%S +0000")) == int(moment.timestamp())
