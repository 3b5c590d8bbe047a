"""The shop's records: versions, keys, and bounds."""

from __future__ import annotations

import sqlite3

import pytest

from backend.problems import Problem
from backend.records import CART_LIFETIME, SWEEP_EVERY, Records
from backend.shop import EMPTY, Bill, Cart, Item, Line, Order

CART = Cart((Line("P0003", 2), Line("P0001", 1)))
BILL = Bill((Item("P0003", "Käse & Brot", 2, 250),), 500, 490)


@pytest.fixture
def records():
    opened = Records()
    yield opened
    opened.close()


def an_order(name, account="ann", placed=0):
    return Order(name, account, "12 Harbour Row", placed, BILL)


def test_a_cart_is_found_as_it_was_stored(records):
    stored = records.new_cart("c", CART, 0)
    assert records.cart("c", 0) == stored
    assert stored.cart == CART
    assert records.cart("other", 0) is None


def test_only_the_version_that_was_seen_is_changed(records):
    first = records.new_cart("c", EMPTY, 0)
    second = records.change_cart(first, CART, 0)
    assert second.version == first.version + 1
    assert records.change_cart(first, EMPTY, 0) is None
    assert not records.drop_cart(first)
    assert records.drop_cart(second)
    assert records.cart("c", 0) is None


def test_an_order_is_found_by_its_own_customer_only(records):
    placed = records.place(an_order("o"))
    assert records.order("o", "ann") == placed
    assert records.order("o", "ben") is None


def test_orders_are_listed_newest_first(records):
    for name in ("1", "2", "3"):
        records.place(an_order(name))
    records.place(an_order("4", "ben"))
    assert [order.id for order in records.orders("ann")] == ["3", "2", "1"]
    assert [order.id for order in records.orders("ann", most=2)] == ["3", "2"]


def test_placing_empties_the_cart_in_the_same_step(records):
    stored = records.new_cart("c", CART, 0)
    records.place(an_order("o"), emptied=stored)
    assert records.cart("c", 0).cart == EMPTY
    with pytest.raises(Problem, match="cart-changed"):
        records.place(an_order("p"), emptied=stored)
    assert records.order("p", "ann") is None


def test_a_key_stands_for_one_order(records):
    one = records.place(an_order("o"), key="k", fingerprint="f")
    assert records.place(an_order("p"), key="k", fingerprint="f") == one
    with pytest.raises(Problem, match="idempotency-key-reused"):
        records.place(an_order("p"), key="k", fingerprint="g")
    assert [order.id for order in records.orders("ann")] == ["o"]


def test_two_processes_share_a_file(tmp_path):
    one, other = Records(str(tmp_path / "r")), Records(str(tmp_path / "r"))
    stored = one.new_cart("c", EMPTY, 0)
    assert other.change_cart(stored, CART, 0)
    assert one.change_cart(stored, EMPTY, 0) is None
    assert one.cart("c", 0).cart == CART
    one.close()
    other.close()


def test_carts_and_orders_are_bounded(records):
    small = Records(limit=50)
    for number in range(3 * SWEEP_EVERY):
        small.new_cart(f"c{number}", CART, number)
        small.place(an_order(f"o{number}"), key=f"k{number}")
    last = 3 * SWEEP_EVERY - 1
    kept = [number for number in range(last + 1) if small.cart(f"c{number}", 0)]
    assert last in kept
    assert len(kept) <= 50 + SWEEP_EVERY
    assert small.order("o0", "ann") is None
    assert small.earlier("k0", "") is None
    assert small.order(f"o{last}", "ann")
    small.close()


def test_a_cart_left_alone_is_forgotten(records):
    records.new_cart("c", CART, 0)
    assert records.cart("c", CART_LIFETIME - 1)
    assert records.cart("c", CART_LIFETIME) is None


def test_what_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Nothing that SQLite wrote, and long enough to tell." * 50)
    with pytest.raises(sqlite3.Error):
        Records(str(path))
