from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.age import current_age
from proxy.caching.freshness import HEURISTICALLY_CACHEABLE, Lifetime, freshness_lifetime
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

T = 1_700_000_000.0
DAY = 86400.0


def lifetime(
    *lines: tuple[bytes, bytes], status: int = 200, received: float = T, policy: Policy | None = None
) -> Lifetime:
    policy = policy or Policy()
    response = Response(status, Fields(lines))
    return freshness_lifetime(response, effective_directives(response.fields, policy), received, policy)


def slugs(found: Lifetime) -> list[str]:
    return [because.reason.slug for because in found.reasons]


def date(offset: float) -> tuple[bytes, bytes]:
    return b"Date", format_date(T + offset)


def expires(offset: float) -> tuple[bytes, bytes]:
    return b"Expires", format_date(T + offset)


def last_modified(offset: float) -> tuple[bytes, bytes]:
    return b"Last-Modified", format_date(T + offset)


def said(value: bytes) -> tuple[bytes, bytes]:
    return b"Cache-Control", value


def test_s_maxage_comes_before_max_age_wherever_it_stands() -> None:
    for value in (b"s-maxage=10, max-age=60", b"max-age=60, s-maxage=10"):
        found = lifetime(said(value), expires(1000))
        assert (found.seconds, slugs(found), found.explicit) == (10, ["s-maxage"], True)


def test_max_age_comes_before_expires() -> None:
    found = lifetime(said(b"max-age=60"), date(0), expires(1000))
    assert (found.seconds, slugs(found), found.explicit, found.heuristic) == (60, ["max-age"], True, False)
    assert found.reasons[0].evidence == "max-age=60"


def test_max_age_zero_comes_before_expires_too() -> None:
    assert lifetime(said(b"max-age=0"), date(0), expires(1000)).seconds == 0


def test_expires_counts_from_date() -> None:
    found = lifetime(date(-100), expires(20))
    assert (found.seconds, slugs(found), found.explicit) == (120, ["expires"], True)


@pytest.mark.parametrize("dates", [[], [(b"Date", b"now")]])
def test_expires_counts_from_reception_where_there_is_no_date(dates: list[tuple[bytes, bytes]]) -> None:
    assert lifetime(*dates, expires(20)).seconds == 20


@pytest.mark.parametrize("offset", [0, -1, -DAY])
def test_expires_at_or_before_date_is_no_lifetime(offset: float) -> None:
    assert lifetime(date(0), expires(offset)).seconds == 0


@pytest.mark.parametrize("value", [b"0", b"-1", b"", b"never", b"60", b"Thu, 18 Aug 2050 02:01:18 UTC"])
def test_expires_that_is_no_date_has_expired(value: bytes) -> None:
    found = lifetime(date(0), last_modified(-DAY), (b"Expires", value))
    assert (found.seconds, slugs(found), found.explicit) == (0, ["expires-ill-formed"], True)


def test_expires_given_twice_has_expired_unless_both_are_equal() -> None:
    assert lifetime(date(0), expires(20), expires(30)).seconds == 0
    assert lifetime(date(0), expires(20), expires(20)).seconds == 20
    both = b", ".join([expires(20)[1], expires(20)[1]])
    assert slugs(lifetime(date(0), (b"Expires", both))) == ["expires-ill-formed"]


def test_expires_in_the_far_future_is_at_most_what_31_bits_hold() -> None:
    assert lifetime(date(0), (b"Expires", b"Fri, 31 Dec 9999 23:59:59 GMT")).seconds == 2**31


@pytest.mark.parametrize(
    "value", [b"max-age=-1", b"max-age=1.5", b"max-age", b"max-age=x", b'max-age=""', b"max-age =60"]
)
def test_a_lifetime_that_is_ill_formed_is_none_and_nothing_stands_in_for_it(value: bytes) -> None:
    found = lifetime(said(value), expires(1000), last_modified(-DAY))
    assert (found.seconds, slugs(found), found.explicit) == (0, ["lifetime-ill-formed"], True)


def test_an_ill_formed_s_maxage_does_not_give_way_to_max_age() -> None:
    assert lifetime(said(b"s-maxage=x, max-age=60")).seconds == 0


