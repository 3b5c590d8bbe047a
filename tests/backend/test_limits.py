"""How much there may be, in every style: what takes so many requests that one variant of each is enough."""

from __future__ import annotations

from backend.catalogue import Catalogue

PLENTY = Catalogue(1, 200)


async def test_a_cart_has_at_most_99_of_each_of_100_products(shopper):
    sold = [product for product in PLENTY.products if product.stock >= 99]
    await shopper.add(sold[0].sku, 99)
    assert (await shopper.add(sold[0].sku, 1)).problem == "cart-full"
    for product in [product for product in PLENTY.products if product.stock and product is not sold[0]][:99]:
        assert (await shopper.add(product.sku)).status == 200
    spare = next(product for product in reversed(PLENTY.products) if product.stock)
    assert (await shopper.add(spare.sku)).problem == "cart-full"
    assert len(await shopper.quantities()) == 100


async def test_more_orders_than_a_page_has_can_be_paged_through(shopper):
    await shopper.log_in("shopper-7", "glass-7")
    for number in range(51):
        await shopper.add("P0003")
        assert (await shopper.place_order(reference=str(number))).status == 201
    assert [each["reference"] for each in await shopper.orders()] == [
        str(50 - number) for number in range(51)
    ]
    orders = (await shopper.account())["links"]["orders"]["href"]
    shopper.accept = "text/html"
    newest, older = [(await shopper.send("GET", orders + page)).body for page in ("", "?page=2")]
    assert b"Earlier \xe2\x86\x92" in newest
    assert b"Earlier" not in older
    assert b"\xe2\x86\x90 Later" in older
    assert (await shopper.send("GET", f"{orders}?page=0")).status == 400
