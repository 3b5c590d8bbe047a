from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.policy import Policy
from proxy.caching.stale import Verdict, Why, may_serve_stale, stale_use_permitted
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.message.cache_control import parse_cache_control
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

POLICY = Policy(stale_limit=100)


def verdict(
    said: bytes, why: Why, staleness: float = 30, wished: bytes = b"", *, invalidated: bool = False
) -> Verdict:
    fields = Fields([(b"Cache-Control", said)])
    stored = StoredResponse(
        Request(b"GET", b"/"), Response(200, fields), 0, 0, length=0, invalidated=invalidated
    )
    effective = effective_directives(fields, POLICY)
    return may_serve_stale(stored, effective, parse_cache_control([wished]), staleness, why, POLICY)


def slugs(found: Verdict) -> list[str]:
    return [because.reason.slug for because in found.reasons]


FORBIDDING = [
    (b"must-revalidate", "must-revalidate"),
    (b"proxy-revalidate", "proxy-revalidate"),
    (b"s-maxage=60", "s-maxage-when-stale"),
    (b"s-maxage=x", "s-maxage-when-stale"),
    (b"no-cache", "no-cache-when-stale"),
]


@pytest.mark.parametrize("why", list(Why))
@pytest.mark.parametrize(("directive", "slug"), FORBIDDING)
def test_what_the_response_forbids_nothing_permits(directive: bytes, slug: str, why: Why) -> None:
    said = b"max-age=60, stale-while-revalidate=600, stale-if-error=600, " + directive
    found = verdict(said, why, wished=b"max-stale, stale-if-error=600")
    assert (found.allowed, slugs(found), found.until) == (False, [slug], None)


@pytest.mark.parametrize("why", list(Why))
def test_an_invalidated_response_is_not_served_stale(why: Why) -> None:
    said = b"stale-while-revalidate=600, stale-if-error=600"
    found = verdict(said, why, wished=b"max-stale", invalidated=True)
    assert (found.allowed, slugs(found)) == (False, ["invalidated-when-stale"])


def test_all_prohibitions_are_told() -> None:
    found = verdict(b"no-cache, s-maxage=1, must-revalidate", Why.UNREACHED)
    assert slugs(found) == ["no-cache-when-stale", "must-revalidate", "s-maxage-when-stale"]


def test_no_cache_that_lists_fields_forbids_nothing_else() -> None:
    assert verdict(b'no-cache="set-cookie"', Why.UNREACHED).allowed


class TestStaleWhileRevalidate:
    def test_up_to_its_seconds_and_no_longer(self) -> None:
        assert verdict(b"stale-while-revalidate=30", Why.REVALIDATING, 30).allowed
        found = verdict(b"stale-while-revalidate=30", Why.REVALIDATING, 30.1)
        assert (found.allowed, slugs(found), found.until) == (False, ["past-stale-while-revalidate"], 30)

    @pytest.mark.parametrize(
        "said",
        [b"", b"max-age=60", b"stale-if-error=60", b"stale-while-revalidate", b"stale-while-revalidate=x"],
    )
    def test_not_without_it(self, said: bytes) -> None:
        found = verdict(said, Why.REVALIDATING)
        assert (found.allowed, slugs(found)) == (False, ["no-stale-while-revalidate"])

    @pytest.mark.parametrize("wished", [b"no-cache", b"max-age=0", b"max-age=600", b"min-fresh=1"])
    def test_not_where_the_request_wants_no_stale_response(self, wished: bytes) -> None:
        wished += b", stale-if-error=600"
        found = verdict(b"stale-while-revalidate=60", Why.REVALIDATING, wished=wished)
        assert (found.allowed, slugs(found)) == (False, ["request-refuses-stale"])

    def test_max_stale_limits_it_further(self) -> None:
        said = b"stale-while-revalidate=60"
        assert verdict(said, Why.REVALIDATING, wished=b"max-age=600, max-stale=30").allowed
        found = verdict(said, Why.REVALIDATING, wished=b"max-stale=29")
        assert (found.allowed, slugs(found), found.until) == (False, ["past-max-stale"], 29)
        assert verdict(said, Why.REVALIDATING, wished=b"max-stale").until == 60


class TestStaleIfError:
    @pytest.mark.parametrize("why", [Why.ERROR, Why.UNREACHED])
    def test_up_to_its_seconds_and_no_longer(self, why: Why) -> None:
        assert verdict(b"stale-if-error=1200", why, 1200).allowed
        found = verdict(b"stale-if-error=1200", why, 1201)
        assert (found.allowed, slugs(found), found.until) == (False, ["past-stale-if-error"], 1200)

    @pytest.mark.parametrize("said", [b"max-age=60", b"stale-while-revalidate=60", b"stale-if-error=x"])
    def test_an_error_is_passed_on_without_it(self, said: bytes) -> None:
        found = verdict(said, Why.ERROR)
        assert (found.allowed, slugs(found)) == (False, ["no-stale-if-error"])

    def test_max_stale_is_no_permission_to_hide_an_error(self) -> None:
        assert not verdict(b"max-age=60", Why.ERROR, wished=b"max-stale").allowed

    def test_the_request_may_say_it(self) -> None:
        assert verdict(b"max-age=60", Why.ERROR, wished=b"stale-if-error=30").allowed
        assert not verdict(b"max-age=60", Why.ERROR, wished=b"stale-if-error=29").allowed

    def test_where_both_say_it_both_are_kept(self) -> None:
        found = verdict(b"stale-if-error=29", Why.ERROR, wished=b"stale-if-error=60")
        assert (found.allowed, slugs(found), found.until) == (False, ["past-stale-if-error"], 29)
        assert not verdict(b"stale-if-error=60", Why.ERROR, wished=b"stale-if-error=29").allowed

    @pytest.mark.parametrize("wished", [b"max-age=0", b"min-fresh=60"])
    @pytest.mark.parametrize("why", [Why.ERROR, Why.UNREACHED])
    def test_it_outweighs_what_the_request_says_of_age(self, why: Why, wished: bytes) -> None:
        assert verdict(b"stale-if-error=60", why, wished=wished).allowed

    @pytest.mark.parametrize("why", [Why.ERROR, Why.UNREACHED])
    def test_it_does_not_outweigh_no_cache_unless_the_request_says_both(self, why: Why) -> None:
        found = verdict(b"stale-if-error=60", why, wished=b"no-cache")
        assert (found.allowed, slugs(found)) == (False, ["request-refuses-stale"])
        assert verdict(b"max-age=60", why, wished=b"no-cache, stale-if-error=60").allowed


