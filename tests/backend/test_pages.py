"""What is the same in every style: the pages that aren't about anybody, and answers to bad requests."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from backend.catalogue import Catalogue

PLENTY = Catalogue(1, 200)


def amount(cents):
    return {"amount": f"{cents / 100:.2f}", "currency": "EUR"}


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
    assert answer.problem == "method-not-allowed"
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}


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
