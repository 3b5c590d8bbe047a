"""What a replica says of itself."""

from __future__ import annotations

import os

import pytest

from tests.backend.conftest import STORE, VARIANTS


@pytest.mark.parametrize("variant", [name for name, (replicas, _) in VARIANTS.items() if replicas == 1])
async def test_a_replica_says_what_it_is_and_what_it_holds(start_shop, visit, variant):
    _, settings = VARIANTS[variant]
    style = variant.partition(",")[0]
    shop = await start_shop(style, **settings)
    shopper = await visit(shop)
    await shopper.add("P0003")
    await shopper.log_in("ann")
    await shopper.place_order()
    answer = await shop.get("/_shop/figures")
    assert answer.headers["Cache-Control"] == "no-store"
    figures = answer.document
    assert (figures["style"], figures["shop"], figures["pid"]) == (style, "1/200", os.getpid())
    assert figures["requests"] > 5
    assert figures["processor_seconds"] > 0
    assert figures["memory_bytes"] > 10_000_000
    assert figures["started"] > 1_767_000_000
    here = STORE not in settings.values()
    assert figures["orders"] == (1 if here else 0)
    assert figures["carts"] == (1 if here and style == "resources" else 0)
    sessions_here = variant in ("sessions", "flask, server")
    assert bool(figures["sessions"]) is sessions_here


@pytest.mark.parametrize(
    ("style", "settings", "held"),
    [
        ("sessions", {}, (30, 0)),
        ("sessions", {"state": STORE}, (0, 0)),
        ("resources", {}, (0, 30)),
        ("tokens", {}, (0, 0)),
        ("flask", {"sessions": "server"}, (30, 0)),
        ("flask", {"sessions": "server", "state": STORE}, (0, 0)),
        ("flask", {}, (0, 0)),
    ],
)
async def test_a_shop_can_begin_with_the_state_of_many_shoppers(start_shop, style, settings, held):
    shop = await start_shop(style, fill=30, **settings)
    figures = (await shop.get("/_shop/figures")).document
    assert (figures["sessions"], figures["carts"]) == held
