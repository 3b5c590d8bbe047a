from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.dates import format_date, parse_date

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC).timestamp()


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc]


@pytest.mark.parametrize(
    "value",
    [
        b"Sun, 06 Nov 1994 08:49:37 GMT",
        b"Sunday, 06-Nov-94 08:49:37 GMT",
        b"Sun Nov  6 08:49:37 1994",
        b"Sun Nov 06 08:49:37 1994",
    ],
)
def test_all_three_forms_are_read(value: bytes) -> None:
    assert parse_date(value, NOW) == at(1994, 11, 6, 8, 49, 37)


@pytest.mark.parametrize(
    "value",
    [b"sun, 06 nov 1994 08:49:37 gmt", b"SUNDAY, 06-NOV-94 08:49:37 GMT", b"sUN nOV  6 08:49:37 1994"],
)
def test_letters_count_in_either_case(value: bytes) -> None:
    assert parse_date(value, NOW) == at(1994, 11, 6, 8, 49, 37)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"0",
        b"-1",
        b"tomorrow",
        b"Sun, 06 Nov 1994 08:49:37",
        b"Sun, 06 Nov 1994 08:49:37 UTC",
        b"Sun, 06 Nov 1994 08:49:37 CET",
        b"Sun, 06 Nov 1994 08:49:37 +0000",
        b"Sun, 06 Nov 1994  08:49:37 GMT",
        b" Sun, 06 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 1994 08:49:37 GMT\n",
        b"Sun 06 Nov 1994 08:49:37 GMT",
        b"Sun, 6 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 94 08:49:37 GMT",
        b"Sun, 06-Nov-1994 08:49:37 GMT",
        b"Sun, 06 Nov 1994 8:49:37 GMT",
        b"Sun, 06 Nov 1994 08.49.37 GMT",
        b"Sun, 06 Nov 1994 08:49 GMT",
        b"06 Nov 1994 08:49:37 GMT",
        b"Foo, 06 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Foo 1994 08:49:37 GMT",
        b"Sun, 00 Nov 1994 08:49:37 GMT",
        b"Wed, 30 Feb 1994 08:49:37 GMT",
        b"Sun, 29 Feb 1900 08:49:37 GMT",
        b"Sun, 06 Nov 0000 08:49:37 GMT",
        b"Sun, 06 Nov 1994 24:00:00 GMT",
        b"Sun, 06 Nov 1994 08:60:37 GMT",
        b"Sun, 06 Nov 1994 08:49:60 GMT",
        b"Sun, 06 Nov 1994 23:59:61 GMT",
        b"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT".encode(),
    ],
)
def test_what_the_grammar_does_not_have_is_no_date(value: bytes) -> None:
    assert parse_date(value, NOW) is None


def test_a_leap_second_is_the_second_before_it() -> None:
    assert parse_date(b"Sat, 31 Dec 2016 23:59:60 GMT", NOW) == at(2016, 12, 31, 23, 59, 59)


def test_the_name_of_the_day_is_not_held_against_the_date() -> None:
    assert parse_date(b"Mon, 26 Jul 1997 05:00:00 GMT", NOW) == at(1997, 7, 26, 5, 0, 0)


@pytest.mark.parametrize(
    ("value", "year"),
    [
        (b"Sunday, 01-Mar-26 12:00:00 GMT", 2026),
        (b"Sunday, 01-Mar-76 12:00:00 GMT", 2076),  # 50 years in the future, not more
        (b"Sunday, 01-Mar-76 12:00:01 GMT", 1976),  # a second more
        (b"Sunday, 02-Mar-75 12:00:00 GMT", 2075),
        (b"Sunday, 01-Mar-99 12:00:00 GMT", 1999),
        (b"Sunday, 01-Mar-00 12:00:00 GMT", 2000),
    ],
)
def test_two_digits_more_than_fifty_years_ahead_are_of_the_past(value: bytes, year: int) -> None:
    parsed = parse_date(value, NOW)
    assert parsed is not None
    assert datetime.fromtimestamp(parsed, UTC).year == year


def test_two_digits_depend_on_the_clock_each_time() -> None:
    value = b"Sunday, 01-Mar-76 12:00:01 GMT"
    assert parse_date(value, NOW) == at(1976, 3, 1, 12, 0, 1)
    assert parse_date(value, NOW + 1) == at(2076, 3, 1, 12, 0, 1)


def test_the_twenty_ninth_of_february_of_a_year_with_two_digits() -> None:
    assert parse_date(b"Thursday, 29-Feb-24 00:00:00 GMT", NOW) == at(2024, 2, 29)
    assert parse_date(b"Thursday, 29-Feb-23 00:00:00 GMT", NOW) is None


def test_dates_beyond_32_bits_and_before_the_epoch() -> None:
    assert parse_date(b"Fri, 31 Dec 9999 23:59:59 GMT", NOW) == at(9999, 12, 31, 23, 59, 59)
    assert parse_date(b"Mon, 01 Jan 0001 00:00:00 GMT", NOW) == at(1, 1, 1)


def test_a_date_is_written_as_imf_fixdate_rounded_down() -> None:
    assert format_date(at(1994, 11, 6, 8, 49, 37) + 0.999) == b"Sun, 06 Nov 1994 08:49:37 GMT"
    assert format_date(-0.5) == b"Wed, 31 Dec 1969 23:59:59 GMT"


@pytest.mark.parametrize("t", [1e12, -1e12, 1e30])
def test_a_year_that_four_digits_cannot_express_is_refused(t: float) -> None:
    with pytest.raises(ValueError, match="no HTTP-date"):
        format_date(t)


@given(st.integers(min_value=int(at(1, 1, 1)), max_value=int(at(9999, 12, 31, 23, 59, 59))))
def test_what_is_written_is_read_back(t: int) -> None:
    assert parse_date(format_date(t), NOW) == t


@given(st.binary(max_size=40), st.floats(min_value=0, max_value=4e9))
def test_reading_never_raises(value: bytes, now: float) -> None:
    parsed = parse_date(value, now)
    assert parsed is None or isinstance(parsed, float)


@given(
    st.from_regex(
        rb"(Mon|Sunday),? ?[0-9 ]{2}[- ](Nov|feb)[- ][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2} (GMT|[0-9]{4})",
        fullmatch=True,
    )
)
def test_what_looks_like_a_date_is_read_or_refused(value: bytes) -> None:
    parsed = parse_date(value, NOW)
    assert parsed is None or parse_date(format_date(parsed), NOW) == parsed