class TestDisconnected:
    def test_a_stale_response_is_served_up_to_the_limit_of_the_policy(self) -> None:
        found = verdict(b"max-age=60", Why.UNREACHED, 100)
        assert (found.allowed, slugs(found), found.until) == (True, ["disconnected"], 100)
        found = verdict(b"max-age=60", Why.UNREACHED, 101)
        assert (found.allowed, slugs(found), found.until) == (False, ["past-stale-limit"], 100)

    def test_stale_if_error_takes_the_place_of_that_limit(self) -> None:
        assert verdict(b"stale-if-error=1000", Why.UNREACHED, 1000).allowed
        assert not verdict(b"stale-if-error=10", Why.UNREACHED, 11).allowed

    @pytest.mark.parametrize("wished", [b"no-cache", b"max-age=600", b"min-fresh=0"])
    def test_not_where_the_request_wants_no_stale_response(self, wished: bytes) -> None:
        found = verdict(b"max-age=60", Why.UNREACHED, wished=wished)
        assert (found.allowed, slugs(found)) == (False, ["request-refuses-stale"])

    def test_the_request_can_limit_it_by_max_stale(self) -> None:
        assert verdict(b"max-age=60", Why.UNREACHED, wished=b"max-age=0, max-stale=30").allowed
        assert slugs(verdict(b"max-age=60", Why.UNREACHED, wished=b"max-stale=5")) == ["past-max-stale"]


class TestRequested:
    def test_up_to_the_seconds_that_the_request_accepts(self) -> None:
        assert verdict(b"max-age=60", Why.REQUESTED, 30, b"max-stale=30").allowed
        found = verdict(b"max-age=60", Why.REQUESTED, 31, b"max-stale=30")
        assert (found.allowed, slugs(found), found.until) == (False, ["past-max-stale"], 30)

    def test_any_staleness_where_no_value_is_given(self) -> None:
        found = verdict(b"max-age=60", Why.REQUESTED, 1e9, b"max-stale")
        assert (found.allowed, slugs(found), found.until) == (True, ["max-stale"], None)

    @pytest.mark.parametrize(
        "wished", [b"max-stale=x", b"max-stale=60, max-stale", b"max-stale=0, max-stale=90"]
    )
    def test_a_value_that_cannot_be_told_accepts_none(self, wished: bytes) -> None:
        assert not verdict(b"max-age=60", Why.REQUESTED, 1, wished).allowed

    def test_not_without_it(self) -> None:
        assert slugs(verdict(b"stale-while-revalidate=60", Why.REQUESTED)) == ["no-max-stale"]

    @pytest.mark.parametrize("other", [b"no-cache", b"min-fresh=10"])
    def test_what_contradicts_it_outweighs_it(self, other: bytes) -> None:
        assert slugs(verdict(b"", Why.REQUESTED, wished=b"max-stale, " + other)) == ["request-refuses-stale"]

    def test_max_age_does_not_contradict_it(self) -> None:
        assert verdict(b"max-age=60", Why.REQUESTED, wished=b"max-age=600, max-stale").allowed


@pytest.mark.parametrize(
    ("said", "permitted"),
    [
        (b"max-age=60", False),
        (b"stale-if-error=60", True),
        (b"stale-while-revalidate=60", True),
        (b"stale-while-revalidate=0", False),
        (b"stale-if-error=60, must-revalidate", False),
        (b"stale-if-error=60, s-maxage=1", False),
        (b"stale-if-error=60, no-cache", False),
        (b'stale-if-error=60, no-cache="set-cookie"', True),
    ],
)
def test_whether_a_response_expressly_permits_stale_use(said: bytes, permitted: bool) -> None:
    assert stale_use_permitted(parse_cache_control([said])) == permitted


DIRECTIVES = st.lists(
    st.sampled_from(
        [
            b"max-age=60",
            b"max-stale",
            b"max-stale=20",
            b"stale-if-error=40",
            b"stale-while-revalidate=10",
            b"no-cache",
            b"min-fresh=5",
            b"must-revalidate",
            b"stale-if-error=x",
        ]
    ),
    max_size=4,
).map(b", ".join)


@given(DIRECTIVES, DIRECTIVES, st.sampled_from(Why), st.floats(0, 200), st.floats(0, 200))
def test_what_is_refused_is_not_permitted_when_it_is_staler(
    said: bytes, wished: bytes, why: Why, staleness: float, more: float
) -> None:
    found, later = verdict(said, why, staleness, wished), verdict(said, why, staleness + more, wished)
    assert found.allowed or not later.allowed
    assert found.reasons
    if found.allowed and found.until is not None:
        assert verdict(said, why, found.until, wished).allowed
        assert not verdict(said, why, found.until + 0.1, wished).allowed
