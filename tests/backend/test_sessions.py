"""`sessions`: state in one server's memory, and what that costs."""

from __future__ import annotations

import asyncio

import pytest
import valkey

from backend.styles.remembering import Session, SessionMemory, SharedSessions
from tests.backend.conftest import STORE

ADD = {"json": {"sku": "P0003"}}


@pytest.fixture
async def shop(start_shop):
    return await start_shop("sessions")


def cookie(sid):
    return {"Cookie": f"sid={sid}"}


async def begin(shop):
    return (await shop.get("/")).cookies["sid"]


async def test_the_first_visit_to_any_page_hands_out_a_session(shop):
    for path in ("/", "/about", "/catalogue", "/search?q=lantern", "/products/P0001", "/cart", "/login"):
        fields = (await shop.get(path)).headers.getall("Set-Cookie")
        assert len(fields) == 1
        assert fields[0].startswith("sid=")
        assert fields[0].endswith("; Path=/; HttpOnly; SameSite=Lax")


async def test_a_known_session_is_not_handed_out_again(shop):
    sid = await begin(shop)
    for path in ("/catalogue", "/cart", "/login"):
        assert not (await shop.get(path, Cookie=f"sid={sid}")).cookies
    assert not (await shop.ask("POST", "/cart/items", headers=cookie(sid), **ADD)).cookies


async def test_pages_of_the_catalogue_say_nothing_of_caching_but_vary_by_cookie(shop):
    answer = await shop.get("/catalogue")
    assert answer.headers["Vary"] == "Accept, Cookie"
    for name in ("Cache-Control", "ETag", "Last-Modified", "Expires", "No-Vary-Search"):
        assert name not in answer.headers


async def test_pages_about_the_shopper_are_not_to_be_stored(shop):
    for path in ("/cart", "/login"):
        assert (await shop.get(path)).headers["Cache-Control"] == "private, no-store"


async def test_every_page_greets_its_reader_so_two_readers_get_different_bytes(shop):
    sid = await begin(shop)
    await shop.ask("POST", "/cart/items", headers=cookie(sid), json={"sku": "P0003", "quantity": 3})
    login = await shop.ask("POST", "/login", headers=cookie(sid), json={"name": "ann", "password": "apple"})
    mine = await shop.get("/catalogue", Accept="text/html", Cookie=f"sid={login.cookies['sid']}")
    assert b"Hello Ann, 3 items in your cart" in mine.body
    assert b"Hello there, 0 items in your cart" in (await shop.get("/catalogue", Accept="text/html")).body


async def test_looking_at_a_product_changes_what_the_next_page_says(shop):
    sid = await begin(shop)
    before = await shop.get("/catalogue", Cookie=f"sid={sid}")
    for number in (1, 2, 3, 4, 5, 6, 2):
        await shop.get(f"/products/P000{number}", Cookie=f"sid={sid}")
    after = await shop.get("/catalogue", Cookie=f"sid={sid}")
    seen = [each["href"][-1] for each in after.document["you"]["recently_seen"]]
    assert before.document["you"]["recently_seen"] == []
    assert seen == ["2", "6", "5", "4", "3"]


async def test_a_session_that_never_was_is_a_problem_where_it_would_matter(shop):
    for method, path in (("GET", "/cart"), ("GET", "/orders"), ("POST", "/cart/items"), ("POST", "/orders")):
        content = ADD if path == "/cart/items" else {}
        answer = await shop.ask(method, path, headers=cookie("made-up"), **content)
        assert (answer.status, answer.problem) == (403, "session-unknown")
        assert answer.cookies == {"sid": ""}, "the cookie is taken back, so that the next request begins anew"


async def test_a_made_up_session_name_is_never_adopted(shop):
    answer = await shop.get("/catalogue", Cookie="sid=made-up")
    assert answer.status == 200
    assert answer.cookies["sid"] != "made-up"
    assert (await shop.get("/cart", Cookie="sid=made-up")).problem == "session-unknown"


async def test_odd_cookies_are_no_ones_session(shop):
    for value in ("", "sid=", "sid=%00; sid=x", 'sid="', "sid=\xff", "=;;sid", "sid=" + "x" * 5_000):
        answer = await shop.ask("GET", "/cart", headers={"Cookie": value})
        assert answer.status in (200, 403), value
        assert answer.document.get("items", []) == []


async def test_logging_in_and_out_changes_the_sessions_name_so_that_none_can_be_fixed(shop):
    sid = await begin(shop)
    inside = (
        await shop.ask("POST", "/login", headers=cookie(sid), json={"name": "ann", "password": "apple"})
    ).cookies["sid"]
    assert inside != sid
    assert (await shop.get("/account", Cookie=f"sid={sid}")).problem == "session-unknown"
    assert (await shop.get("/account", Cookie=f"sid={inside}")).status == 200
    outside = (await shop.ask("POST", "/logout", headers=cookie(inside))).cookies["sid"]
    assert (await shop.get("/account", Cookie=f"sid={inside}")).problem == "session-unknown"
    assert (await shop.get("/account", Cookie=f"sid={outside}")).problem == "log-in-first"


