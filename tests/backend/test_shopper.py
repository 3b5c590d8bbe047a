"""One shopper, three styles: whoever only follows links and takes actions can't tell the styles apart."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from backend.catalogue import Catalogue

PLENTY = Catalogue(1, 200)
SOLD_OUT = next(product for product in PLENTY.products if not product.stock)
SCARCE = min((product for product in PLENTY.products if product.stock), key=lambda product: product.stock)


def amount(cents):
    return {"amount": f"{cents / 100:.2f}", "currency": "EUR"}


async def test_the_entrance_says_which_style_this_is_and_where_to_go(shop, shopper):
    entrance = await shopper.get("/")
    assert entrance["style"] == shop.style
    assert {"catalogue", "cart", "account", "about"} <= set(entrance["links"])
    about = await shopper.get(entrance["links"]["about"]["href"])
    assert len(about["about"]) > 400
    assert {each["style"] for each in about["styles"]} == {"sessions", "resources", "tokens"}


async def test_the_whole_catalogue_can_be_paged_through(shopper):
    page = await shopper.get((await shopper.get("/"))["links"]["catalogue"]["href"])
    seen = [product["sku"] for product in page["products"]]
    while "next" in page["links"]:
        page = await shopper.get(page["links"]["next"]["href"])
        seen += [product["sku"] for product in page["products"]]
    assert seen == [product.sku for product in PLENTY.products]


async def test_categories_together_hold_every_product_once(shopper):
    categories = (await shopper.get("/"))["categories"]
    totals = [(await shopper.get(each["href"]))["total"] for each in categories]
    assert totals == [each["count"] for each in categories]
    assert sum(totals) == 200


async def test_searching_finds_what_has_all_the_words(shopper):
    search = (await shopper.get("/"))["actions"]["search"]
    found = (await shopper.perform(search, q="cobalt lant")).document
    assert found["products"]
    assert all("Cobalt" in each["name"] and "Lantern" in each["name"] for each in found["products"])
    assert (await shopper.perform(search, q="no such thing")).document["products"] == []


async def test_a_product_has_a_picture_and_its_offer_agrees_with_it(shopper):
    product = await shopper.product("P0007")
    offer = await shopper.get(product["links"]["offer"]["href"])
    assert (offer["price"], offer["stock"]) == (product["price"], product["stock"])
    picture = await shopper.send("GET", product["picture"])
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert ET.fromstring(picture.body).findtext("{http://www.w3.org/2000/svg}title") == product["name"]


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
    placed = await shopper.place_order()
    assert placed.status == 201
    order = await shopper.get(placed.headers["Location"])
    assert [(item["sku"], item["quantity"]) for item in order["items"]] == [("P0003", 2), ("P0004", 1)]
    assert (order["total"], order["placed"]) == (total, "2026-01-01T00:00:00Z")
    assert [each["href"] for each in await shopper.orders()] == [placed.headers["Location"]]
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


async def test_a_cart_has_at_most_99_of_each_of_100_products(shopper):
    sold = [product for product in PLENTY.products if product.stock >= 99]
    await shopper.add(sold[0].sku, 99)
    assert (await shopper.add(sold[0].sku, 1)).problem == "cart-full"
    for product in [product for product in PLENTY.products if product.stock and product is not sold[0]][:99]:
        assert (await shopper.add(product.sku)).status == 200
    spare = next(product for product in reversed(PLENTY.products) if product.stock)
    assert (await shopper.add(spare.sku)).problem == "cart-full"
    assert len(await shopper.quantities()) == 100


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param({"json": {"sku": "P0003", "quantity": 0}}, "invalid-fields", id="none"),
        pytest.param({"json": {"sku": "P0003", "quantity": -1}}, "invalid-fields", id="negative"),
        pytest.param({"json": {"sku": "P0003", "quantity": 10**30}}, "invalid-fields", id="astronomical"),
        pytest.param({"json": {"sku": "P0003", "quantity": 1.5}}, "invalid-fields", id="fraction"),
        pytest.param({"json": {"sku": "P0003", "quantity": True}}, "invalid-fields", id="boolean"),
        pytest.param({"json": {"sku": "P0003", "quantity": "2"}}, "invalid-fields", id="string"),
        pytest.param({"json": {"sku": "P0003", "quantity": None}}, "invalid-fields", id="null"),
        pytest.param({"json": {"sku": ["P0003"]}}, "invalid-fields", id="list for text"),
        pytest.param({"json": {"quantity": 1}}, "invalid-fields", id="no product"),
        pytest.param({"json": {"sku": "P0003", "price": 1}}, "invalid-fields", id="unknown field"),
        pytest.param({"json": ["P0003"]}, "invalid-fields", id="list"),
        pytest.param({"json": {"sku": "P9999"}}, "unknown-product", id="unknown product"),
        pytest.param({"data": b'{"sku": "P0003"'}, "malformed-body", id="cut short"),
        pytest.param({"data": b'{"sku": "\xff"}'}, "malformed-body", id="not UTF-8"),
        pytest.param({"data": b'{"sku": "\\ud800"}'}, "malformed-body", id="half a surrogate pair"),
        pytest.param({"data": b"[" * 60_000}, "malformed-body", id="deeply nested"),
        pytest.param({"data": b'{"sku": "P0003"}'.ljust(70_000)}, "too-large", id="huge"),
        pytest.param(
            {"data": b"P0003", "headers": {"Content-Type": "text/plain"}}, "unsupported-media-type", id="text"
        ),
        pytest.param(
            {"data": b"sku=%FF", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            "malformed-body",
            id="form that isn't UTF-8",
        ),
        pytest.param(
            {
                "data": b"sku=P0003&quantity=many",
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            "invalid-fields",
            id="form with words for numbers",
        ),
        pytest.param(
            {
                "data": b"not gzip",
                "headers": {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            },
            "unsupported-media-type",
            id="compressed",
        ),
    ],
)
async def test_bad_input_is_a_clear_problem_and_changes_nothing(shopper, content, problem):
    await shopper.add("P0004")
    href = (await shopper.cart())["actions"]["add-item"]["href"]
    content = dict(content)
    headers = content.pop("headers", {"Content-Type": "application/json"} if "data" in content else {})
    answer = await shopper.send("POST", href, headers, **content)
    assert answer.problem == problem, answer.body
    assert 400 <= answer.status < 500
    assert await shopper.quantities() == {"P0004": 1}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/products/P9999", 404),
        ("/products/%00", 404),
        ("/products/%FF", 404),
        ("/products/..%2F..%2Fetc", 404),
        ("/pictures/P0001.0000000000.svg", 404),
        ("/catalogue?category=cheese", 404),
        ("/catalogue?page=10", 404),
        ("/catalogue?page=0", 400),
        ("/catalogue?page=two", 400),
        ("/catalogue?page=%D9%A3", 400),
        ("/catalogue?page=" + "9" * 5_000, 400),
        ("/search?q=" + "x" * 200, 400),
        ("/search?q=%FF%00", 200),
    ],
)
async def test_odd_urls_are_answered_with_a_clear_problem(shopper, path, status):
    answer = await shopper.send("GET", path)
    assert answer.status == status
    assert bool(answer.problem) is (status != 200)


async def test_a_method_that_a_resource_does_not_have(shopper):
    answer = await shopper.send("DELETE", "/catalogue")
    assert (answer.problem, answer.headers["Allow"]) == ("method-not-allowed", "GET,HEAD")


async def test_a_change_from_another_site_is_refused(shopper):
    await shopper.add("P0004")
    href = (await shopper.cart())["actions"]["add-item"]["href"]
    answer = await shopper.send("POST", href, {"Sec-Fetch-Site": "cross-site"}, json={"sku": "P0003"})
    assert answer.problem == "cross-site"
    assert await shopper.quantities() == {"P0004": 1}


async def test_head_says_what_get_would(shop):
    get, head = await shop.get("/products/P0001"), await shop.ask("HEAD", "/products/P0001")
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Cache-Control", "ETag", "Vary"):
        assert head.headers.get(name) == get.headers.get(name)


async def test_pictures_the_stylesheet_and_offers_are_for_everybody_in_every_style(shop):
    page = await shop.get("/products/P0001", Accept="text/html")
    stylesheet = page.body.decode().partition('rel="stylesheet" href="')[2].partition('"')[0]
    picture = (await shop.get("/products/P0001")).document["picture"]
    for path in (stylesheet, picture, "/products/P0001/offer", "/icon.svg"):
        answer = await shop.get(path)
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        assert "Vary" not in answer.headers
        assert not answer.cookies
        assert (await shop.get(path, If_None_Match=answer.headers["ETag"])).status == 304


async def test_the_data_are_the_same_whichever_the_style(shop):
    product = (await shop.get("/products/P0042")).document
    expected = PLENTY.product("P0042")
    assert product["name"] == expected.name
    assert product["price"] == amount(expected.price)
    assert product["description"] == expected.description