def test_of_lifetimes_that_conflict_the_first_counts() -> None:
    found = lifetime(said(b"max-age=60"), said(b"max-age=1"))
    assert (found.seconds, slugs(found)) == (60, ["max-age", "lifetime-conflicting"])
    assert found.reasons[1].evidence == "max-age=60, max-age=1"


def test_one_of_them_that_is_ill_formed_spoils_all() -> None:
    found = lifetime(said(b"max-age=60"), said(b"max-age=x"))
    assert (found.seconds, slugs(found)) == (0, ["lifetime-ill-formed", "lifetime-conflicting"])


def test_a_targeted_field_does_away_with_expires() -> None:
    found = lifetime((b"CDN-Cache-Control", b"foo"), said(b"max-age=60"), date(0), expires(1000))
    assert (found.seconds, slugs(found), found.explicit) == (0, ["no-lifetime"], False)


@pytest.mark.parametrize("status", sorted(HEURISTICALLY_CACHEABLE))
def test_a_tenth_of_the_time_since_the_last_change(status: int) -> None:
    found = lifetime(date(0), last_modified(-1000), status=status)
    assert (found.seconds, slugs(found), found.explicit, found.heuristic) == (100, ["heuristic"], False, True)


@pytest.mark.parametrize("status", [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 599])
def test_other_statuses_have_no_heuristic_unless_they_are_marked_public(status: int) -> None:
    found = lifetime(date(0), last_modified(-1000), status=status)
    assert (found.seconds, slugs(found), found.heuristic) == (0, ["no-lifetime"], False)
    assert lifetime(date(0), last_modified(-1000), said(b"public"), status=status).heuristic


def test_the_heuristic_is_bounded_and_can_be_set() -> None:
    assert lifetime(date(0), last_modified(-1000 * DAY)).seconds == DAY
    assert lifetime(date(0), last_modified(-1000), policy=Policy(heuristic_fraction=0.5)).seconds == 500
    assert lifetime(date(0), last_modified(-1000), policy=Policy(heuristic_limit=7)).seconds == 7
    assert lifetime(date(0), last_modified(-1000), policy=Policy(heuristic_fraction=0)).seconds == 0


@pytest.mark.parametrize(
    "lines",
    [[], [(b"ETag", b'"a"')], [(b"Last-Modified", b"yesterday")], [last_modified(-9), last_modified(-8)]],
)
def test_without_one_time_of_change_there_is_no_heuristic(lines: list[tuple[bytes, bytes]]) -> None:
    found = lifetime(date(0), *lines)
    assert (found.seconds, slugs(found), found.heuristic) == (0, ["no-lifetime"], False)


def test_a_change_in_the_future_gives_no_lifetime() -> None:
    assert lifetime(date(0), last_modified(60)).seconds == 0


def test_pragma_means_nothing_in_a_response() -> None:
    assert lifetime(said(b"max-age=60"), (b"Pragma", b"no-cache")).seconds == 60


LINES = st.lists(
    st.tuples(
        st.sampled_from(
            [b"Cache-Control", b"Expires", b"Date", b"Last-Modified", b"Age", b"CDN-Cache-Control"]
        ),
        st.binary(max_size=16)
        | st.sampled_from([b"max-age=60", b"s-maxage=5", b"public", b"max-age=x", b"0", b"no-store"])
        | st.floats(T - DAY, T + DAY).map(format_date),
    ),
    max_size=5,
)


@given(LINES, st.integers(100, 599), st.floats(T - DAY, T + DAY), st.floats(0, DAY), st.floats(0, DAY))
def test_a_later_clock_never_makes_a_stale_response_fresh(
    lines: list[tuple[bytes, bytes]], status: int, response_time: float, wait: float, longer: float
) -> None:
    found = lifetime(*lines, status=status, received=response_time)
    response = Response(status, Fields(lines))
    one = StoredResponse(Request(b"GET", b"/"), response, response_time, response_time, length=0)
    fresh = found.seconds > current_age(one, response_time + wait)
    fresh_later = found.seconds > current_age(one, response_time + wait + longer)
    assert fresh or not fresh_later
    assert 0 <= found.seconds <= 2**31
    assert found.reasons
    assert not (found.explicit and found.heuristic)
