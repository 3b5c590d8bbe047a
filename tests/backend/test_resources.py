"""`resources`: carts and orders with URLs, validators and preconditions; pages that caches may share."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest

from backend.records.contract import CART_LIFETIME
from backend.records.local import LocalRecords
from backend.shop import Cart, Line

ANN = aiohttp.encode_basic_auth("ann", "apple")
BEN = aiohttp.encode_basic_auth("ben", "birch")


@pytest.fixture
async def shop(start_shop):
    return await start_shop("resources")


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


class TestPages:
    async def test_they_are_public_with_a_lifetime_and_validators_and_set_no_cookie(self, shop):
        for path in ("/", "/about", "/problems", "/catalogue", "/search?q=lens", "/products/P0001"):
            answer = await shop.get(path, Authorization=ANN, Cookie="sid=1")
            assert re.fullmatch(
                r"public, max-age=\d+, stale-while-revalidate=\d+", answer.headers["Cache-Control"]
            )
            assert answer.headers["Vary"] == "Accept"
            assert not answer.cookies
            again = await shop.get(path, If_None_Match=f'"other", W/{answer.headers["ETag"]}')
            assert (again.status, again.body) == (304, b"")
            for name in ("ETag", "Cache-Control", "Vary"):
                assert again.headers[name] == answer.headers[name]

    async def test_a_product_can_be_revalidated_by_its_date(self, shop):
        modified = (await shop.get("/products/P0001")).headers["Last-Modified"]
        assert (await shop.get("/products/P0001", If_Modified_Since=modified)).status == 304
        assert (
            await shop.get("/products/P0001", If_Modified_Since="Mon, 01 Jan 2024 00:00:00 GMT")
        ).status == 200

    @pytest.mark.parametrize(
        "date", ["whenever", "Fri, 31 Dec 2020 23:59:59 +99999999999999999999", "31 Feb 2030"]
    )
    async def test_a_date_that_is_none_is_disregarded(self, shop, date):
        assert (await shop.get("/products/P0001", If_Modified_Since=date)).status == 200

    async def test_if_none_match_takes_precedence_over_the_date(self, shop):
        modified = (await shop.get("/products/P0001")).headers["Last-Modified"]
        answer = await shop.get("/products/P0001", If_None_Match='"another"', If_Modified_Since=modified)
        assert answer.status == 200

    async def test_json_and_html_have_different_tags(self, shop):
        json, html = await shop.get("/products/P0001"), await shop.get("/products/P0001", Accept="text/html")
        assert json.headers["ETag"] != html.headers["ETag"]

    async def test_replicas_agree_about_bytes_tags_and_dates(self, start_shop):
        here, there = await start_shop("resources"), await start_shop("resources")
        for path in ("/", "/catalogue?page=3", "/products/P0099", "/products/P0099/offer"):
            one, other = await here.get(path), await there.get(path)
            assert one.body == other.body
            for name in ("ETag", "Last-Modified"):
                assert one.headers.get(name) == other.headers.get(name)

    async def test_only_the_query_parameters_that_are_declared_mean_anything(self, shop):
        answer = await shop.get("/catalogue?page=2&category=vases")
        assert answer.headers["No-Vary-Search"] == 'key-order, except=("category" "page")'
        other = await shop.get("/catalogue?category=vases&utm_source=letter&page=2")
        assert other.body == answer.body


class TestCarts:
    async def test_a_cart_is_created_at_an_unguessable_url(self, shop):
        answer = await shop.ask("POST", "/carts", json={"sku": "P0003", "quantity": 2})
        assert answer.status == 201
        assert re.fullmatch(r"/carts/[\w-]{22}", answer.headers["Location"])
        assert await quantities(shop, answer.headers["Location"]) == {"P0003": 2}

    async def test_a_cart_is_for_its_shopper_and_can_be_revalidated(self, shop):
        cart = await new_cart(shop, P0003=2)
        answer = await shop.get(cart)
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert (await shop.get(cart, If_None_Match=answer.headers["ETag"])).status == 304
        await shop.ask("POST", f"{cart}/items", json={"sku": "P0003"})
        assert (await shop.get(cart, If_None_Match=answer.headers["ETag"])).status == 200

    async def test_two_carts_of_one_shopper_are_two_carts(self, shop):
        one, other = await new_cart(shop, P0003=1), await new_cart(shop, P0004=1)
        assert await quantities(shop, one) == {"P0003": 1}
        assert await quantities(shop, other) == {"P0004": 1}

    async def test_a_cart_that_never_was(self, shop):
        for path in ("/carts/x", "/carts/x/items/P0003", "/carts/%00", "/carts/%ED%A0%80"):
            assert (await shop.get(path)).problem == "no-such-cart"

    async def test_a_cart_is_kept_for_a_day_after_its_last_change(self, shop):
        cart = await new_cart(shop, P0003=1)
        shop.clock.now += CART_LIFETIME - 1
        await shop.ask("POST", f"{cart}/items", json={"sku": "P0003"})
        shop.clock.now += CART_LIFETIME - 1
        assert (await shop.get(cart)).status == 200
        shop.clock.now += 1
        assert (await shop.get(cart)).problem == "no-such-cart"

    async def test_discarding_a_cart_heeds_if_match_with_the_tag_of_any_representation(self, shop):
        cart = await new_cart(shop, P0003=1)
        tag = (await shop.get(cart, Accept="text/html")).headers["ETag"]
        stale = await shop.ask("DELETE", cart, headers={"If-Match": '"stale"'})
        assert (stale.status, stale.problem) == (412, "precondition-failed")
        assert (await shop.ask("DELETE", cart, headers={"If-Match": tag})).status == 204
        assert (await shop.ask("DELETE", cart)).problem == "no-such-cart"

    async def test_adding_at_the_same_time_loses_nothing(self, shop):
        cart = await new_cart(shop)
        await asyncio.gather(
            *(shop.ask("POST", f"{cart}/items", json={"sku": "P0003"}) for _ in range(10)),
        )
        assert await quantities(shop, cart) == {"P0003": 10}


class TestRaces:
    """Replicas that share their records: another one is faster between reading and writing."""

    @pytest.fixture
    def rival(self, monkeypatch):
        """Has another process change the cart first, once: rival(change)."""

        def prepare(name, change):
            original = getattr(LocalRecords, name)

            async def late(records, stored, *rest):
                monkeypatch.setattr(LocalRecords, name, original)
                await records.change_cart(stored, change(stored.cart), 1_767_225_600.0)
                return await original(records, stored, *rest)

            monkeypatch.setattr(LocalRecords, name, late)

        return prepare

    async def test_adding_adds_to_what_the_other_left(self, shop, rival):
        cart = await new_cart(shop, P0003=1)
        rival("change_cart", lambda cart: Cart((Line("P0003", 5),)))
        assert (await shop.ask("POST", f"{cart}/items", json={"sku": "P0003"})).status == 200
        assert await quantities(shop, cart) == {"P0003": 6}

    @pytest.mark.parametrize(("left", "status"), [({"P0003": 1, "P0004": 9}, 200), ({"P0003": 2}, 412)])
    async def test_replacing_fails_only_if_the_other_changed_the_same_line(self, shop, rival, left, status):
        item = f"{await new_cart(shop, P0003=1)}/items/P0003"
        tag = (await shop.get(item)).headers["ETag"]
        rival("change_cart", lambda cart: Cart(tuple(Line(*line) for line in left.items())))
        answer = await shop.ask("PUT", item, headers={"If-Match": tag}, json={"quantity": 7})
        assert answer.status == status
        kept = left | ({"P0003": 7} if status == 200 else {})
        assert await quantities(shop, item.partition("/items")[0]) == kept

    async def test_a_line_that_the_other_made_is_not_overwritten_unseen(self, shop, rival):
        cart = await new_cart(shop)
        rival("change_cart", lambda cart: Cart((Line("P0003", 5),)))
        answer = await shop.ask("PUT", f"{cart}/items/P0003", json={"quantity": 7})
        assert answer.problem == "precondition-required"

    async def test_removing_and_discarding_without_a_condition_happen_anyway(self, shop, rival):
        cart = await new_cart(shop, P0003=1)
        rival("change_cart", lambda cart: Cart((Line("P0003", 5), Line("P0004", 1))))
        assert (await shop.ask("DELETE", f"{cart}/items/P0003")).status == 204
        assert await quantities(shop, cart) == {"P0004": 1}
        rival("drop_cart", lambda cart: Cart((Line("P0003", 5),)))
        assert (await shop.ask("DELETE", cart)).status == 204

    async def test_discarding_what_was_seen_fails_if_it_is_no_longer_so(self, shop, rival):
        cart = await new_cart(shop, P0003=1)
        tag = (await shop.get(cart)).headers["ETag"]
        rival("drop_cart", lambda cart: Cart((Line("P0003", 5),)))
        assert (await shop.ask("DELETE", cart, headers={"If-Match": tag})).problem == "precondition-failed"
        assert await quantities(shop, cart) == {"P0003": 5}


class TestItems:
    async def test_put_creates_a_line_and_answers_without_a_validator(self, shop):
        cart = await new_cart(shop)
        answer = await shop.ask("PUT", f"{cart}/items/P0003", json={"quantity": 2})
        assert (answer.status, answer.document["quantity"]) == (201, 2)
        assert "ETag" not in answer.headers, "RFC 9110 §9.3.4: what is stored isn't the content as sent"
        assert (await shop.get(f"{cart}/items/P0003")).document == answer.document

    async def test_what_is_there_is_only_replaced_by_those_who_say_what_they_saw(self, shop):
        item = f"{await new_cart(shop, P0003=2)}/items/P0003"
        tag = (await shop.get(item)).headers["ETag"]
        blind = await shop.ask("PUT", item, json={"quantity": 5})
        assert (blind.status, blind.problem) == (428, "precondition-required")
        seen = await shop.ask("PUT", item, headers={"If-Match": tag}, json={"quantity": 5})
        assert (seen.status, seen.document["quantity"]) == (200, 5)
        late = await shop.ask("PUT", item, headers={"If-Match": tag}, json={"quantity": 9})
        assert (late.status, late.problem) == (412, "precondition-failed")
        assert (await shop.get(item)).document["quantity"] == 5

    @pytest.mark.parametrize(
        ("condition", "present", "status"),
        [
            ({"If-None-Match": "*"}, False, 201),
            ({"If-None-Match": "*"}, True, 412),
            ({"If-Match": "*"}, False, 412),
            ({"If-Match": "*"}, True, 200),
            ({"If-Match": '"x"'}, False, 412),
            ({"If-Match": "nonsense"}, True, 412),
            ({"If-Match": ""}, True, 428),
        ],
    )
    async def test_preconditions_of_put(self, shop, condition, present, status):
        item = f"{await new_cart(shop, **({'P0003': 2} if present else {}))}/items/P0003"
        answer = await shop.ask("PUT", item, headers=condition, json={"quantity": 5})
        assert answer.status == status

    async def test_a_weak_tag_never_matches(self, shop):
        item = f"{await new_cart(shop, P0003=2)}/items/P0003"
        tag = (await shop.get(item)).headers["ETag"]
        answer = await shop.ask("PUT", item, headers={"If-Match": f"W/{tag}"}, json={"quantity": 5})
        assert answer.problem == "precondition-failed"

    async def test_a_merge_patch_changes_the_quantity(self, shop):
        item = f"{await new_cart(shop, P0003=2)}/items/P0003"
        tag = (await shop.get(item)).headers["ETag"]
        headers = {"If-Match": tag, "Content-Type": "application/merge-patch+json"}
        answer = await shop.ask("PATCH", item, headers=headers, data=b'{"quantity": 4}')
        assert (answer.status, answer.document["quantity"]) == (200, 4)
        assert (await shop.get(item, If_None_Match=answer.headers["ETag"])).status == 304

    async def test_what_can_not_be_patched(self, shop):
        cart = await new_cart(shop, P0003=2)
        answer = await shop.ask("PATCH", f"{cart}/items/P0004", json={"quantity": 4})
        assert answer.problem == "not-in-cart"
        answer = await shop.ask("PATCH", f"{cart}/items/P0003", json={"quantity": 4})
        assert answer.problem == "precondition-required"
        answer = await shop.ask("PATCH", f"{cart}/items/P0003", data={"quantity": "4"})
        assert answer.problem == "unsupported-media-type"
        assert answer.headers["Accept-Patch"] == "application/json, application/merge-patch+json"

    async def test_delete_removes_a_line_whatever_it_holds_unless_a_condition_says_otherwise(self, shop):
        item = f"{await new_cart(shop, P0003=2)}/items/P0003"
        stale = await shop.ask("DELETE", item, headers={"If-Match": '"stale"'})
        assert stale.problem == "precondition-failed"
        assert (await shop.ask("DELETE", item)).status == 204
        assert (await shop.ask("DELETE", item)).problem == "not-in-cart"
        assert (await shop.get(item)).problem == "not-in-cart"

    async def test_a_form_carries_its_method_and_its_tag(self, shop):
        cart = await new_cart(shop, P0003=2)
        tag = (await shop.get(f"{cart}/items/P0003")).headers["ETag"]
        form = {"_method": "PUT", "_If-Match": tag, "quantity": "6"}
        answer = await shop.ask("POST", f"{cart}/items/P0003", data=form)
        assert (answer.status, answer.headers["Location"]) == (303, cart)
        assert (await shop.ask("POST", f"{cart}/items/P0003", data=form)).problem == "precondition-failed"
        assert (
            await shop.ask("POST", f"{cart}/items/P0003", data={"quantity": "6"})
        ).problem == "invalid-fields"


class TestBookmark:
    async def test_only_a_form_leaves_one_and_it_goes_to_carts_only(self, shop):
        assert not (await shop.ask("POST", "/carts", json={"sku": "P0003"})).cookies
        answer = await shop.ask("POST", "/carts", data={"sku": "P0003", "quantity": "1"})
        (field,) = answer.headers.getall("Set-Cookie")
        assert field.endswith("; Path=/carts; HttpOnly; SameSite=Lax")
        assert answer.headers["Location"] == f"/carts/{answer.cookies['cart']}"

    async def test_it_leads_back_to_the_cart(self, shop):
        cart = (await shop.ask("POST", "/carts", data={"sku": "P0003"})).cookies["cart"]
        answer = await shop.get("/carts", Cookie=f"cart={cart}")
        assert (answer.status, answer.headers["Location"]) == (303, f"/carts/{cart}")
        assert answer.headers["Vary"] == "Accept, Cookie"
        assert (await shop.get("/carts", Cookie="cart=gone")).document["actions"]["create-cart"][
            "href"
        ] == "/carts"

    async def test_other_clients_are_not_led_by_it(self, shop):
        cart = (await shop.ask("POST", "/carts", data={"sku": "P0003"})).cookies["cart"]
        answer = await shop.ask("POST", "/carts", headers={"Cookie": f"cart={cart}"}, json={"sku": "P0004"})
        assert answer.headers["Location"] != f"/carts/{cart}"


class TestOrders:
    async def test_a_retry_with_the_same_key_is_the_same_order(self, shop):
        cart = await new_cart(shop, P0003=2)
        version = (await shop.get(cart)).document["version"]
        one, other = [await order(shop, cart, version=version) for _ in range(2)]
        assert (one.status, other.status) == (201, 201)
        assert one.headers["Location"] == other.headers["Location"]
        assert len((await shop.get("/accounts/ann/orders", Authorization=ANN)).document["orders"]) == 1

    async def test_retries_at_the_same_time_are_the_same_order(self, shop):
        cart = await new_cart(shop, P0003=2)
        version = (await shop.get(cart)).document["version"]
        answers = await asyncio.gather(*(order(shop, cart, version=version) for _ in range(5)))
        assert len({answer.headers["Location"] for answer in answers}) == 1

    async def test_a_key_that_stands_for_another_order_is_refused(self, shop):
        one, other = await new_cart(shop, P0003=2), await new_cart(shop, P0004=1)
        await order(shop, one)
        assert (await order(shop, other)).problem == "idempotency-key-reused"
        assert await quantities(shop, other) == {"P0004": 1}

    async def test_a_key_belongs_to_one_customer(self, shop):
        one, other = await new_cart(shop, P0003=2), await new_cart(shop, P0004=1)
        assert (await order(shop, one, who=ANN)).status == 201
        assert (await order(shop, other, who=BEN)).status == 201

    @pytest.mark.parametrize("key", ["", " ", '""', '"half', "x" * 129, "two words", '"q\\"'])
    async def test_without_a_usable_key_there_is_no_order(self, shop, key):
        answer = await order(shop, await new_cart(shop, P0003=2), key)
        assert (answer.status, answer.problem) == (400, "idempotency-key-missing")

    async def test_an_order_is_of_the_cart_as_it_was_seen(self, shop):
        cart = await new_cart(shop, P0003=2)
        version = (await shop.get(cart)).document["version"]
        await shop.ask("POST", f"{cart}/items", json={"sku": "P0004"})
        answer = await order(shop, cart, version=version)
        assert (answer.status, answer.problem) == (409, "cart-changed")

    async def test_what_can_not_be_ordered(self, shop):
        assert (await order(shop, await new_cart(shop))).problem == "cart-empty"
        cart = await new_cart(shop, P0003=1)
        assert (await order(shop, cart, cart="/carts/x")).problem == "invalid-fields"
        assert (await order(shop, cart, version="1")).problem == "invalid-fields"

    async def test_records_in_a_file_are_shared_by_replicas(self, start_shop, tmp_path):
        data = str(tmp_path / "shop.db")
        here, there = [await start_shop("resources", data=data) for _ in range(2)]
        cart = await new_cart(here, P0003=2)
        assert (await there.ask("POST", f"{cart}/items", json={"sku": "P0003"})).status == 200
        placed = await order(here, cart)
        assert placed.document["items"][0]["quantity"] == 3
        assert (await there.get(placed.headers["Location"], Authorization=ANN)).status == 200

    async def test_without_a_shared_file_another_replica_does_not_have_the_cart(self, start_shop):
        here, there = await start_shop("resources"), await start_shop("resources")
        assert (await there.get(await new_cart(here))).problem == "no-such-cart"


class TestCustomers:
    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Basic",
            "Basic !!!",
            "Basic YW5u",
            "Basic /w==",
            "Bearer " + ANN.partition(" ")[2],
            aiohttp.encode_basic_auth("ann", "birch"),
            aiohttp.encode_basic_auth("ann", ""),
            aiohttp.encode_basic_auth("", ""),
        ],
    )
    async def test_who_does_not_say_who_they_are_is_asked(self, shop, authorization):
        for path in ("/accounts/", "/accounts/ann", "/accounts/ann/orders", "/orders/x"):
            answer = await shop.get(path, Authorization=authorization)
            assert (answer.status, answer.problem) == (401, "credentials-needed")
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="Pane & Prism", charset="UTF-8"'

    async def test_everybody_has_an_account_url_of_their_own(self, shop):
        answer = await shop.get("/accounts/", Authorization=ANN)
        assert (answer.status, answer.headers["Location"]) == (303, "/accounts/ann")
        assert (await shop.get("/accounts/ann", Authorization=ANN)).status == 200

    async def test_the_account_of_another_is_as_good_as_not_there(self, shop):
        for path in ("/accounts/ann", "/accounts/ann/orders", "/accounts/nobody"):
            assert (await shop.get(path, Authorization=BEN)).problem == "not-found"

    async def test_what_is_said_to_one_customer_is_not_for_shared_caches(self, shop):
        answer = await shop.get("/accounts/ann", Authorization=ANN)
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Accept, Authorization"
