"""Records in a Valkey that replicas share. Each step is one script, so no kill can leave half of one.

All keys begin with "shop:". One server holds them: a script names keys that a cluster would spread.
How much of what was answered outlives the server's own death is the server's to say (`appendfsync always`).
"""

from __future__ import annotations

from typing import Any

from backend.problems import Problem
from backend.records import scripts
from backend.records.contract import (
    CART_LIFETIME,
    LEASE,
    PAGE,
    Once,
    Records,
    StoredCart,
    as_cart,
    as_order,
    blob,
    in_progress,
    lines,
    written,
)
from backend.shop import Cart, Order
from backend.valkeys import Line

CART_MS = int(CART_LIFETIME * 1000)
LEASE_MS = int(LEASE * 1000)
ORDERS = "shop:orders"


class SharedRecords(Records):
    """Carts expire by the store's own clock; orders and their keys are kept for good."""

    def __init__(self, line: Line) -> None:
        self.where = line.where
        self._line = line

    async def close(self) -> None:
        await self._line.close()

    async def belong_to(self, shop: str) -> str:
        await self._line.ask("SET", "shop:of", shop, "NX")
        return str((await self._line.ask("GET", "shop:of")).decode())

    async def cart(self, cart_id: str, now: float) -> StoredCart | None:
        version, stored = await self._line.ask("HMGET", _cart(cart_id), "v", "l")
        return StoredCart(cart_id, int(version), lines(stored)) if version else None

    async def new_cart(self, cart_id: str, cart: Cart, now: float, once: Once | None = None) -> StoredCart:
        created = StoredCart(cart_id, 1, cart)
        return await self._write("", created, once) or created

    async def change_cart(
        self, stored: StoredCart, cart: Cart, now: float, once: Once | None = None
    ) -> StoredCart | None:
        return await self._write(stored.version, StoredCart(stored.id, stored.version + 1, cart), once)

    async def _write(self, seen: int | str, after: StoredCart, once: Once | None) -> StoredCart | None:
        said = await self._run(
            scripts.WRITE_CART,
            (_cart(after.id), _key(once)),
            (seen, after.version, blob(after.cart), CART_MS, _digest(once), written(after)),
        )
        return as_cart(said[1]) if said[0] == b"done" else None

    async def drop_cart(self, stored: StoredCart) -> bool:
        return bool(await self._line.ask("EVAL", scripts.DROP_CART, 1, _cart(stored.id), str(stored.version)))

    async def begin(self, once: Once, now: float) -> bytes | None:
        said = await self._run(scripts.BEGIN, (_key(once),), (once.fingerprint, LEASE_MS))
        if said[0] == b"in-progress":
            raise in_progress()
        return bytes(said[1]) if said[0] == b"done" else None

    async def give_up(self, once: Once) -> None:
        await self._line.ask("EVAL", scripts.GIVE_UP, 1, _key(once))

    async def order(self, order_id: str, account: str) -> Order | None:
        body = await self._line.ask("GET", _order(order_id))
        order = as_order(body) if body else None
        return order if order and order.account == account else None

    async def orders(self, account: str, page: int = 1) -> tuple[tuple[Order, ...], bool]:
        first = (page - 1) * PAGE
        names = await self._line.ask("LRANGE", f"{ORDERS}:{account}", first, first + PAGE)
        return await self._bodies(names[:PAGE]), len(names) > PAGE

    async def every_order(self, first: int, most: int) -> tuple[Order, ...]:
        return await self._bodies(await self._line.ask("LRANGE", ORDERS, first, first + most - 1))

    async def _bodies(self, names: list[bytes]) -> tuple[Order, ...]:
        if not names:
            return ()
        bodies = await self._line.ask("MGET", *(_order(name.decode()) for name in names))
        return tuple(as_order(body) for body in bodies if body)

    async def place(
        self, order: Order, *, once: Once | None = None, emptied: StoredCart | None = None
    ) -> Order:
        said = await self._run(
            scripts.PLACE,
            (
                _order(order.id),
                f"{ORDERS}:{order.account}",
                ORDERS,
                _key(once),
                _cart(emptied.id if emptied else ""),
            ),
            (written(order), order.id, _digest(once), emptied.version if emptied else "", CART_MS),
        )
        if said[0] == b"changed":
            raise Problem("cart-changed")
        return as_order(said[1])

    async def held(self) -> tuple[int, int]:
        return 0, 0

    async def _run(
        self, script: str, keys: tuple[bytes | str, ...], values: tuple[bytes | str | int, ...]
    ) -> Any:
        said = await self._line.ask("EVAL", script, len(keys), *keys, *values)
        if said[0] == b"reused":
            raise Problem("idempotency-key-reused")
        return said


def _cart(cart_id: str) -> bytes:
    return _named("cart", cart_id)


def _order(order_id: str) -> bytes:
    return _named("order", order_id)


def _key(once: Once | None) -> bytes:
    return _named("key", once.key if once else "")


def _named(kind: str, name: str) -> bytes:
    """A key of the store; names come from URLs, where anything may stand."""
    return f"shop:{kind}:{name}".encode("utf-8", "surrogatepass")


def _digest(once: Once | None) -> str:
    return once.fingerprint if once else ""
