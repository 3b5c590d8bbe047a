"""Requests with an Idempotency-Key happen once: `resources` on two replicas that share a store."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.backend.conftest import STORE

ANN = aiohttp.encode_basic_auth("ann", "apple")
KEY = {"Idempotency-Key": '"5c2e1a9e-0f43-4d34-8a55-6e2f1f0a9b11"'}


async def new_cart(shop, **quantities):
    """A cart's URL."""
    url = (await shop.ask("POST", "/carts")).headers["Location"]
    for sku, quantity in quantities.items():
        await shop.ask("POST", f"{url}/items", json={"sku": sku, "quantity": quantity})
    return url


async def quantities(shop, cart):
    return {item["sku"]: item["quantity"] for item in (await shop.get(cart)).document["items"]}


async def order(shop, url, key='"a key"', who=ANN, **fields):
    seen = {"cart": url, "version": (await shop.get(url)).document["version"]}
    headers = {"Authorization": who, **({"Idempotency-Key": key} if key else {})}
    return await shop.ask("POST", "/orders/", headers=headers, json=seen | fields)


@pytest.fixture
async def shop(start_shop):
    return await start_shop("resources", replicas=2, data=STORE)


async def test_a_cart_is_made_once_and_the_answer_is_the_same(shop):
    sku = {"sku": "P0003", "quantity": 2}
    one, other = [await shop.ask("POST", "/carts", headers=KEY, json=sku) for _ in range(2)]
    assert (one.status, other.status) == (201, 201)
    assert (one.headers["Location"], one.body) == (other.headers["Location"], other.body)


async def test_pieces_are_added_once_even_if_the_cart_has_changed_since(shop):
    cart = await new_cart(shop)
    items = f"{cart}/items"
    one = await shop.ask("POST", items, headers=KEY, json={"sku": "P0003"})
    await shop.ask("POST", items, json={"sku": "P0004"})
    other = await shop.ask("POST", items, headers=KEY, json={"sku": "P0003"})
    assert (one.status, one.body) == (other.status, other.body)
    assert await quantities(shop, cart) == {"P0003": 1, "P0004": 1}


async def test_other_content_is_refused(shop):
    cart = await new_cart(shop)
    for path in ("/carts", f"{cart}/items"):
        await shop.ask("POST", path, headers=KEY, json={"sku": "P0003"})
        answer = await shop.ask("POST", path, headers=KEY, json={"sku": "P0004"})
        assert (answer.status, answer.problem) == (422, "idempotency-key-reused")


async def test_a_key_stands_for_a_request_to_one_cart_only(shop):
    one, other = await new_cart(shop), await new_cart(shop)
    for cart in (one, other):
        await shop.ask("POST", f"{cart}/items", headers=KEY, json={"sku": "P0003"})
    assert await quantities(shop, one) == await quantities(shop, other) == {"P0003": 1}


async def test_a_request_that_failed_may_be_tried_again_with_its_key(shop):
    items = f"{await new_cart(shop)}/items"
    failed = await shop.ask("POST", items, headers=KEY, json={"sku": "P9999"})
    assert failed.problem == "unknown-product"
    assert (await shop.ask("POST", items, headers=KEY, json={"sku": "P0003"})).status == 200


async def test_a_key_that_others_might_guess_makes_no_cart(shop):
    answer = await shop.ask("POST", "/carts", headers={"Idempotency-Key": "1"}, json={"sku": "P0003"})
    assert (answer.status, answer.problem) == (400, "idempotency-key-weak")


async def test_an_order_is_the_same_from_any_replica_and_after_a_restart(shop, start_shop, store):
    cart = await new_cart(shop, P0003=2)
    version = (await shop.get(cart)).document["version"]
    answers = [await order(shop, cart, version=version, reference="a") for _ in range(2)]
    later = await start_shop("resources", data=store)
    answers.append(await order(later, cart, version=version, reference="a"))
    assert [answer.status for answer in answers] == [201, 201, 201]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len({answer.body for answer in answers}) == 1
    other = await order(later, cart, version=version, reference="b")
    assert (other.status, other.problem) == (422, "idempotency-key-reused")


async def test_the_same_order_at_the_same_time_on_all_replicas(shop):
    cart = await new_cart(shop, P0003=2)
    version = (await shop.get(cart)).document["version"]
    answers = await asyncio.gather(*(order(shop, cart, version=version) for _ in range(8)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert {answer.problem for answer in answers} <= {"", "idempotency-in-progress"}
    listed = (await shop.get("/accounts/ann/orders", Authorization=ANN)).document["orders"]
    assert len(listed) == 1
    assert {a.headers["Location"] for a in answers if a.status == 201} == {listed[0]["href"]}
