"""Figures from what was seen: shares, rates, memory for each shopper, and the book that they are kept in."""

from __future__ import annotations

import pytest

from proxy.commands.comparing.state.book import Book
from proxy.commands.comparing.state.parts.scalability import per_shopper, rate_between, share_of
from proxy.commands.comparing.state.shopping.account import Account, Timeline
from proxy.commands.comparing.state.shopping.outcome import Outcome, Traffic
from proxy.commands.comparing.state.variants import SCALABILITY


def outcome(account: Account, answered: list[int]) -> Outcome:
    timeline = Timeline(began=100.0, answered=answered)
    return Outcome(account=account, timeline=timeline, traffic=Traffic(), seconds=1, median=0, p99=0)


def test_a_new_server_s_share_is_of_what_all_answered_meanwhile() -> None:
    assert share_of("b", {"a": 100}, {"a": 130, "b": 10}) == 0.25
    assert share_of("b", {"a": 100}, {"a": 100}) == 0.0


def test_a_rate_counts_whole_buckets_between_two_moments() -> None:
    found = outcome(Account(), [100, 5, 5, 5, 5, 100])
    assert rate_between(found, 100.0, 101.25) == 20.0
    assert rate_between(found, 200.0, 201.0) == 0.0


def test_memory_for_each_shopper_is_what_was_added() -> None:
    assert per_shopper([(0, 1000), (10, 5000), (100, 51_000)]) == 500
    assert per_shopper([(0, 1000)]) is None


def test_an_account_that_does_not_balance_is_complained_about() -> None:
    book = Book()
    book.keep(
        outcome(Account(sent=2, answered=1), []), part=SCALABILITY, scenario="grow", variant="x", number=1
    )
    assert book.runs[0].faults
    assert "x, grow, round 2: the account doesn't balance" in book.complaints[0]


def test_a_book_knows_the_catalogue_and_keeps_every_sample() -> None:
    book = Book()
    with pytest.raises(KeyError):
        book.put("no such figure", "x", 1)
    for value in (3.0, 1.0, 2.0):
        book.put("throughput", "x", value, 2)
    (figure,) = book.figures()
    assert figure.rows[0].samples == [3.0, 1.0, 2.0]
    assert (figure.rows[0].median, figure.rows[0].low, figure.rows[0].high) == (2.0, 1.0, 3.0)
