from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.age import age_value, current_age, date_value, initial_age
from proxy.caching.stored import StoredResponse
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

T = 1_700_000_000.0


def stored(*lines: tuple[bytes, bytes], request_time: float = T, response_time: float = T) -> StoredResponse:
    response = Response(200, Fields(lines))
    return StoredResponse(Request(b"GET", b"/"), response, request_time, response_time, length=0)


def slugs(*values: bytes) -> list[str]:
    return [because.reason.slug for because in age_value(Fields((b"Age", value) for value in values))[1]]


@pytest.mark.parametrize(
    ("values", "seconds", "reasons"),
    [
        ((), 0, []),
        ((b"60",), 60, []),
        ((b"0060",), 60, []),
        ((b"2147483648",), 2**31, []),
        ((b"9" * 5000,), 2**31, []),
        ((b"60, 0",), 60, ["age-several"]),
        ((b"60", b"0"), 60, ["age-several"]),
        ((b"0", b"60"), 0, ["age-several"]),
        ((b" , 60",), 60, []),
        ((b"60,",), 60, []),
        ((b"-60",), 0, ["age-ill-formed"]),
        ((b"60.5",), 0, ["age-ill-formed"]),
        ((b"60a",), 0, ["age-ill-formed"]),
        ((b"60;a=b",), 0, ["age-ill-formed"]),
        ((b'"60"',), 0, ["age-ill-formed"]),
        ((b"",), 0, ["age-ill-formed"]),
        ((b",",), 0, ["age-ill-formed"]),
        ((b"x, 60",), 0, ["age-several", "age-ill-formed"]),
        ((b"x", b"60"), 0, ["age-several", "age-ill-formed"]),
    ],
)
def test_age_value(values: tuple[bytes, ...], seconds: int, reasons: list[str]) -> None:
    assert age_value(Fields((b"Age", value) for value in values))[0] == seconds
    assert slugs(*values) == reasons


def test_without_a_date_the_time_of_reception_stands_for_it() -> None:
    assert date_value(Fields(), T) == T


@pytest.mark.parametrize("values", [(b"today",), (b"",), (format_date(T - 60), format_date(T - 90))])
def test_so_it_does_where_the_date_is_none(values: tuple[bytes, ...]) -> None:
    assert date_value(Fields((b"Date", value) for value in values), T) == T


def test_equal_dates_are_one_date() -> None:
    line = (b"Date", format_date(T - 60))
    assert date_value(Fields([line, line]), T) == T - 60


def test_apparent_age_is_the_distance_from_date() -> None:
    assert current_age(stored((b"Date", format_date(T - 60))), T) == 60


def test_a_date_of_the_same_second_is_no_age() -> None:
    """RFC 9111 §4.2.3, RFC 9110 §5.6.7: a Date has whole seconds, and so has what is counted from it."""
    assert (
        current_age(stored((b"Date", format_date(T)), request_time=T + 0.9, response_time=T + 0.9), T + 1)
        < 0.2
    )
    assert current_age(stored((b"Date", format_date(T - 2)), response_time=T + 0.9), T + 0.9) == 2


def test_a_date_in_the_future_is_no_negative_age() -> None:
    assert current_age(stored((b"Date", format_date(T + 60))), T) == 0


def test_age_counts_from_when_the_request_was_sent() -> None:
    assert current_age(stored((b"Age", b"10"), request_time=T - 3), T) == 13


def test_without_age_the_delay_of_the_response_counts() -> None:
    assert current_age(stored(request_time=T - 3), T) == 3


def test_the_greater_estimate_counts() -> None:
    lines = (b"Date", format_date(T - 60)), (b"Age", b"10")
    assert current_age(stored(*lines), T) == 60
    lines = (b"Date", format_date(T - 10)), (b"Age", b"60")
    assert current_age(stored(*lines), T) == 60


def test_the_time_spent_here_is_added() -> None:
    assert current_age(stored((b"Age", b"10")), T + 25.5) == 35.5


def test_a_clock_set_back_makes_nothing_younger_than_it_came() -> None:
    assert current_age(stored((b"Age", b"10")), T - 1000) == 10
    assert current_age(stored((b"Age", b"10"), request_time=T + 1000), T) == 10


LINES = st.lists(
    st.tuples(
        st.sampled_from([b"Age", b"age", b"Date"]),
        st.binary(max_size=12)
        | st.integers(-10, 10**10).map(lambda number: b"%d" % number)
        | st.floats(0, 4e9).map(format_date),
    ),
    max_size=3,
)
CLOCK = st.floats(min_value=0, max_value=4e9)


@given(LINES, CLOCK, CLOCK, st.lists(CLOCK, min_size=2, max_size=5))
def test_age_is_never_negative_and_never_falls(
    lines: list[tuple[bytes, bytes]], request_time: float, response_time: float, nows: list[float]
) -> None:
    one = stored(*lines, request_time=request_time, response_time=response_time)
    ages = [current_age(one, now) for now in sorted(nows)]
    assert ages == sorted(ages)
    assert ages[0] >= initial_age(one.response.fields, request_time, response_time) >= 0
