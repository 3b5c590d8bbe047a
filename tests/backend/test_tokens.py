"""`tokens`: state in a signed token that travels with each message."""

from __future__ import annotations

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.catalogue import Catalogue
from backend.problems import Problem
from backend.shop import Cart, Line
from backend.styles.counter import Visit
from backend.styles.tokens import Mint
from backend.tokens.contract import LARGEST
from backend.tokens.encrypted import Encrypted
from backend.tokens.keys import BadKeys, KeyRing, key_id
from backend.tokens.signed import Signed
from tests.backend.conftest import STORE

PLENTY = Catalogue(1, 200)
SECRET = "a secret for tests only"
VISIT = Visit("a cart", "ann", Cart((Line("P0003", 2), Line("P0001", 1))))


def mint(kind, keys=(SECRET,), purpose="a shop"):
    return Mint(kind(KeyRing(keys), purpose), 60, LARGEST)


def decoded(part):
    return base64.urlsafe_b64decode(part + "==")


TOKENS = {kind: mint(kind).write(VISIT, 1_000) for kind in (Signed, Encrypted)}


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


@pytest.mark.parametrize("kind", [Signed, Encrypted])
class TestMint:
    def test_a_token_reads_as_it_was_written(self, kind):
        assert mint(kind).read(TOKENS[kind], 1_059) == VISIT

    def test_a_token_is_good_for_its_lifetime_only(self, kind):
        with pytest.raises(Problem, match="token-expired"):
            mint(kind).read(TOKENS[kind], 1_060)

    def test_a_token_of_another_key_or_another_shop_is_forged(self, kind):
        for other in (mint(kind, ("another secret",)), mint(kind, purpose="another shop")):
            with pytest.raises(Problem, match="token-forged"):
                other.read(TOKENS[kind], 1_000)

    def test_a_token_of_the_other_kind_is_forged(self, kind):
        (other,) = (token for each, token in TOKENS.items() if each is not kind)
        with pytest.raises(Problem, match="token-forged"):
            mint(kind).read(other, 1_000)

    def test_a_change_anywhere_is_noticed(self, kind):
        token = TOKENS[kind]
        for place in range(0, len(token), 3):
            other = "B" if token[place] != "B" else "C"
            with pytest.raises(Problem, match="token-forged"):
                mint(kind).read(token[:place] + other + token[place + 1 :], 1_000)

    def test_a_token_that_was_cut_short_is_noticed(self, kind):
        token = TOKENS[kind]
        for length in range(len(token)):
            with pytest.raises(Problem, match="token-forged"):
                mint(kind).read(token[:length], 1_000)

    @given(
        text=st.text(max_size=200) | st.from_regex(r"[a-zA-Z0-9_-]{1,40}(\.[\w-]{0,40}){1,4}", fullmatch=True)
    )
    def test_any_other_text_is_forged(self, kind, text):
        with pytest.raises(Problem, match="token-forged"):
            mint(kind).read(text, 1_000)

    def test_the_fullest_cart_fits_into_a_cookie(self, kind):
        lines = tuple(Line(f"P{99_900 + number}", 99 - number) for number in range(99))
        token = mint(kind).write(Visit("x" * 12, "cleo", Cart(lines)), 2_000_000_000)
        assert len(token) < LARGEST

    def test_a_token_grows_with_the_cart(self, kind):
        carts = [
            Cart(tuple(Line(f"P{n * 7919 % 9999:04}", 1) for n in range(size))) for size in (0, 5, 20, 80)
        ]
        sizes = [len(mint(kind).write(Visit("x", "", cart), 0)) for cart in carts]
        assert sizes == sorted(set(sizes))

    def test_a_token_that_no_browser_would_keep_is_not_handed_out(self, kind):
        digits = random.Random(1)
        lines = tuple(Line(f"P{digits.randrange(10**30)}", 1) for _ in range(400))
        with pytest.raises(Problem, match="cart-too-large-for-token") as caught:
            mint(kind).write(Visit("x", "", Cart(lines)), 0)
        assert caught.value.members["limit"] == LARGEST < caught.value.members["size"]

    def test_a_token_that_no_browser_would_have_kept_is_not_even_read(self, kind):
        with pytest.raises(Problem, match="token-too-large"):
            mint(kind).read("x" * 4_097, 0)

    def test_a_new_key_writes_and_the_old_ones_still_read(self, kind):
        old, both, new = (
            mint(kind, keys) for keys in (("the old key",), ("the new key", "the old key"), ("the new key",))
        )
        assert both.read(old.write(VISIT, 0), 0) == VISIT
        assert new.read(both.write(VISIT, 0), 0) == VISIT
        with pytest.raises(Problem, match="token-forged"):
            new.read(old.write(VISIT, 0), 0)


