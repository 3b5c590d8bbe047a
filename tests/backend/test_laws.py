"""No order is ever doubled or lost, whatever is killed when: each moment at which a replica can die, in turn.

What a replica has done when it dies is what it has asked the store to do. So it is enough to kill it before
and after each thing that it asks.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter

import aiohttp
import pytest

from backend.records import shared
from backend.valkeys import LoopLine
from tests.backend.conftest import STORE

ANN = {"Authorization": aiohttp.encode_basic_auth("ann", "apple")}


def plans(asks, samples):
    """Deaths in a row at requests that ask so many things: each alone, and some of all threes."""
    deaths = [(number, side) for number in range(asks) for side in ("before", "after")]
    threes = [list(plan) for plan in itertools.product(deaths, repeat=3)]
    return [[death] for death in deaths] + random.Random(asks).sample(threes, min(samples, len(threes)))


class KilledError(Exception):
    """The replica is no more: nothing that it would have done is done."""


class Fate:
    """Kills the replica that is asking the store for something for the time `number`, from 0."""

    def __init__(self) -> None:
        self.asked = 0
        self.deaths = 0
        self.death = None

    def reborn(self, death=None):
        self.asked = 0
        self.death = death

    async def ask(self, line, real, words):
        number, side = self.death or (1_000, "")
        asked, self.asked = self.asked, self.asked + 1
        if asked > number or (asked == number and side == "before"):
            self.deaths += 1
            raise KilledError
        reply = await real(line, *words)
        if asked == number:
            self.deaths += 1
            raise KilledError
        return reply


@pytest.fixture
def fate(monkeypatch):
    fate, real = Fate(), LoopLine.ask

    async def ask(line, *words):
        return await fate.ask(line, real, words)

    monkeypatch.setattr(LoopLine, "ask", ask)
    monkeypatch.setattr(shared, "LEASE_MS", 1)
    return fate


async def until_answered(shop, fate, plan, method, path, **content):
    """Sends a request again and again, to replicas that die as planned, and at last to one that lives."""
    for death in [*plan, None]:
        fate.reborn(death)
        answer = await shop.ask(method, path, **content)
        while answer.problem == "idempotency-in-progress":
            fate.reborn(death)
            answer = await shop.ask(method, path, **content)
        if answer.status != 500:
            break
    fate.reborn()
    assert answer.status in (200, 201), answer.body
    return answer


@pytest.mark.parametrize("tokens", ["signed", "encrypted"])
async def test_an_order_by_token_happens_once(start_shop, fate, tokens):
    shop = await start_shop("tokens", replicas=2, data=STORE, tokens=tokens)
    planned = plans(1, 8)
    login = {"name": "ann", "password": "apple"}
    cookie = (await shop.ask("POST", "/login", json=login)).cookies["shop"]
    for number, plan in enumerate(planned):
        headers = {"Cookie": f"shop={cookie}"}
        added = await until_answered(
            shop, fate, plan, "POST", "/cart/items", headers=headers, json={"sku": "P0003"}
        )
        headers = {"Cookie": f"shop={added.cookies['shop']}"}
        order = {"reference": str(number)}
        placed = await until_answered(shop, fate, plan, "POST", "/orders", headers=headers, json=order)
        cookie = placed.cookies["shop"]
        assert placed.document["reference"] == str(number)
    assert fate.deaths >= 2 + 8 * 3
    orders = (await shop.get("/orders", Cookie=f"shop={cookie}")).document["orders"]
    assert Counter(each["reference"] for each in orders) == Counter(map(str, range(len(planned))))
    assert {each["count"] for each in orders} == {1}


async def test_a_cart_its_items_and_its_order_happen_once(start_shop, fate):
    shop = await start_shop("resources", replicas=2, data=STORE)
    planned = plans(3, 40)
    for number, plan in enumerate(planned):
        key = {"Idempotency-Key": f'"a key that nobody guesses {number}"'}
        made = await until_answered(shop, fate, plan, "POST", "/carts", headers=key, json={"sku": "P0003"})
        cart = made.headers["Location"]
        added = await until_answered(
            shop, fate, plan, "POST", f"{cart}/items", headers=key, json={"sku": "P0003"}
        )
        assert added.document["count"] == 2
        order = {"cart": cart, "version": added.document["version"], "reference": str(number)}
        placed = await until_answered(shop, fate, plan, "POST", "/orders/", headers=ANN | key, json=order)
        assert placed.document["reference"] == str(number)
        assert (await shop.get(cart)).document["count"] == 0
    assert fate.deaths >= 3 * len(planned)
    orders = (await shop.get("/accounts/ann/orders", **ANN)).document["orders"]
    assert Counter(each["reference"] for each in orders) == Counter(map(str, range(len(planned))))
    assert {each["count"] for each in orders} == {2}
