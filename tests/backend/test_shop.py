"""The shop's own rules: what fits in a cart and what it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import shop
from backend.catalogue import Catalogue
from backend.problems import Problem
from backend.shop import EMPTY, FREE_FROM, MOST_LINES, MOST_PIECES, Cart, Item, Line, money

SOME = Catalogue(1, 150)
PLENTY = replace(SOME.products[0], stock=1_000)
OTHER = replace(SOME.products[1], stock=1_000)


def test_adding_adds_up_and_keeps_the_order_of_choosing():
    cart = shop.add(shop.add(shop.add(EMPTY, PLENTY, 2), OTHER, 1), PLENTY, 3)
    assert cart == Cart((Line(PLENTY.sku, 5), Line(OTHER.sku, 1)))
    assert cart.count == 6


def test_changing_to_none_removes_the_line():
    cart = shop.add(shop.add(EMPTY, PLENTY, 2), OTHER, 1)
    assert shop.change(cart, PLENTY, 0) == Cart((Line(OTHER.sku, 1),))
    assert shop.change(EMPTY, PLENTY, 0) == EMPTY


@pytest.mark.parametrize(
    ("stock", "quantity", "problem"),
    [(0, 1, "not-enough-stock"), (3, 4, "not-enough-stock"), (1_000, MOST_PIECES + 1, "cart-full")],
)
def test_what_does_not_fit(stock, quantity, problem):
    with pytest.raises(Problem, match=problem):
        shop.add(EMPTY, replace(PLENTY, stock=stock), quantity)


def test_a_cart_has_room_for_a_hundred_products():
    cart = EMPTY
    for product in SOME.products[:MOST_LINES]:
        cart = shop.add(cart, replace(product, stock=9), 1)
    with pytest.raises(Problem, match="cart-full"):
        shop.add(cart, replace(SOME.products[MOST_LINES], stock=9), 1)
    assert shop.add(cart, replace(SOME.products[0], stock=9), 1).quantity("P0001") == 2


@pytest.mark.parametrize(("subtotal", "delivery"), [(FREE_FROM - 1, 490), (FREE_FROM, 0), (FREE_FROM + 1, 0)])
def test_delivery_is_free_from_a_certain_sum(subtotal, delivery):
    assert shop.total([Item("P1", "", 1, subtotal)]).delivery == delivery


def test_nothing_costs_nothing():
    assert shop.bill(EMPTY, SOME).total == 0


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 20_000)), max_size=20))
def test_a_bill_adds_up(lines):
    billed = shop.total(Item(f"P{n}", "", quantity, price) for n, (quantity, price) in enumerate(lines))
    assert billed.subtotal == sum(quantity * price for quantity, price in lines)
    assert billed.total == billed.subtotal + billed.delivery


def test_what_is_no_longer_sold_is_left_out_of_the_bill():
    assert shop.bill(Cart((Line("P9999", 2), Line("P0001", 1))), SOME).items == (
        Item("P0001", SOME.products[0].name, 1, SOME.products[0].price),
    )


@pytest.mark.parametrize(
    ("cents", "written"), [(0, "0.00"), (5, "0.05"), (490, "4.90"), (123_456, "1234.56")]
)
def test_money_is_written_with_two_decimals(cents, written):
    assert money(cents) == {"amount": written, "currency": "EUR"}
