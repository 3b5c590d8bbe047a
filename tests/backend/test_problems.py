"""Each problem type that is declared can be met, with the status that is declared for it."""

from __future__ import annotations

import logging

import aiohttp
import pytest
from aiohttp import web

from backend.app import build
from backend.catalogue import Catalogue
from backend.problems import KINDS, Problem
from backend.settings import Settings
from backend.shop import EMPTY
from backend.styles.tokens import Mint, Visit
from backend.tokens.keys import KeyRing
from backend.tokens.signed import Signed

ANN = {"Authorization": aiohttp.encode_basic_auth("ann", "apple")}
SOLD_OUT = next(product for product in Catalogue(1, 200).products if not product.stock)
SEAL = Signed(KeyRing(("a secret for tests only",)), "backend.tokens 1/200")
EXPIRED = Mint(SEAL, 1, 3_800).write(Visit("c", "", EMPTY), 0)
REACHED = {
    "malformed-body": (
        "tokens",
        "POST",
        "/login",
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
    ),
    "malformed-query": ("tokens", "GET", "/catalogue?page=x", {}),
    "idempotency-key-missing": ("resources", "POST", "/orders/", {"headers": ANN}),
    "idempotency-key-weak": ("resources", "POST", "/carts", {"headers": {"Idempotency-Key": "1"}}),
    "token-too-large": ("tokens", "GET", "/cart", {"headers": {"Cookie": f"shop={'x' * 4_097}"}}),
    "token-forged": ("tokens", "GET", "/cart", {"headers": {"Cookie": "shop=x"}}),
    "credentials-needed": ("resources", "GET", "/accounts/", {}),
    "log-in-first": ("tokens", "GET", "/account", {}),
    "wrong-password": ("sessions", "POST", "/login", {"json": {"name": "ann", "password": "x"}}),
    "session-unknown": ("sessions", "GET", "/cart", {"headers": {"Cookie": "sid=x"}}),
    "token-expired": ("tokens", "GET", "/cart", {"headers": {"Cookie": f"shop={EXPIRED}"}}),
    "cross-site": ("sessions", "POST", "/logout", {"headers": {"Sec-Fetch-Site": "cross-site"}}),
    "not-found": ("sessions", "GET", "/nothing", {}),
    "no-such-product": ("sessions", "GET", "/products/P9999", {}),
    "no-such-cart": ("resources", "GET", "/carts/x", {}),
    "no-such-order": ("resources", "GET", "/orders/x", {"headers": ANN}),
    "not-in-cart": ("sessions", "POST", "/cart/items/P0003", {"json": {"quantity": 1}}),
    "method-not-allowed": ("sessions", "PUT", "/", {}),
    "not-enough-stock": ("tokens", "POST", "/cart/items", {"json": {"sku": SOLD_OUT.sku}}),
    "too-large": ("sessions", "POST", "/login", {"data": b" " * 70_000}),
    "unsupported-media-type": ("sessions", "POST", "/login", {"data": b"x"}),
    "unknown-product": ("sessions", "POST", "/cart/items", {"json": {"sku": "x"}}),
    "invalid-fields": ("sessions", "POST", "/login", {"json": {}}),
}
REACHED_ELSEWHERE = {
    "cart-empty": "test_resources",
    "cart-changed": "test_resources",
    "cart-ordered": "test_tokens",
    "cart-full": "test_limits",
    "precondition-failed": "test_resources",
    "precondition-required": "test_resources",
    "idempotency-key-reused": "test_once",
    "idempotency-in-progress": "test_records",
    "cart-too-large-for-token": "test_tokens",
    "store-unavailable": "test_sessions",
    "overloaded": "test_pace",
    "internal": "below",
}


def test_every_kind_is_met_somewhere():
    assert set(REACHED) | set(REACHED_ELSEWHERE) == set(KINDS)


@pytest.mark.parametrize("kind", REACHED)
async def test_a_problem_is_answered_as_declared(start_shop, kind):
    style, method, path, content = REACHED[kind]
    shop = await start_shop(style)
    answer = await shop.ask(method, path, **content)
    assert (answer.problem, answer.status) == (kind, KINDS[kind].status)
    assert answer.document["title"] == KINDS[kind].title
    assert answer.document["detail"]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_fault_of_ours_is_logged_and_tells_the_client_nothing_of_it(aiohttp_client, caplog):
    app = build(Settings())

    async def broken(request: web.Request) -> web.Response:
        raise RuntimeError("a secret detail")

    app.router.add_get("/broken", broken)
    client = await aiohttp_client(app)
    with caplog.at_level(logging.ERROR, logger="backend"):
        response = await client.get("/broken")
    assert response.status == 500
    assert (await response.json())["type"] == "/problems#internal"
    assert "secret" not in await response.text()
    assert "a secret detail" in caplog.text


def test_members_and_details_are_in_the_document():
    document = Problem("not-enough-stock", "There are 3.", available=3).document()
    assert document == {
        "type": "/problems#not-enough-stock",
        "title": "Not that many in stock",
        "status": 409,
        "detail": "There are 3.",
        "available": 3,
    }
