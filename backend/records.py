"""The shop's records: orders, and the carts that are resources. In memory, or in one file that replicas
share.

An order is what the shop must remember to do its work, not a conversation with a client: every style
records orders here. SQLite keeps both kinds, so that there is one way through.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from backend.problems import Problem
from backend.shop import Cart, Line, Order

SCHEMA = """
CREATE TABLE IF NOT EXISTS carts (id TEXT PRIMARY KEY, version INTEGER, lines BLOB, changed REAL);
CREATE INDEX IF NOT EXISTS carts_changed ON carts (changed);
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, id TEXT UNIQUE, account TEXT, body BLOB);
CREATE INDEX IF NOT EXISTS orders_account ON orders (account);
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, fingerprint TEXT, id TEXT);
"""
CART_LIFETIME = 86_400.0
"""How long an untouched cart is kept, in seconds."""
SWEEP_EVERY = 100


@dataclass(frozen=True, slots=True)
class StoredCart:
    """A cart with a URL; `version` counts its changes."""

    id: str
    version: int
    cart: Cart


class Records:
    """Opens `path` (":memory:" for none); keeps at most `limit` carts and orders, the oldest leave.

    Raises sqlite3.Error where the file can't be used.
    """

    def __init__(self, path: str = ":memory:", limit: int = 10_000) -> None:
        self._limit = limit
        self._until_sweep = SWEEP_EVERY
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def cart(self, cart_id: str, now: float) -> StoredCart | None:
        row = self._db.execute(
            "SELECT version, lines FROM carts WHERE id = ? AND changed > ?", (cart_id, now - CART_LIFETIME)
        ).fetchone()
        return StoredCart(cart_id, row[0], Cart(_lines(row[1]))) if row else None

    def new_cart(self, cart_id: str, cart: Cart, now: float) -> StoredCart:
        with self._transaction():
            self._db.execute("INSERT INTO carts VALUES (?, 1, ?, ?)", (cart_id, _blob(cart), now))
            self._sweep(now)
        return StoredCart(cart_id, 1, cart)

    def change_cart(self, stored: StoredCart, cart: Cart, now: float) -> StoredCart | None:
        """Replaces the cart if it still has the version given; None where somebody else was faster."""
        changed = self._db.execute(
            "UPDATE carts SET version = version + 1, lines = ?, changed = ? WHERE id = ? AND version = ?",
            (_blob(cart), now, stored.id, stored.version),
        )
        return StoredCart(stored.id, stored.version + 1, cart) if changed.rowcount else None

    def drop_cart(self, stored: StoredCart) -> bool:
        """Deletes the cart if it still has the version given; says whether it had."""
        deleted = self._db.execute(
            "DELETE FROM carts WHERE id = ? AND version = ?", (stored.id, stored.version)
        )
        return bool(deleted.rowcount)

    def order(self, order_id: str, account: str) -> Order | None:
        """The order, if it is this account's."""
        row = self._db.execute(
            "SELECT body FROM orders WHERE id = ? AND account = ?", (order_id, account)
        ).fetchone()
        return _order(row[0]) if row else None

    def orders(self, account: str, most: int = 50) -> tuple[Order, ...]:
        """The account's newest orders, newest first."""
        rows = self._db.execute(
            "SELECT body FROM orders WHERE account = ? ORDER BY number DESC LIMIT ?", (account, most)
        )
        return tuple(_order(body) for (body,) in rows)

    def earlier(self, key: str, fingerprint: str) -> Order | None:
        """The order placed with this key; raises Problem("idempotency-key-reused") if it is for another."""
        row = self._db.execute(
            "SELECT fingerprint, body FROM keys JOIN orders USING (id) WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        if row[0] != fingerprint:
            raise Problem("idempotency-key-reused")
        return _order(row[1])

    def place(
        self, order: Order, *, key: str = "", fingerprint: str = "", emptied: StoredCart | None = None
    ) -> Order:
        """Records the order and empties its cart in one step; the earlier order where the key was used
        before.

        Raises Problem("cart-changed") where the cart no longer has its version, and as `earlier`.
        """
        with self._transaction():
            if key and (before := self.earlier(key, fingerprint)):
                return before
            if emptied and not self.change_cart(emptied, Cart(), order.placed):
                raise Problem("cart-changed")
            self._db.execute(
                "INSERT INTO orders (id, account, body) VALUES (?, ?, ?)",
                (order.id, order.account, msgspec.json.encode(order)),
            )
            if key:
                self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", (key, fingerprint, order.id))
            self._sweep(order.placed)
        return order

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _sweep(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep:
            return
        self._until_sweep = SWEEP_EVERY
        execute = self._db.execute
        execute("DELETE FROM carts WHERE changed <= ?", (now - CART_LIFETIME,))
        execute(
            "DELETE FROM carts WHERE id IN (SELECT id FROM carts ORDER BY changed DESC LIMIT -1 OFFSET ?)",
            (self._limit,),
        )
        execute("DELETE FROM orders WHERE number <= (SELECT MAX(number) FROM orders) - ?", (self._limit,))
        execute("DELETE FROM keys WHERE id NOT IN (SELECT id FROM orders)")


def _blob(cart: Cart) -> bytes:
    return msgspec.json.encode([(line.sku, line.quantity) for line in cart.lines])


def _lines(blob: bytes) -> tuple[Line, ...]:
    return tuple(
        Line(sku, quantity) for sku, quantity in msgspec.json.decode(blob, type=list[tuple[str, int]])
    )


def _order(body: bytes) -> Order:
    return msgspec.json.decode(body, type=Order)
