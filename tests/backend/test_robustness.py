"""Whatever is sent: an answer that blames the right side, and never anything of another shopper's."""

from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace

import aiohttp
import pytest

PATHS = (
    "/",
    "/catalogue",
    "/search",
    "/products/{}",
    "/products/{}/offer",
    "/pictures/{}",
    "/cart",
    "/cart/items",
    "/cart/items/{}",
    "/login",
    "/logout",
    "/account",
    "/orders",
    "/orders/",
    "/orders/{}",
    "/carts",
    "/carts/{}",
    "/carts/{}/items",
    "/carts/{}/items/{}",
    "/accounts/",
    "/accounts/{}",
    "/accounts/{}/orders",
)
WORDS = (
    "P0003",
    "P9999",
    "ann",
    "%00",
    "%FF",
    "%ED%A0%80",
    "..",
    "%2F",
    "'",
    "%22%3E",
    "x" * 300,
    "%F0%9F%94%AE",
)
QUERIES = ("", "?", "?page=2", "?page=-1", "?q=lens", "?q=%FF&q=%00", "?%FF=%FF", "?page=1&page=x", "?&&==")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "application/merge-patch+json",
    "text/html",
    "/",
    "",
)
BODIES = (
    b"",
    b"{}",
    b"null",
    b'{"quantity": 2}',
    b'{"sku": "P0003", "quantity": 2}',
    b'{"name": "ann", "password": "\\u0000"}',
    b'{"name": "\xf0\x9f\x94\xae", "password": "\xf0\x9f\x94\xae"}',
    b'{"cart": "/carts/x", "version": 99999999999999999999999}',
    b"sku=P0003&quantity=2&_method=PUT",
    b"_If-Match=%22&_method=DELETE",
    b"%",
    b"=&=",
    b"\xff\xfe",
    b"[" * 5_000,
)
FIELDS = {
    "Accept": ("text/html", "*/*;q=", "\xff", ",,;;q=1"),
    "Cookie": ("sid=x", "shop=x.y.z", "cart=x", "sid=\xff\xfe", 'shop="; sid="', ";;=;"),
    "Authorization": ("Basic", "Basic YW5uOmFwcGxl", "Basic \xff", "Digest x=y"),
    "If-Match": ("*", '"x"', '"', "\xff"),
    "If-None-Match": ("*", '"x"', 'W/"', "\xff"),
    "If-Modified-Since": ("now", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "\xff"),
    "Idempotency-Key": ('"k"', '"', "\xff"),
    "Content-Type": TYPES,
}


def random_request(chance: random.Random) -> tuple[str, str, dict[str, str], bytes]:
    path = chance.choice(PATHS)
    path = path.format(*(chance.choice(WORDS) for _ in range(path.count("{}"))))
    headers = {name: chance.choice(values) for name, values in FIELDS.items() if chance.random() < 0.5}
    return chance.choice(METHODS), path + chance.choice(QUERIES), headers, chance.choice(BODIES)


async def test_no_request_makes_the_shop_fail(shop):
    chance = random.Random(9110)
    seen = set()
    for _ in range(600):
        method, path, headers, body = random_request(chance)
        answer = await shop.ask(method, path, headers=headers, data=body)
        assert answer.status < 500, (method, path, headers, body)
        if answer.status >= 400 and method != "HEAD":
            assert answer.headers["Content-Type"].partition(";")[0] in (
                "application/problem+json",
                "text/html",
            )
        seen.add(answer.status)
    assert {200, 400, 404, 405, 415} <= seen, "the requests reach all sorts of places"


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_what_one_shopper_has_is_in_no_answer_to_another(shop, visit, accept):
    ann = await visit(shop)
    await ann.log_in("ann")
    await ann.add("P0004")
    placed = await ann.place_order()
    await ann.add("P0005")
    names = [(await ann.product(sku))["name"] for sku in ("P0004", "P0005")]
    secrets = [each.encode() for each in (*names, placed.document["id"], "Harbour Row", "Hello Ann")]
    chance = random.Random(9111)
    for _ in range(300):
        method, path, headers, body = random_request(chance)
        headers.pop("Authorization", None)
        answer = await shop.ask(method, path, headers={**headers, "Accept": accept}, data=body)
        if not path.startswith(("/catalogue", "/search", "/products")):
            assert not any(secret in answer.body for secret in secrets), (path, answer.body)


async def test_a_body_that_breaks_off_leaves_the_shop_serving(shop):
    host, port = shop.url.removeprefix("http://").split(":")
    for head in (
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await shop.get("/")).status == 200


async def test_bytes_that_are_not_http_are_a_bad_request(shop):
    host, port = shop.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    assert (await reader.readline()).partition(b" ")[2].startswith(b"400 ")
    writer.close()
    await writer.wait_closed()


async def test_many_shoppers_at_once_keep_their_own(shop, visit):
    async def trip(number: int) -> dict[str, int]:
        shopper = await visit(shop)
        for _ in range(3):
            await shopper.add("P0003", number)
        return await shopper.quantities()

    carts = await asyncio.gather(*(trip(number) for number in range(1, 9)))
    assert carts == [{"P0003": 3 * number} for number in range(1, 9)]


async def test_latency_is_added_to_every_answer(start_shop, monkeypatch):
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("backend.app.asyncio", SimpleNamespace(sleep=sleep))
    shop = await start_shop("resources", latency=0.25)
    assert (await shop.get("/")).status == 200
    assert (await shop.get("/nothing")).status == 404
    assert waited == [0.25, 0.25]


def test_the_credentials_in_these_tests_are_real():
    assert aiohttp.encode_basic_auth("ann", "apple") == "Basic YW5uOmFwcGxl"
