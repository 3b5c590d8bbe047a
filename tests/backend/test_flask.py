"""`flask`: is Flask's session stateless? It depends on who keeps it, which the program doesn't show."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from itsdangerous import base64_decode

from backend.flasks.app import build, reload
from backend.settings import Settings
from tests.backend.conftest import STORE

CHOICE = {"sku": "P0003", "quantity": 2}
ANN = {"name": "ann", "password": "apple"}


@pytest.fixture(params=["client", "server"])
async def shop(request, start_shop):
    return await start_shop("flask", sessions=request.param)


@pytest.fixture
async def plain(start_shop):
    return await start_shop("flask")


async def post(shop, path, cookie="", **content):
    headers = {"Cookie": f"session={cookie}"} if cookie else {}
    answer = await shop.ask("POST", path, headers=headers, json=content)
    assert answer.status in (200, 201), answer.body
    return answer


async def a_full_cart(shop):
    """The cookie of somebody who has logged in and put something into the cart."""
    cookie = (await post(shop, "/cart/items", **CHOICE)).cookies["session"]
    answer = await post(shop, "/login", cookie, **ANN)
    return answer.cookies.get("session", cookie)


async def test_a_page_greets_so_it_varies_by_cookie_and_says_nothing_of_caching(shop):
    cookie = await a_full_cart(shop)
    for path in ("/", "/catalogue", "/products/P0003", "/search?q=lens"):
        mine = await shop.get(path, Cookie=f"session={cookie}", Accept="text/html")
        other = await shop.get(path, Accept="text/html")
        assert b"Hello Ann, 2 items in your cart" in mine.body
        assert b"Hello there, 0 items in your cart" in other.body
        assert {each.strip() for each in mine.headers["Vary"].split(",")} == {"Accept", "Cookie"}
        for name in ("Cache-Control", "ETag", "Expires"):
            assert name not in mine.headers
        assert not other.cookies, "a session begins when something is put into it"


async def test_pages_about_the_shopper_are_not_to_be_stored(shop):
    for path in ("/cart", "/login"):
        assert (await shop.get(path)).headers["Cache-Control"] == "private, no-store"


async def test_a_cookie_is_for_this_site_and_not_for_scripts(shop):
    answer = await shop.ask("POST", "/cart/items", json=CHOICE)
    (field,) = answer.headers.getall("Set-Cookie")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(field.split("; "))
    assert "Expires" not in field


class TestClientHeld:
    async def test_the_state_is_in_the_cookie_for_all_to_read(self, plain):
        cookie = await a_full_cart(plain)
        assert json.loads(base64_decode(cookie.split(".")[0])) == {"account": "ann", "cart": [["P0003", 2]]}

    async def test_any_replica_with_the_same_key_understands_it(self, start_shop):
        here, there = await start_shop("flask"), await start_shop("flask")
        other = await start_shop("flask", secrets=("another secret",))
        cookie = await a_full_cart(here)
        assert (await there.get("/cart", Cookie=f"session={cookie}")).document["count"] == 2
        assert (await other.get("/cart", Cookie=f"session={cookie}")).document["count"] == 0

    async def test_an_old_cookie_sent_again_shows_the_old_cart_and_orders_it_once_more(self, plain):
        cookie = await a_full_cart(plain)
        one = await post(plain, "/orders", cookie, reference="an answer that was lost")
        other = await post(plain, "/orders", cookie, reference="an answer that was lost")
        assert one.headers["Location"] != other.headers["Location"]
        orders = (await plain.get("/orders", Cookie=f"session={cookie}")).document["orders"]
        assert [each["reference"] for each in orders] == ["an answer that was lost"] * 2

    async def test_what_was_forged_or_cut_short_is_nobodys_without_a_word(self, plain):
        good = await a_full_cart(plain)
        for cookie in (good[:-5], "x" + good[1:], "x", "x" * 5_000):
            assert (await plain.get("/cart", Cookie=f"session={cookie}")).document["count"] == 0
            assert (await plain.get("/account", Cookie=f"session={cookie}")).problem == "log-in-first"

    async def test_an_old_key_still_reads_after_the_keys_were_read_again(self, tmp_path, start_shop):
        file = tmp_path / "keys"
        file.write_text("the old key")
        app = build(Settings(style="flask", key_file=str(file)))
        client = app.test_client()
        client.post("/cart/items", json=CHOICE)
        file.write_text("the new key\nthe old key")
        reload(app)
        client.post("/cart/items", json=CHOICE)
        file.write_text("the new key")
        reload(app)
        assert client.get("/cart").json["count"] == 4
        app.extensions["shop"].records._db.close()


class TestServerHeld:
    @pytest.fixture
    async def shop(self, start_shop):
        return await start_shop("flask", sessions="server", state=STORE)

    async def test_the_cookie_is_only_a_name(self, shop):
        cookie = await a_full_cart(shop)
        assert len(cookie) == 43
        assert "." not in cookie

    async def test_logging_in_and_out_changes_the_name_so_that_none_can_be_fixed(self, shop):
        before = (await post(shop, "/cart/items", **CHOICE)).cookies["session"]
        inside = (await post(shop, "/login", before, **ANN)).cookies["session"]
        outside = (await post(shop, "/logout", inside)).cookies["session"]
        assert len({before, inside, outside}) == 3
        for old in (before, inside):
            assert (await shop.get("/account", Cookie=f"session={old}")).problem == "log-in-first"
        assert (await shop.get("/cart", Cookie=f"session={outside}")).document["count"] == 2

    @pytest.mark.parametrize("name", ["made-up", "%00", "\xff", "x" * 5_000, '"'])
    async def test_a_session_that_never_was_is_empty_and_its_name_is_not_adopted(self, shop, name):
        answer = await shop.get("/cart", Cookie=f"session={name}")
        assert answer.document["count"] == 0
        begun = await shop.ask("POST", "/cart/items", headers={"Cookie": f"session={name}"}, json=CHOICE)
        assert begun.cookies["session"] != name
        assert (await shop.get("/cart", Cookie=f"session={name}")).document["count"] == 0

    async def test_an_order_sent_again_finds_the_cart_empty(self, shop):
        cookie = await a_full_cart(shop)
        await post(shop, "/orders", cookie)
        again = await shop.ask("POST", "/orders", headers={"Cookie": f"session={cookie}"})
        assert (again.status, again.problem) == (409, "cart-empty")

    async def test_while_the_store_is_away_every_page_says_so(self, start_shop, own_store, caplog):
        shop = await start_shop("flask", sessions="server", state=own_store.address)
        cookie = await a_full_cart(shop)
        own_store.kill()
        for path in ("/", "/catalogue", "/cart", "/orders"):
            answer = await shop.get(path, Cookie=f"session={cookie}")
            assert (answer.status, answer.problem) == (503, "store-unavailable")
        own_store.start()
        assert (await shop.get("/cart", Cookie=f"session={cookie}")).document["count"] == 2
        assert not [
            line for line in caplog.records if line.levelno >= logging.ERROR and line.name == "backend"
        ]


async def test_a_fault_of_ours_is_logged_and_tells_the_client_nothing_of_it(start_shop, monkeypatch, caplog):
    def broken(*given):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("backend.catalogue.Catalogue.search", broken)
    shop = await start_shop("flask")
    with caplog.at_level(logging.ERROR):
        answer = await shop.get("/search?q=lens")
    assert (answer.status, answer.problem) == (500, "internal")
    assert b"secret" not in answer.body
    assert "a secret detail" in caplog.text


async def test_many_at_once_get_each_their_own(start_shop):
    shop = await start_shop("flask", sessions="server")

    async def somebody(number):
        cookie = (await post(shop, "/cart/items", sku="P0003", quantity=number)).cookies["session"]
        for _ in range(5):
            assert (await shop.get("/cart", Cookie=f"session={cookie}")).document["count"] == number

    await asyncio.gather(*(somebody(number) for number in range(1, 20)))
