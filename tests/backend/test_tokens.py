"""`tokens`: state in a signed token that travels with each message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.problems import Problem
from backend.shop import Cart, Line
from backend.styles.counter import Visit
from backend.styles.tokens import LARGEST, Signer

SECRET = "a secret for tests only"
VISIT = Visit("a cart", "ann", Cart((Line("P0003", 2), Line("P0001", 1))))
TOKEN = Signer(SECRET, 60).write(VISIT, 1_000)


@pytest.fixture
async def shop(start_shop):
    return await start_shop("tokens")


async def add(shop, token="", sku="P0003", quantity=1):
    """The token after something was added."""
    headers = {"Cookie": f"shop={token}"} if token else {}
    answer = await shop.ask("POST", "/cart/items", headers=headers, json={"sku": sku, "quantity": quantity})
    assert answer.status == 200, answer.body
    return answer.cookies["shop"]


async def log_in(shop, token):
    content = {"name": "ann", "password": "apple"}
    answer = await shop.ask("POST", "/login", headers={"Cookie": f"shop={token}"}, json=content)
    return answer.cookies["shop"]


async def place_order(shop, token):
    return await shop.ask("POST", "/orders", headers={"Cookie": f"shop={token}"})


class TestSigner:
    def test_a_token_reads_as_it_was_written(self):
        assert Signer(SECRET, 60).read(TOKEN, 1_059) == VISIT

    def test_a_token_is_good_for_its_lifetime_only(self):
        with pytest.raises(Problem, match="token-expired"):
            Signer(SECRET, 60).read(TOKEN, 1_060)

    def test_a_token_of_another_secret_is_forged(self):
        with pytest.raises(Problem, match="token-forged"):
            Signer("another secret", 60).read(TOKEN, 1_000)

    @pytest.mark.parametrize("place", range(0, len(TOKEN), 3))
    def test_a_change_anywhere_is_noticed(self, place):
        other = "B" if TOKEN[place] != "B" else "C"
        with pytest.raises(Problem, match="token-forged"):
            Signer(SECRET, 60).read(TOKEN[:place] + other + TOKEN[place + 1 :], 1_000)

    @pytest.mark.parametrize("length", [0, 1, 10, len(TOKEN) // 2, len(TOKEN) - 1])
    def test_a_token_that_was_cut_short_is_noticed(self, length):
        with pytest.raises(Problem, match="token-forged"):
            Signer(SECRET, 60).read(TOKEN[:length], 1_000)

    @given(st.text())
    def test_any_other_text_is_forged(self, text):
        with pytest.raises(Problem, match="token-forged"):
            Signer(SECRET, 60).read(text, 1_000)

    def test_the_fullest_cart_fits_into_a_cookie(self):
        lines = tuple(Line(f"P{99_900 + number}", 99 - number) for number in range(99))
        token = Signer(SECRET, 60).write(Visit("x" * 12, "cleo", Cart(lines)), 2_000_000_000)
        assert len(token) < LARGEST

    def test_a_token_that_no_browser_would_keep_is_not_handed_out(self):
        import random

        digits = random.Random(1)
        lines = tuple(Line(f"P{digits.randrange(10**30)}", 1) for _ in range(400))
        with pytest.raises(Problem, match="cart-full"):
            Signer(SECRET, 60).write(Visit("x", "", Cart(lines)), 0)


async def test_pages_that_are_about_nobody_set_no_cookie_and_are_public(shop):
    token = await add(shop)
    for path in ("/", "/catalogue", "/products/P0001", "/search?q=lens"):
        plain, carried = await shop.get(path), await shop.get(path, Cookie=f"shop={token}")
        assert plain.body == carried.body
        assert carried.headers["Cache-Control"].startswith("public, max-age=")
        assert carried.headers["Vary"] == "Accept"
        assert not carried.cookies


async def test_those_pages_do_not_even_look_at_the_token(shop):
    assert (await shop.get("/catalogue", Cookie="shop=nonsense")).status == 200


async def test_a_cart_depends_on_the_cookie_and_says_so(shop):
    token = await add(shop)
    answer = await shop.get("/cart", Cookie=f"shop={token}")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Accept, Cookie"
    assert not answer.cookies, "looking changes nothing"
    again = await shop.get("/cart", Cookie=f"shop={token}", If_None_Match=answer.headers["ETag"])
    assert again.status == 304


async def test_the_cookie_ends_with_the_token(shop):
    answer = await shop.ask("POST", "/cart/items", json={"sku": "P0003"})
    (field,) = answer.headers.getall("Set-Cookie")
    assert field.endswith("; Max-Age=7200; Path=/; HttpOnly; SameSite=Lax")


async def test_the_token_grows_with_the_cart(shop):
    token, sizes = "", []
    for number in range(1, 16):
        if (await shop.get(f"/products/P00{number:02d}/offer")).document["stock"]:
            token = await add(shop, token, f"P00{number:02d}")
            sizes.append(len(token))
    assert sizes[-1] > sizes[5] > sizes[0]


async def test_any_replica_with_the_same_secret_understands_it(start_shop):
    here, there = await start_shop("tokens"), await start_shop("tokens")
    token = await log_in(here, await add(here, quantity=4))
    assert (await there.get("/cart", Cookie=f"shop={token}")).document["count"] == 4
    assert (await there.get("/account", Cookie=f"shop={token}")).document["name"] == "ann"


async def test_a_replica_with_a_secret_of_its_own_takes_it_for_forged(start_shop):
    here, there = await start_shop("tokens"), await start_shop("tokens", secret="")
    token = await add(here)
    answer = await there.get("/cart", Cookie=f"shop={token}")
    assert (answer.status, answer.problem, answer.cookies) == (400, "token-forged", {"shop": ""})


@pytest.mark.parametrize("value", ["x", "a.b.c", "%00", "\xff", '"', "x" * 5_000, ""])
async def test_what_is_no_token_at_all(shop, value):
    answer = await shop.get("/cart", Cookie=f"shop={value}")
    assert (answer.status, answer.problem) == (400, "token-forged")


async def test_an_expired_token_is_refused_and_taken_back(start_shop):
    shop = await start_shop("tokens", token_lifetime=60)
    token = await add(shop)
    shop.clock.now += 60
    answer = await shop.get("/cart", Cookie=f"shop={token}")
    assert (answer.status, answer.problem, answer.cookies) == (403, "token-expired", {"shop": ""})


async def test_every_change_makes_the_token_last_longer(start_shop):
    shop = await start_shop("tokens", token_lifetime=60)
    token = await add(shop)
    shop.clock.now += 50
    token = await add(shop, token)
    shop.clock.now += 50
    assert (await shop.get("/cart", Cookie=f"shop={token}")).document["count"] == 2


async def test_a_page_that_greets_has_no_date_that_could_hide_a_change(shop):
    placed = await place_order(shop, await log_in(shop, await add(shop)))
    assert placed.status == 201
    token, url = placed.cookies["shop"], placed.headers["Location"]
    seen = await shop.get(url, Cookie=f"shop={token}")
    assert seen.document["you"]["items"] == 0
    assert "Last-Modified" not in seen.headers
    token = await add(shop, token)
    assert (await shop.get(url, Cookie=f"shop={token}")).headers["ETag"] != seen.headers["ETag"]


class TestReplay:
    """An old token can be sent again: the server, which keeps nothing, can't know that it is old."""

    async def test_it_shows_the_old_cart_and_the_old_log_in(self, shop):
        old = await log_in(shop, await add(shop))
        await add(shop, old, quantity=5)
        await shop.ask("POST", "/logout", headers={"Cookie": f"shop={old}"})
        assert (await shop.get("/cart", Cookie=f"shop={old}")).document["count"] == 1
        assert (await shop.get("/account", Cookie=f"shop={old}")).status == 200

    async def test_it_can_not_order_twice(self, shop):
        token = await log_in(shop, await add(shop))
        one, other = await place_order(shop, token), await place_order(shop, token)
        assert (one.status, other.status) == (201, 201)
        assert one.headers["Location"] == other.headers["Location"]

    async def test_nor_by_changing_the_old_cart(self, shop):
        token = await log_in(shop, await add(shop))
        await place_order(shop, token)
        again = await place_order(shop, await add(shop, token))
        assert (again.status, again.problem) == (409, "cart-ordered")
        fresh = again.cookies["shop"]
        assert (await shop.get("/cart", Cookie=f"shop={fresh}")).document["count"] == 0
        assert (await shop.get("/account", Cookie=f"shop={fresh}")).status == 200