def test_whoever_has_an_encrypted_token_learns_only_which_key_it_needs():
    parts = TOKENS[Encrypted].split(".")
    assert json.loads(decoded(parts[0])) == {"alg": "dir", "enc": "A256GCM", "kid": key_id(SECRET)}
    assert not any(b"P0003" in decoded(part) for part in parts)
    assert b"P0003" in decoded(TOKENS[Signed].split(".")[0])


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "dir", "enc": "A128CBC-HS256", "kid": key_id(SECRET)},
        {"alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": key_id(SECRET)},
        {"alg": "dir", "enc": "A256GCM", "kid": ["x"]},
        {"alg": "dir", "enc": "A256GCM"},
        [],
        "x",
    ],
)
def test_a_header_that_says_otherwise_is_not_followed(header):
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    forged = ".".join([first, *TOKENS[Encrypted].split(".")[1:]])
    with pytest.raises(Problem, match="token-forged"):
        mint(Encrypted).read(forged, 1_000)


class TestKeys:
    def test_what_is_given_comes_before_what_is_in_the_file(self, tmp_path):
        file = tmp_path / "keys"
        file.write_text("# the newest first\nthe new key\n\n  the old key\n")
        assert KeyRing(("one for all",), str(file)).secrets == ("one for all", "the new key", "the old key")

    @pytest.mark.parametrize("content", [b"", b"# nothing", b"secret!", b"\xff\xfe", None])
    def test_a_file_that_can_not_be_used_changes_nothing(self, tmp_path, content):
        file = tmp_path / "keys"
        file.write_text("the old key")
        ring = KeyRing((), str(file))
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(BadKeys) as caught:
            ring.reload()
        assert "secret!" not in str(caught.value)
        assert ring.secrets == ("the old key",)

    def test_without_any_each_process_makes_its_own_and_keeps_it(self):
        ring = KeyRing()
        made = ring.secrets
        ring.reload()
        assert ring.secrets == made != KeyRing().secrets


@pytest.mark.parametrize("kind", ["signed", "encrypted"])
async def test_a_token_from_one_replica_is_good_at_all(start_shop, kind):
    shop = await start_shop("tokens", replicas=3, data=STORE, tokens=kind)
    token = ""
    for _ in range(4):
        token = await add(shop, token)
    token = await log_in(shop, token)
    placed = await place_order(shop, token)
    for _ in range(3):
        assert (await place_order(shop, token)).headers["Location"] == placed.headers["Location"]
        answer = await shop.get(placed.headers["Location"], Cookie=f"shop={token}")
        assert answer.document["items"][0]["quantity"] == 4


async def test_a_cart_that_outgrows_its_token_says_so_and_stays_as_it_was(start_shop):
    shop = await start_shop("tokens", token_limit=260)
    token = await add(shop)
    answers = []
    for product in PLENTY.products:
        if product.stock:
            headers = {"Cookie": f"shop={token}"}
            answers.append(await shop.ask("POST", "/cart/items", headers=headers, json={"sku": product.sku}))
            if answers[-1].status != 200:
                break
            token = answers[-1].cookies["shop"]
    answer = answers[-1]
    assert (answer.status, answer.problem, answer.cookies) == (413, "cart-too-large-for-token", {})
    assert answer.document["size"] > answer.document["limit"] == 260
    assert (await shop.get("/cart", Cookie=f"shop={token}")).document["count"] == len(answers)


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
    here, there = await start_shop("tokens"), await start_shop("tokens", secrets=())
    token = await add(here)
    answer = await there.get("/cart", Cookie=f"shop={token}")
    assert (answer.status, answer.problem, answer.cookies) == (400, "token-forged", {"shop": ""})


@pytest.mark.parametrize("value", ["x", "a.b.c", "%00", "\xff", '"', "x" * 4_000, ""])
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

    async def test_nor_as_another_customer(self, shop):
        anonymous = await add(shop)
        await place_order(shop, await log_in(shop, anonymous))
        content = {"name": "ben", "password": "birch"}
        ben = await shop.ask("POST", "/login", headers={"Cookie": f"shop={anonymous}"}, json=content)
        again = await place_order(shop, ben.cookies["shop"])
        assert (again.status, again.problem) == (409, "cart-ordered")

    async def test_of_two_changes_at_once_the_browser_keeps_one(self, shop):
        token = await add(shop)
        await add(shop, token, "P0004")
        last = await add(shop, token, "P0006")
        cart = (await shop.get("/cart", Cookie=f"shop={last}")).document
        assert {item["sku"] for item in cart["items"]} == {"P0003", "P0006"}
