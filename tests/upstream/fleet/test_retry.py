"""Whether another server may be asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.upstream.fleet.repeating import Repeatable, by_method
from proxy.upstream.fleet.retry import Budget, Failed, deposited, refilled, verdict, withdrawn

SAFE = Repeatable(True, "GET is idempotent")


def asked(
    failed: Failed, said: Repeatable = SAFE, tried: int = 1, others: int = 2, affordable: bool = True
) -> tuple[bool, str]:
    return verdict(failed, said, tried=tried, tries=3, others=others, affordable=affordable)


def saying(method: bytes) -> Repeatable:
    return by_method(Request(method, b"/", Fields([])))


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"])
def test_idempotent_requests_may_be_sent_again(method: bytes) -> None:
    assert asked(Failed(sent=True, read=False), saying(method)) == (
        True,
        f"tried elsewhere: {method.decode()} is idempotent",
    )


@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"CONJURE"])
def test_others_only_where_nothing_was_sent(method: bytes) -> None:
    again, why = asked(Failed(sent=True, read=False), saying(method))
    assert not again
    assert "may have been acted upon" in why
    assert asked(Failed(sent=False, read=False), saying(method)) == (
        True,
        "tried elsewhere: nothing had been sent",
    )


def test_what_was_read_cannot_be_sent_again() -> None:
    assert not asked(Failed(sent=True, read=True))[0]
    assert not asked(Failed(sent=False, read=True), saying(b"POST"))[0]


def test_a_doubt_about_what_it_means_elsewhere_is_told() -> None:
    said = Repeatable(True, "GET is idempotent", "what its cookie sid means one server alone may know")
    assert asked(Failed(sent=True, read=False), said) == (
        True,
        "tried elsewhere: GET is idempotent; what its cookie sid means one server alone may know",
    )


def test_there_has_to_be_another_a_try_and_a_budget() -> None:
    failed = Failed(sent=True, read=False)
    assert "no other server" in asked(failed, others=0)[1]
    assert "3 servers were asked" in asked(failed, tried=3)[1]
    assert "too many" in asked(failed, affordable=False)[1]


def test_a_failing_fleet_gets_little_more_than_its_load() -> None:
    budget, retries = Budget(), 0
    for number in range(10_000):  # a thousand requests a second, of which each fails
        budget = refilled(deposited(budget, 0.2), number / 1000)
        left = withdrawn(budget)
        if left is not None:
            budget, retries = left, retries + 1
    assert 1_900 < retries < 2_100


def test_with_few_requests_there_are_retries_all_the_same() -> None:
    budget = Budget(saved=0.0)
    assert withdrawn(budget) is None
    assert withdrawn(refilled(budget, 1.0)) is not None


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 10)), max_size=60))
def test_a_budget_is_never_overdrawn(steps: list[tuple[bool, float]]) -> None:
    budget, now = Budget(), 0.0
    for more, later in steps:
        now += later
        budget = refilled(deposited(budget, 0.2) if more else budget, now)
        budget = withdrawn(budget) or budget
        assert 0.0 <= budget.saved <= 100.0
