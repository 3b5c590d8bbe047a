"""The account of a run balances, and says where it doesn't."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.commands.comparing.state.shopping.account import Account, Timeline

REFERENCES = st.lists(st.sampled_from([f"order-{number}" for number in range(6)]), max_size=8)


def test_an_empty_account_balances() -> None:
    assert Account().faults() == []


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ({"sent": 3, "answered": 2}, "requests sent"),
        ({"sent": 1, "failed": 1, "failures": {"status 502": 1}}, "retried and given up"),
        ({"sent": 1, "failed": 1, "retried": 1}, "failures by kind"),
        ({"begun": 2, "lost": 1}, "carts begun"),
        ({"acknowledged": 1}, "orders acknowledged"),
        ({"listed": 1}, "orders listed"),
        ({"strange": 1, "listed": 0}, "that nobody placed"),
        ({"refused": 1, "refusals": {"idempotency-key-weak": 1}}, "idempotency-key-weak"),
    ],
)
def test_what_got_out_of_sight_is_said(counted: dict[str, int], said: str) -> None:
    assert any(said in fault for fault in Account(**counted).faults())


def test_a_refusal_that_may_befall_a_shopper_is_no_fault() -> None:
    assert Account(refused=2, refusals={"session-unknown": 2}).faults() == []


@settings(max_examples=200)
@given(
    acknowledged=st.sets(st.sampled_from("abcdef")),
    unsure=st.sets(st.sampled_from("ghij")),
    listed=REFERENCES,
)
def test_orders_always_balance_whatever_the_shop_lists(
    acknowledged: set[str], unsure: set[str], listed: list[str]
) -> None:
    names = {f"order-{number}": letter for number, letter in enumerate("abcghx")}
    shown = [names[one] for one in listed]
    account = Account()
    account.reconcile(sorted(acknowledged), unsure, shown)
    strange = sum(count for one, count in Counter(shown).items() if one not in acknowledged | unsure)
    assert account.strange == strange
    assert account.found + account.lost_orders == len(acknowledged)
    assert account.listed - strange == account.found + account.doubled + account.unacknowledged
    assert bool(account.faults()) == bool(strange)


def test_orders_are_told_apart() -> None:
    account = Account()
    account.reconcile(["a", "b", "c"], ["d"], ["a", "b", "b", "d"])
    assert (account.found, account.lost_orders, account.doubled, account.unacknowledged) == (2, 1, 1, 1)
    assert account.faults() == []


def test_orders_that_nobody_can_list_are_neither_lost_nor_found() -> None:
    account = Account()
    account.reconcile(["a"], [], None)
    assert (account.unlisted, account.lost_orders, account.found) == (1, 0, 0)
    assert account.faults() == []


def test_a_timeline_counts_by_the_quarter_of_a_second() -> None:
    timeline = Timeline(began=100.0)
    timeline.note(100.1, failed=False)
    timeline.note(100.2, failed=False)
    timeline.note(101.0, failed=True)
    assert timeline.answered == [2, 0, 0, 0, 0]
    assert timeline.failed == [0, 0, 0, 0, 1]
    assert timeline.disturbed == [1.0]


def test_whole_again_is_when_the_last_disturbance_was() -> None:
    timeline = Timeline(began=0.0, disturbed=[0.5, 2.0, 3.5])
    assert timeline.whole_after(1.5) == 2.0
    assert timeline.whole_after(4.0) == 0.0
