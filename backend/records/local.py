"""Records in this process's memory, or in one file that the replicas of one machine share.

SQLite keeps both kinds, so that there is one way through. Nothing here waits for anything but the file, so
threads may share one book and coroutines need no lock between a look and a change.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from backend.problems import Problem
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
    check,
    in_progress,
    lines,
    unavailable,
    written,
)
from backend.shop import EMPTY, Cart, Order

SCHEMA = """
CREATE TABLE IF NOT EXISTS belongs (to_shop TEXT);
CREATE TABLE IF NOT EXISTS carts (id TEXT PRIMARY KEY, version INTEGER, lines BLOB, changed REAL);
CREATE INDEX IF NOT EXISTS carts_changed ON carts (changed);
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, id TEXT UNIQUE, account TEXT, body BLOB);
CREATE INDEX IF NOT EXISTS orders_account ON orders (account);
CREATE TABLE IF NOT EXISTS requests
    (key TEXT PRIMARY KEY, fingerprint TEXT, result BLOB, begun REAL, order_id TEXT);
"""
MEMORY = ":memory:"
SWEEP_EVERY = 100
LIMIT = 250_000


class LocalRecords(Records):
    """Opens `path` (":memory:" for none); keeps at most `limit` carts and orders each, the oldest leave.

    Raises sqlite3.Error where the file can't be used.
    """

    def __init__(self, path: str = MEMORY, limit: int = LIMIT) -> None:
        self.where = "this process's memory" if path == MEMORY else path
        self._limit = limit
        self._until_sweep = SWEEP_EVERY
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.Error:
            self._db.close()
            raise

    async def close(self) -> None:
        self._db.close()

    async def belong_to(self, shop: str) -> str:
        with self._step():
            self._db.execute("INSERT INTO belongs SELECT ? WHERE NOT EXISTS (SELECT * FROM belongs)", (shop,))
            return str(self._db.execute("SELECT to_shop FROM belongs").fetchone()[0])

    async def cart(self, cart_id: str, now: float) -> StoredCart | None:
        with self._look():
            row = self._db.execute(
                "SELECT version, lines FROM carts WHERE id = ? AND changed > ?",
                (_plain(cart_id), now - CART_LIFETIME),
            ).fetchone()
        return StoredCart(cart_id, row[0], lines(row[1])) if row else None

    async def new_cart(self, cart_id: str, cart: Cart, now: float, once: Once | None = None) -> StoredCart:
        created = StoredCart(cart_id, 1, cart)
        with self._step():
            if (before := self._earlier(once)) is not None:
                return as_cart(before)
            self._db.execute("INSERT INTO carts VALUES (?, 1, ?, ?)", (cart_id, blob(cart), now))
            self._keep(once, created, now)
            self._sweep(now)
        return created

    async def change_cart(
        self, stored: StoredCart, cart: Cart, now: float, once: Once | None = None
    ) -> StoredCart | None:
        with self._step():
            if (before := self._earlier(once)) is not None:
                return as_cart(before)
            changed = self._change(stored, cart, now)
            if changed:
                self._keep(once, changed, now)
        return changed

    def _change(self, stored: StoredCart, cart: Cart, now: float) -> StoredCart | None:
        changed = self._db.execute(
            "UPDATE carts SET version = version + 1, lines = ?, changed = ? WHERE id = ? AND version = ?",
            (blob(cart), now, stored.id, stored.version),
        )
        return StoredCart(stored.id, stored.version + 1, cart) if changed.rowcount else None

    async def drop_cart(self, stored: StoredCart) -> bool:
        with self._look():
            deleted = self._db.execute(
                "DELETE FROM carts WHERE id = ? AND version = ?", (stored.id, stored.version)
            )
        return bool(deleted.rowcount)

    async def begin(self, once: Once, now: float) -> bytes | None:
        with self._step():
            row = self._db.execute(
                "SELECT fingerprint, result, begun FROM requests WHERE key = ?", (once.key,)
            ).fetchone()
            if row is None or (row[1] is None and row[2] + LEASE <= now):
                self._db.execute(
                    "INSERT OR REPLACE INTO requests VALUES (?, ?, NULL, ?, NULL)",
                    (once.key, once.fingerprint, now),
                )
                return None
        check(row[0], once)
        if row[1] is None:
            raise in_progress()
        return bytes(row[1])

    async def give_up(self, once: Once) -> None:
        with self._look():
            self._db.execute("DELETE FROM requests WHERE key = ? AND result IS NULL", (once.key,))

    async def order(self, order_id: str, account: str) -> Order | None:
        with self._look():
            row = self._db.execute(
                "SELECT body FROM orders WHERE id = ? AND account = ?", (_plain(order_id), account)
            ).fetchone()
        return as_order(row[0]) if row else None

    async def orders(self, account: str, page: int = 1) -> tuple[tuple[Order, ...], bool]:
        with self._look():
            rows = self._db.execute(
                "SELECT body FROM orders WHERE account = ? ORDER BY number DESC LIMIT ? OFFSET ?",
                (account, PAGE + 1, (page - 1) * PAGE),
            ).fetchall()
        return tuple(as_order(body) for (body,) in rows[:PAGE]), len(rows) > PAGE

    async def every_order(self, first: int, most: int) -> tuple[Order, ...]:
        with self._look():
            rows = self._db.execute(
                "SELECT body FROM orders ORDER BY number LIMIT ? OFFSET ?", (most, first)
            ).fetchall()
        return tuple(as_order(body) for (body,) in rows)

    async def place(
        self, order: Order, *, once: Once | None = None, emptied: StoredCart | None = None
    ) -> Order:
        with self._step():
            if (before := self._earlier(once)) is not None:
                return as_order(before)
            if emptied and not self._change(emptied, EMPTY, order.placed):
                raise Problem("cart-changed")
            self._db.execute(
                "INSERT INTO orders (id, account, body) VALUES (?, ?, ?)",
                (order.id, order.account, written(order)),
            )
            self._keep(once, order, order.placed)
            self._sweep(order.placed)
        return order

    async def held(self) -> tuple[int, int]:
        with self._look():
            counts = "SELECT (SELECT COUNT(*) FROM carts), (SELECT COUNT(*) FROM orders)"
            carts, orders = self._db.execute(counts).fetchone()
        return carts, orders

    def _earlier(self, once: Once | None) -> bytes | None:
        if once is None:
            return None
        row = self._db.execute(
            "SELECT fingerprint, result FROM requests WHERE key = ? AND result IS NOT NULL", (once.key,)
        ).fetchone()
        if row is None:
            return None
        check(row[0], once)
        return bytes(row[1])

    def _keep(self, once: Once | None, result: StoredCart | Order, now: float) -> None:
        if once is None:
            return
        order_id = result.id if isinstance(result, Order) else None
        self._db.execute(
            "INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?, ?)",
            (once.key, once.fingerprint, written(result), now, order_id),
        )

    @contextmanager
    def _look(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.OperationalError as error:
                raise unavailable() from error

    @contextmanager
    def _step(self) -> Iterator[None]:
        with self._look():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # some failures have ended it already
                    self._db.execute("ROLLBACK")
                raise

    def _sweep(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep:
            return
        self._until_sweep = SWEEP_EVERY
        execute = self._db.execute
        execute("DELETE FROM carts WHERE changed <= ?", (now - CART_LIFETIME,))
        (surplus,) = execute("SELECT COUNT(*) - ? FROM carts", (self._limit,)).fetchone()
        if surplus > 0:
            execute(
                "DELETE FROM carts WHERE id IN (SELECT id FROM carts ORDER BY changed LIMIT ?)", (surplus,)
            )
        execute("DELETE FROM requests WHERE order_id IS NULL AND begun <= ?", (now - CART_LIFETIME,))
        gone = execute(
            "DELETE FROM orders WHERE number <= (SELECT MAX(number) FROM orders) - ?", (self._limit,)
        )
        if gone.rowcount:
            execute("DELETE FROM requests WHERE order_id NOT IN (SELECT id FROM orders)")
        self._sweep_keys()

    def _sweep_keys(self) -> None:
        counted = "SELECT COUNT(*) - ? FROM requests WHERE order_id IS NULL"
        (surplus,) = self._db.execute(counted, (self._limit,)).fetchone()
        if surplus > 0:
            self._db.execute(
                "DELETE FROM requests WHERE key IN "
                "(SELECT key FROM requests WHERE order_id IS NULL ORDER BY begun LIMIT ?)",
                (surplus,),
            )


def _plain(name: str) -> str:
    """A name as it came in a URL or cookie, where anything may stand, as a text that SQLite takes."""
    return name.encode("utf-8", "replace").decode()
