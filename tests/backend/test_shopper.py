"""One shopper, every style and variant: who only follows links and takes actions sees no difference."""

from __future__ import annotations

import pytest

from backend.catalogue import Catalogue
from tests.backend.conftest import VARIANTS

PLENTY = Catalogue(1, 200)
SOLD_OUT = next(product for product in PLENTY.products if not product.stock)
SCARCE = min((product for product in PLENTY.products if product.stock), key=lambda product: product.stock)


@pytest.fixture(params=VARIANTS)
async def shop(request, start_shop):
    replicas, settings = VARIANTS[request.param]
    return await start_shop(request.param.partition(",")[0], replicas=replicas, **settings)


def amount(cents):
    return {"amount": f"{cents / 100:.2f}", "currency": "EUR"}


async def test_the_entrance_says_which_style_this_is_and_where_to_go(shop, shopper):
    entrance = await shopper.get("/")
    assert entrance["style"] == shop.style
    assert {"catalogue", "cart", "account", "about"} <= set(entrance["links"])
    about = await shopper.get(entrance["links"]["about"]["href"])
    assert len(about["about"]) > 400
    assert {each["style"] for each in about["styles"]} == {"sessions", "resources", "tokens", "flask"}


async def test_a_cart_begins_empty(shopper):
    assert await shopper.quantities() == {}


async def test_what_is_added_is_in_the_cart_with_its_price(shopper):
    assert (await shopper.add("P0003", 2)).status in (200, 201)
    assert (await shopper.add("P0004")).status == 200
    assert (await shopper.add("P0003", 3)).status == 200
    cart = await shopper.cart()
    bought, other = PLENTY.product("P0003"), PLENTY.product("P0004")
    assert await shopper.quantities() == {"P0003": 5, "P0004": 1}
    assert cart["items"][0]["sum"] == amount(5 * bought.price)
    assert cart["subtotal"] == amount(5 * bought.price + other.price)
    assert cart["count"] == 6


async def test_delivery_is_free_for_a_large_cart(shopper):
    cheap = min(PLENTY.products, key=lambda product: product.price if product.stock else 10**9)
    await shopper.add(cheap.sku)
    assert (await shopper.cart())["delivery"] == amount(490)
    await shopper.add("P0001", 5)
    cart = await shopper.cart()
    assert cart["delivery"] == amount(0)
    assert cart["total"] == cart["subtotal"]


async def test_a_line_can_be_changed_and_removed(shopper):
    await shopper.add("P0003", 2)
    await shopper.add("P0004")
    line = await shopper.line("P0003")
    assert (await shopper.perform(line["actions"]["change"], quantity=7)).status == 200
    assert await shopper.quantities() == {"P0003": 7, "P0004": 1}
    line = await shopper.line("P0003")
    assert (await shopper.perform(line["actions"]["remove"])).status in (200, 204)
    assert await shopper.quantities() == {"P0004": 1}


async def test_two_shoppers_have_two_carts(shop, visit):
    one, other = await visit(shop), await visit(shop)
    await one.add("P0003", 2)
    await other.add("P0004", 9)
    assert await one.quantities() == {"P0003": 2}
    assert await other.quantities() == {"P0004": 9}


async def test_logging_in_and_out(shopper):
    assert not await shopper.log_in("ann", "not her password")
    assert not await shopper.log_in("nobody", "apple")
    assert await shopper.log_in("ann")
    assert (await shopper.account())["called"] == "Ann"
    await shopper.log_out()
    links = (await shopper.get("/"))["links"]
    assert (await shopper.send("GET", links["account"]["href"])).status in (401, 403)


async def test_the_cart_belongs_to_the_shopper_and_stays_when_they_log_in_and_out(shopper):
    await shopper.add("P0003", 2)
    await shopper.log_in("ben")
    assert await shopper.quantities() == {"P0003": 2}
    await shopper.log_out()
    assert await shopper.quantities() == {"P0003": 2}


async def test_an_order_needs_a_customer(shopper):
    await shopper.add("P0003", 2)
    assert (await shopper.place_order()).status in (401, 403)
    assert await shopper.quantities() == {"P0003": 2}


async def test_an_order_is_placed_viewed_and_listed_and_its_cart_is_empty(shopper):
    await shopper.add("P0003", 2)
    await shopper.add("P0004")
    await shopper.log_in("ann")
    total = (await shopper.cart())["total"]
    placed = await shopper.place_order(reference="for grandmother")
    assert placed.status == 201
    order = await shopper.get(placed.headers["Location"])
    assert (order["id"], order["reference"]) == (placed.document["id"], "for grandmother")
    assert [(item["sku"], item["quantity"]) for item in order["items"]] == [("P0003", 2), ("P0004", 1)]
    assert (order["total"], order["placed"]) == (total, "2026-01-01T00:00:00Z")
    listed = [(each["href"], each["reference"]) for each in await shopper.orders()]
    assert listed == [(placed.headers["Location"], "for grandmother")]
    assert await shopper.quantities() == {}
    assert "place-order" not in (await shopper.cart())["actions"]


async def test_a_customer_orders_again_and_again(shopper):
    await shopper.log_in("ann")
    for sku in ("P0003", "P0004", "P0003"):
        assert (await shopper.add(sku)).status in (200, 201)
        assert (await shopper.place_order()).status == 201
    assert len({each["id"] for each in await shopper.orders()}) == 3


async def test_nobody_sees_the_orders_of_another(shop, visit):
    ann, ben, nobody = await visit(shop), await visit(shop), await visit(shop)
    await ann.log_in("ann")
    await ann.add("P0003")
    location = (await ann.place_order()).headers["Location"]
    await ben.log_in("ben")
    assert (await ben.send("GET", location)).problem == "no-such-order"
    assert await ben.orders() == []
    assert (await nobody.send("GET", location)).status in (401, 403)


async def test_what_is_sold_out_can_not_be_added(shopper):
    product = await shopper.product(SOLD_OUT.sku)
    assert "add-to-cart" not in product["actions"]
    await shopper.add("P0003")
    assert (await shopper.add(SOLD_OUT.sku)).problem == "not-enough-stock"


async def test_no_more_can_be_added_than_there_are(shopper):
    assert (await shopper.add(SCARCE.sku, SCARCE.stock)).status in (200, 201)
    answer = await shopper.add(SCARCE.sku, 1)
    assert (answer.status, answer.problem, answer.document["available"]) == (
        409,
        "not-enough-stock",
        SCARCE.stock,
    )
    assert await shopper.quantities() == {SCARCE.sku: SCARCE.stock}
