"""A stored response that was made stale: what it is then, and how it becomes fresh again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.ageing import Ageing
from proxy.caching.policy import Policy
from proxy.caching.reuse import Course, Plan, decide
from proxy.caching.stored import StoredResponse
from proxy.caching.updating import freshened
from proxy.caching.usefulness import useful_until
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000.0
ASKED = Request(b"GET", b"/", authority=b"example.org")


def stored(said: bytes = b"max-age=60", *lines: tuple[bytes, bytes]) -> StoredResponse:
    fields = Fields([(b"Date", format_date(NOON)), (b"Cache-Control", said), *lines])
    return StoredResponse(ASKED, Response(200, fields), NOON, NOON, 10, complete_length=10)


TAG = (b"ETag", b'"a"')


def plan(held: StoredResponse, after: float, said: bytes = b"") -> Plan:
    request = Request(
        b"GET", b"/", Fields([(b"Cache-Control", said)] if said else []), authority=b"example.org"
    )
    return decide(request, [held], NOON + after, Policy())


def slugs(found: Plan) -> list[str]:
    return [because.reason.slug for because in found.reasons]


def test_it_is_what_it_was_until_then() -> None:
    found = plan(stored().softened(NOON + 20), 10)
    assert (found.course, found.ttl) == (Course.REUSE, 10)
    assert slugs(found) == ["fresh", "made-stale", "max-age"]
    assert found.until == pytest.approx(NOON + 20, abs=0.01)


def test_from_then_on_it_is_validated() -> None:
    found = plan(stored(b"max-age=60", TAG).softened(NOON + 20), 25)
    assert (found.course, found.forward, found.ttl) == (Course.VALIDATE, "stale", -5)
    assert slugs(found) == ["stale", "no-stale-while-revalidate", "no-max-stale", "made-stale", "max-age"]
    assert [one.evidence for one in found.reasons if one.reason.slug == "made-stale"] == [
        format_date(NOON + 20).decode()
    ]


def test_at_that_very_moment_it_is_stale() -> None:
    assert plan(stored().softened(NOON + 20), 20).course is Course.FORWARD


def test_what_permits_to_serve_it_stale_counts_from_then_on() -> None:
    held = stored(b"max-age=60, stale-while-revalidate=30").softened(NOON + 20)
    serving = plan(held, 49)
    assert (serving.course, serving.background) == (Course.REUSE_STALE, True)
    assert serving.until == pytest.approx(NOON + 50, abs=0.01)
    assert plan(held, 51).course is Course.FORWARD


def test_a_request_may_accept_it() -> None:
    held = stored().softened(NOON + 20)
    assert plan(held, 25, b"max-stale=10").course is Course.REUSE_STALE
    assert plan(held, 31, b"max-stale=10").course is Course.FORWARD


def test_what_the_origin_forbids_when_stale_stays_forbidden() -> None:
    held = stored(b"s-maxage=60, stale-while-revalidate=30").softened(NOON + 20)
    assert "s-maxage-when-stale" in slugs(plan(held, 25))


def test_immutable_is_no_longer_so() -> None:
    held = stored(b"max-age=60, immutable").softened(NOON + 20)
    assert plan(held, 10, b"max-age=0").course is Course.REUSE
    assert plan(held, 25, b"max-age=0").course is Course.FORWARD


def test_what_was_stale_already_says_nothing_of_it() -> None:
    assert "made-stale" not in slugs(plan(stored().softened(NOON + 70), 80))


def test_what_was_asked_for_later_is_not_touched() -> None:
    held = stored()
    assert held.softened(NOON - 1) is held
    assert held.softened(NOON).stale_from == NOON


@given(st.lists(st.floats(NOON - 5, NOON + 100), min_size=1))
def test_law_the_first_moment_counts_in_whatever_order(moments: list[float]) -> None:
    held = stored()
    for moment in moments:
        held = held.softened(moment)
    counting = [moment for moment in moments if moment >= NOON]
    assert held.stale_from == (min(counting) if counting else None)


@given(st.floats(0, 100), st.floats(0, 200))
def test_law_fresh_before_and_stale_after(made: float, after: float) -> None:
    fresh = plan(stored().softened(NOON + made), after).course is Course.REUSE
    now, from_then = NOON + after, NOON + made
    assert fresh is (now < min(from_then, NOON + 60))


@given(st.floats(0, 100), st.floats(0, 200))
def test_law_age_and_ttl_are_foretold(made: float, after: float) -> None:
    held = stored().softened(NOON + made)
    age, ttl = Ageing.of(held, Policy()).at(NOON + after)
    assert (age, ttl) == (math.floor(NOON + after - NOON), plan(held, after).ttl)


def validated(held: StoredResponse, asked_at: float) -> StoredResponse | None:
    response = Response(304, Fields([(b"Date", format_date(asked_at)), TAG]))
    return freshened(held, ASKED, response, (asked_at, asked_at + 1), Policy()).kept


def test_a_validation_makes_it_fresh_again() -> None:
    kept = validated(stored(b"max-age=60", TAG).softened(NOON + 20), NOON + 25)
    assert kept is not None
    assert kept.stale_from is None
    assert plan(kept, 30).course is Course.REUSE


def test_a_validation_that_was_asked_for_before_does_not() -> None:
    kept = validated(stored(b"max-age=60", TAG).softened(NOON + 20), NOON + 19.5)
    assert kept is not None
    assert kept.stale_from == NOON + 20
    assert plan(kept, 30).course is Course.VALIDATE


def test_its_usefulness_ends_earlier_too() -> None:
    policy = Policy(stale_limit=100)
    assert useful_until(stored(), policy) == NOON + 160
    assert useful_until(stored().softened(NOON + 20), policy) == NOON + 120