async def test_a_session_ends_when_it_has_not_been_used_for_its_lifetime(start_shop):
    shop = await start_shop("sessions", session_lifetime=60)
    sid = await begin(shop)
    shop.clock.now += 59
    assert (await shop.get("/cart", Cookie=f"sid={sid}")).status == 200
    shop.clock.now += 59
    assert (await shop.get("/cart", Cookie=f"sid={sid}")).status == 200
    shop.clock.now += 60
    assert (await shop.get("/cart", Cookie=f"sid={sid}")).problem == "session-unknown"


async def test_a_server_that_is_full_forgets_the_longest_unused(start_shop):
    shop = await start_shop("sessions", session_limit=2)
    first, second = await begin(shop), await begin(shop)
    await shop.get("/", Cookie=f"sid={first}")
    third = await begin(shop)
    known = [(await shop.get("/cart", Cookie=f"sid={sid}")).status for sid in (first, second, third)]
    assert known == [200, 403, 200]


async def test_another_replica_does_not_know_the_session(start_shop):
    here, there = await start_shop("sessions"), await start_shop("sessions")
    sid = await begin(here)
    assert (await there.get("/cart", Cookie=f"sid={sid}")).problem == "session-unknown"


async def test_ordering_again_is_told_apart_only_by_the_empty_cart(shop, visit):
    shopper = await visit(shop)
    await shopper.log_in("ann")
    await shopper.add("P0003")
    action = (await shopper.cart())["actions"]["place-order"]
    assert (await shopper.perform(action)).status == 201
    assert (await shopper.perform(action)).problem == "cart-empty"


async def test_the_memory_drops_what_has_ended_even_if_nobody_asks():
    memory = SessionMemory(limit=10, lifetime=60)
    await memory.store("old", Session(used=0))
    await memory.store("new", Session(used=60))
    assert len(memory) == 1
    assert await memory.find("new", 119) == Session(used=60)
    assert await memory.find("new", 120) is None
    assert len(memory) == 0


class TestSharedStore:
    """Load at the start, write back at the end, as frameworks do it."""

    async def test_any_replica_knows_the_session(self, start_shop):
        shop = await start_shop("sessions", replicas=2, state=STORE)
        sid = (await shop.ask("POST", "/cart/items", **ADD)).cookies["sid"]
        counts = [(await shop.get("/cart", Cookie=f"sid={sid}")).document["count"] for _ in range(2)]
        assert counts == [1, 1]

    async def test_a_restart_forgets_nobody(self, start_shop, store):
        shop = await start_shop("sessions", state=store)
        sid = (await shop.ask("POST", "/cart/items", **ADD)).cookies["sid"]
        again = await start_shop("sessions", state=store)
        assert (await again.get("/cart", Cookie=f"sid={sid}")).document["count"] == 1

    async def test_the_store_forgets_a_session_when_its_time_is_over(self, start_shop, store):
        shop = await start_shop("sessions", state=store, session_lifetime=0.05)
        sid = await begin(shop)
        await asyncio.sleep(0.06)
        assert (await shop.get("/cart", Cookie=f"sid={sid}")).problem == "session-unknown"

    async def test_each_use_makes_it_last_longer(self, start_shop, store):
        shop = await start_shop("sessions", state=store, session_lifetime=1_000)
        sid = await begin(shop)
        with valkey.Valkey.from_url(store) as client:
            client.pexpire(f"shop:session:{sid}", 500_000)
            await shop.get("/catalogue", Cookie=f"sid={sid}")
            assert client.pttl(f"shop:session:{sid}") > 900_000

    async def test_of_two_changes_at_once_the_last_one_written_wins_and_the_other_is_lost(
        self, start_shop, monkeypatch
    ):
        shop = await start_shop("sessions", replicas=2, state=STORE)
        sid = await begin(shop)
        both_have_loaded = asyncio.Barrier(2)
        find = SharedSessions.find

        async def find_together(store, name, now):
            found = await find(store, name, now)
            await both_have_loaded.wait()
            return found

        monkeypatch.setattr(SharedSessions, "find", find_together)
        changes = [
            shop.ask("POST", "/cart/items", headers=cookie(sid), json={"sku": sku})
            for sku in ("P0003", "P0004")
        ]
        assert [answer.status for answer in await asyncio.gather(*changes)] == [200, 200]
        monkeypatch.undo()
        assert (await shop.get("/cart", Cookie=f"sid={sid}")).document["count"] == 1

    async def test_while_the_store_is_away_every_page_says_so(self, start_shop, own_store):
        shop = await start_shop("sessions", state=own_store.address)
        sid = await begin(shop)
        own_store.kill()
        for path in ("/", "/catalogue", "/cart", "/orders"):
            answer = await shop.get(path, Cookie=f"sid={sid}")
            assert (answer.status, answer.problem) == (503, "store-unavailable")
            assert answer.headers["Retry-After"] == "1"
        assert (await shop.get("/products/P0001/offer")).status == 200
        own_store.start()
        assert (await shop.get("/catalogue", Cookie=f"sid={sid}")).status == 200
