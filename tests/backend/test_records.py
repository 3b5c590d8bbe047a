"""The shop's records, wherever they are: versions, keys, and bounds."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3

import pytest
import valkey

from backend.problems import Problem
from backend.records.contract import CART_LIFETIME, LEASE, PAGE, Once, as_cart, as_order
from backend.records.listing import write_orders
from backend.records.local import SWEEP_EVERY, LocalRecords
from backend.records.opening import CannotOpen, move_in, open_records
from backend.records.shared import SharedRecords
from backend.shop import EMPTY, Bill, Cart, Item, Line, Order
from backend.valkeys import LoopLine, ThreadLine, at_once

CART = Cart((Line("P0003", 2), Line("P0001", 1)))
BILL = Bill((Item("P0003", "Käse & Brot", 2, 250),), 500, 490)
ONCE = Once("k", "f")


@pytest.fixture(params=["memory", "file", "Valkey"])
async def records(request, tmp_path):
    if request.param == "Valkey":
        opened = SharedRecords(LoopLine(request.getfixturevalue("store")))
    else:
        opened = LocalRecords(":memory:" if request.param == "memory" else str(tmp_path / "r"))
    yield opened
    await opened.close()


@pytest.fixture
async def local():
    opened = LocalRecords()
    yield opened
    await opened.close()


def an_order(name, account="ann", placed=0):
    return Order(name, account, "12 Harbour Row", placed, BILL, "for you")


async def names(records, account="ann", page=1):
    orders, more = await records.orders(account, page)
    return [order.id for order in orders], more


async def test_a_cart_is_found_as_it_was_stored(records):
    stored = await records.new_cart("c", CART, 0)
    assert await records.cart("c", 0) == stored
    assert stored.cart == CART
    assert await records.cart("other", 0) is None
    assert await records.cart("\ud800", 0) is None


async def test_only_the_version_that_was_seen_is_changed(records):
    first = await records.new_cart("c", EMPTY, 0)
    second = await records.change_cart(first, CART, 0)
    assert second.version == first.version + 1
    assert await records.change_cart(first, EMPTY, 0) is None
    assert not await records.drop_cart(first)
    assert await records.drop_cart(second)
    assert await records.cart("c", 0) is None
    assert await records.change_cart(second, EMPTY, 0) is None


async def test_an_order_is_found_by_its_own_customer_only(records):
    placed = await records.place(an_order("o"))
    assert await records.order("o", "ann") == placed == an_order("o")
    assert await records.order("o", "ben") is None
    assert await records.order("other", "ann") is None


async def test_orders_are_listed_newest_first_in_pages(records):
    for number in range(PAGE + 3):
        await records.place(an_order(str(number)))
    await records.place(an_order("other", "ben"))
    newest = [str(number) for number in reversed(range(PAGE + 3))]
    assert await names(records) == (newest[:PAGE], True)
    assert await names(records, page=2) == (newest[PAGE:], False)
    assert await names(records, page=3) == ([], False)
    assert await names(records, "nobody") == ([], False)
    every = [order.id for order in await records.every_order(0, 1_000)]
    assert every == [*reversed(newest), "other"]
    assert [order.id for order in await records.every_order(PAGE, 2)] == every[PAGE : PAGE + 2]


async def test_placing_empties_the_cart_in_the_same_step(records):
    stored = await records.new_cart("c", CART, 0)
    await records.place(an_order("o"), emptied=stored)
    emptied = await records.cart("c", 0)
    assert (emptied.cart, emptied.version) == (EMPTY, stored.version + 1)
    with pytest.raises(Problem, match="cart-changed"):
        await records.place(an_order("p"), emptied=stored)
    assert await records.order("p", "ann") is None
    assert await records.change_cart(emptied, CART, 0)


async def test_a_key_stands_for_one_order(records):
    one = await records.place(an_order("o"), once=ONCE)
    assert await records.place(an_order("p"), once=ONCE) == one
    with pytest.raises(Problem, match="idempotency-key-reused"):
        await records.place(an_order("p"), once=Once("k", "g"))
    assert await names(records) == (["o"], False)


async def test_a_key_stands_for_one_cart_or_one_change(records):
    made = await records.new_cart("c", CART, 0, Once("made", "f"))
    assert await records.new_cart("d", EMPTY, 0, Once("made", "f")) == made
    assert await records.cart("d", 0) is None
    changed = await records.change_cart(made, EMPTY, 0, ONCE)
    assert await records.change_cart(changed, CART, 0, ONCE) == changed
    assert (await records.cart("c", 0)).cart == EMPTY
    with pytest.raises(Problem, match="idempotency-key-reused"):
        await records.change_cart(changed, CART, 0, Once("k", "g"))


async def test_a_change_that_came_too_late_leaves_its_key_free(records):
    made = await records.new_cart("c", CART, 0)
    later = await records.change_cart(made, EMPTY, 0)
    assert await records.change_cart(made, CART, 0, ONCE) is None
    assert (await records.change_cart(later, CART, 0, ONCE)).cart == CART


async def test_what_has_begun_keeps_others_waiting_until_it_ends(records):
    assert await records.begin(ONCE, 0) is None
    with pytest.raises(Problem, match="idempotency-in-progress") as caught:
        await records.begin(ONCE, 0)
    assert dict(caught.value.headers)["Retry-After"] == "1"
    with pytest.raises(Problem, match="idempotency-key-reused"):
        await records.begin(Once("k", "g"), 0)
    order = await records.place(an_order("o"), once=ONCE)
    assert as_order(await records.begin(ONCE, 0)) == order
    await records.give_up(ONCE)
    assert as_order(await records.begin(ONCE, 0)) == order, "what has ended can't be given up"


async def test_what_is_given_up_may_begin_again(records):
    await records.begin(ONCE, 0)
    await records.give_up(ONCE)
    assert await records.begin(Once("k", "g"), 0) is None
    made = await records.new_cart("c", CART, 0, Once("k", "g"))
    assert as_cart(await records.begin(Once("k", "g"), 0)) == made


async def test_a_change_that_is_sent_twice_at_once_happens_once(records):
    orders = (records.place(an_order(str(number)), once=ONCE) for number in range(10))
    assert len({order.id for order in await asyncio.gather(*orders)}) == 1
    assert len((await names(records))[0]) == 1


async def test_records_know_whose_they_are(records):
    await move_in(records, "1/200")
    await move_in(records, "1/200")
    with pytest.raises(CannotOpen, match="another shop, with seed/products 1/200 and not 2/200"):
        await move_in(records, "2/200")


class TestLeases:
    """Whoever began and was killed keeps others waiting for LEASE, no longer."""

    async def test_by_the_callers_clock(self, local):
        await local.begin(ONCE, 0)
        assert await local.begin(ONCE, LEASE) is None

    async def test_by_the_stores_clock(self, store):
        records = SharedRecords(LoopLine(store))
        await records.begin(ONCE, 0)
        with valkey.Valkey.from_url(store) as client:
            assert 0 < client.pttl("shop:key:k") <= LEASE * 1_000
            client.delete("shop:key:k")
        assert await records.begin(ONCE, 0) is None
        await records.place(an_order("o"), once=ONCE)
        with valkey.Valkey.from_url(store) as client:
            assert client.pttl("shop:key:k") == -1, "an order's key lasts as long as the order"
        await records.close()

    async def test_who_comes_back_after_it_has_ended_does_nothing_twice(self, local):
        await local.begin(ONCE, 0)
        await local.begin(ONCE, LEASE)
        one = await local.place(an_order("o"), once=ONCE)
        assert await local.place(an_order("p"), once=ONCE) == one


async def test_an_order_that_the_connection_sends_again_is_placed_once(store):
    records = SharedRecords(LoopLine(store))
    for _ in range(2):
        assert await records.place(an_order("o")) == an_order("o")
    assert await names(records) == (["o"], False)
    await records.close()


async def test_two_processes_share_a_file(tmp_path):
    one, other = LocalRecords(str(tmp_path / "r")), LocalRecords(str(tmp_path / "r"))
    stored = await one.new_cart("c", EMPTY, 0)
    assert await other.change_cart(stored, CART, 0)
    assert await one.change_cart(stored, EMPTY, 0) is None
    assert (await one.cart("c", 0)).cart == CART
    await one.close()
    await other.close()


async def test_a_file_that_others_have_locked_is_a_store_that_is_away(tmp_path):
    records = LocalRecords(str(tmp_path / "r"))
    records._db.execute("PRAGMA busy_timeout=1")
    blocker = sqlite3.connect(tmp_path / "r")
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Problem, match="store-unavailable"):
        await records.place(an_order("o"))
    blocker.close()
    await records.place(an_order("o"))
    await records.close()


class FailsOnce:
    """A connection whose first COMMIT fails, as where the disk does."""

    def __init__(self, connection):
        self._connection = connection
        self._failed = False

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, statement, *values):
        if statement == "COMMIT" and not self._failed:
            self._failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *values)


async def test_a_step_that_could_not_be_ended_holds_up_no_other(local):
    local._db = FailsOnce(local._db)
    with pytest.raises(Problem, match="store-unavailable"):
        await local.new_cart("a", CART, 1)
    assert await local.cart("a", 1) is None
    await local.new_cart("b", CART, 1)
    assert (await local.cart("b", 1)).cart == CART


async def test_carts_orders_and_keys_are_bounded():
    small = LocalRecords(limit=50)
    for number in range(3 * SWEEP_EVERY):
        await small.new_cart(f"c{number}", CART, number, Once(f"c{number}", ""))
        await small.place(an_order(f"o{number}"), once=Once(f"o{number}", ""))
    last = 3 * SWEEP_EVERY - 1
    kept = [number for number in range(last + 1) if await small.cart(f"c{number}", 0)]
    assert last in kept
    assert len(kept) <= 50 + SWEEP_EVERY
    assert await small.order("o0", "ann") is None
    assert await small.begin(Once("o0", ""), 0) is None
    assert await small.begin(Once("c0", ""), 0) is None
    assert await small.order(f"o{last}", "ann")
    assert await small.begin(Once(f"o{last}", ""), 0)
    carts, orders = await small.held()
    assert carts <= 50 + SWEEP_EVERY
    assert orders <= 50 + SWEEP_EVERY
    await small.close()


async def test_a_cart_left_alone_is_forgotten(local):
    await local.new_cart("c", CART, 0)
    assert await local.cart("c", CART_LIFETIME - 1)
    assert await local.cart("c", CART_LIFETIME) is None


async def test_the_store_forgets_a_cart_left_alone(store):
    records = SharedRecords(LoopLine(store))
    await records.change_cart(await records.new_cart("c", CART, 0), EMPTY, 0)
    with valkey.Valkey.from_url(store) as client:
        assert CART_LIFETIME - 60 < client.ttl("shop:cart:c") <= CART_LIFETIME
    await records.close()


def test_what_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Nothing that SQLite wrote, and long enough to tell." * 50)
    with pytest.raises(CannotOpen, match="can't keep records in"):
        open_records(str(path), 10)


async def test_a_store_that_is_not_there(tmp_path):
    records = open_records(f"unix://{tmp_path}/none.sock", 10)
    with pytest.raises(CannotOpen, match="can't keep records in unix://"):
        await move_in(records, "1/200")
    with pytest.raises(Problem, match="store-unavailable"):
        await records.cart("c", 0)
    await records.close()


def test_threads_ask_in_the_same_words(store):
    records = SharedRecords(ThreadLine(store))
    at_once(records.place(an_order("o"), once=ONCE))
    assert at_once(records.order("o", "ann")) == an_order("o")
    at_once(records.close())


def test_what_waits_can_not_be_had_at_once():
    with pytest.raises(RuntimeError, match="waited"):
        at_once(asyncio.sleep(0))


async def test_all_orders_can_be_written_down(store):
    records = SharedRecords(LoopLine(store))
    for number in range(3):
        await records.place(an_order(f"o{number}"))
    await records.close()
    out = io.StringIO()
    await write_orders(store, out)
    written = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(each["id"], each["account"], each["reference"]) for each in written] == [
        (f"o{number}", "ann", "for you") for number in range(3)
    ]
