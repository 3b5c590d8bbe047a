"""One change of the map: a write transaction with the counters and what has to be done once it is in."""

from __future__ import annotations

import errno
from collections.abc import Callable
from struct import error as StructError  # noqa: N812 - an exception
from typing import TypeAlias

import lmdb
from msgspec import MsgspecError

from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.record import (
    NOWHERE,
    Record,
    copied,
    name_of_key,
    name_of_label,
    numbers,
    on_disk,
    packed,
    unpack,
)
from proxy.storage.disk.tables import Floor, Mark, Table, Tables, Transaction

BROKEN = (lmdb.Error, Damaged, OSError, ValueError, LookupError, OverflowError, StructError, MsgspecError)
"""What may be raised where the map is damaged, or can't be written."""

Asks: TypeAlias = Callable[[bytes, int], int]
"""How often an entry, by its key and number, was used elsewhere since this was asked."""


def unused(key: bytes, number: int) -> int:
    """Nobody else has it."""
    return 0


class Change:
    """All methods raise lmdb.Error; `Damaged` where the counters or the floor can't be read.

    `changed` are the keys under which something has changed, `gone` the files that nobody refers to any more.
    `asks` tells how often the copy of an entry was used that somebody else holds.
    """

    def __init__(self, tables: Tables, txn: Transaction, budget: int, asks: Asks = unused) -> None:
        self.tables = tables
        self.txn = txn
        self.budget = budget
        self.asks = asks
        self.counters = tables.counters(txn)
        self._before = self.counters.pack()
        self.floor: Floor = tables.floor(txn)
        self.changed: set[bytes] = set()
        self.gone: list[int] = []

    def save(self) -> None:
        """Put down the counters: to be done last. Where nothing has changed, there is no new transaction."""
        block = self.counters.pack()
        if block != self._before:
            self.txn.put(b"counters", block, db=self.tables.meta)

    def tick(self) -> int:
        """The next number."""
        tick = self.counters.tick
        self.counters.tick += 1
        return tick

    def take(self, key: bytes, table: Table) -> bytes | None:
        """What stands in a table, which it leaves."""
        held = self.txn.get(key, db=table)
        if held is None:
            return None
        block = copied(held)
        self.txn.delete(key, db=table)
        return block

    def under(self, name: bytes) -> list[int]:
        """The numbers under the key of this name, oldest first."""
        held = self.txn.get(name, db=self.tables.keys)
        return numbers(held) if held is not None else []

    def record(self, number: int) -> Record | None:
        """The entry; None where there is none, or it is damaged: it is taken out then as far as it goes."""
        table, key = self.tables.where(self.txn, number)
        block = self.txn.get(key, db=table)
        if block is None:
            return None
        try:
            return unpack(memoryview(block), number)
        except Damaged:
            self.txn.delete(key, db=table)
            self.counters.entries = max(0, self.counters.entries - 1)
            self.counters.size = max(0, self.counters.size - self.unqueue(number))
            return None

    def mark(self, name: bytes) -> Mark | None:
        """The mark; one that is damaged counts as set just now, so that what it was for is not used."""
        try:
            return self.tables.mark(self.txn, name)
        except Damaged:
            return Mark(self.counters.tick, self.counters.tick)

    def put_mark(self, name: bytes, mark: Mark) -> None:
        """Put it down, or take it away where it says nothing any more."""
        if mark.count == 0 and mark.touched < max(self.counters.horizon, 1):
            self.txn.delete(name, db=self.tables.marks)
        else:
            self.txn.put(name, mark.pack(), db=self.tables.marks)

    def usable(self, record: Record) -> bool:
        """Whether none of the labels of an entry was invalidated, nor everything."""
        if record.number < self.floor.since:
            return False
        for label in record.labels:
            mark = self.mark(name_of_label(label))
            if mark is None or record.number < mark.since:
                return False
        return True

    def put(self, record: Record) -> None:
        """Put an entry down in its table, whether it is new or has changed."""
        (table, key), block = self.tables.where(self.txn, record.number), record.pack()
        # Behind all others it fills its page; elsewhere one would be split in two halves.
        if record.revision > record.number or not self.txn.put(key, block, append=True, db=table):
            self.txn.put(key, block, db=table)
        self.changed.add(record.key)

    def drop(self, record: Record) -> None:
        """Take an entry out of all tables."""
        txn, tables, counters = self.txn, self.tables, self.counters
        table, key = tables.where(txn, record.number)
        txn.delete(key, db=table)
        name = name_of_key(record.key)
        left = [one for one in self.under(name) if one != record.number]
        if left:
            txn.put(name, packed(left), db=tables.keys)
        else:
            txn.delete(name, db=tables.keys)
        if record.deadline:
            txn.delete(packed((record.deadline, record.number)), db=tables.due)
        for label in dict.fromkeys(record.labels):
            self._leave(name_of_label(label), record.number)
        self.unqueue(record.number)
        if record.file:
            txn.delete(packed((record.file,)), db=tables.files)
            self.gone.append(record.file)
            counters.files = max(0, counters.files - on_disk(record.length))
        counters.entries = max(0, counters.entries - 1)
        counters.size = max(0, counters.size - record.size)
        counters.filling = counters.filling or counters.size * 2 < self.budget
        tables.shared.remember(name)
        self.changed.add(record.key)

    def _leave(self, name: bytes, number: int) -> None:
        if not self.txn.delete(name + packed((number,)), db=self.tables.members):
            return
        mark = self.mark(name)
        if mark is not None and number >= mark.since:
            mark.count = max(0, mark.count - 1)
            self.put_mark(name, mark)

    def unqueue(self, number: int) -> int:
        """Take it out of the queues of eviction; the size that it was put there with."""
        tables, counters = self.tables, self.counters
        place = self.take(packed((number,)), tables.places)
        at = NOWHERE if place is None else bytes(place[1:])
        for fresh, main in zip(tables.fresh, tables.main, strict=True):
            if at != NOWHERE and (held := self.take(at, main)) is not None:
                size = numbers(held)[1]
                counters.main = max(0, counters.main - size)
                return size
            if at == NOWHERE and (held := self.take(packed((number,)), fresh)) is not None:
                size = numbers(held)[0]
                counters.fresh = max(0, counters.fresh - size)
                return size
        return 0


def no_room(error: Exception) -> bool:
    """Whether the map or the disk is full, rather than something wrong with it.

    LMDB calls it an I/O error where the last room has taken a part of what it wrote.
    """
    if isinstance(error, (lmdb.MapFullError, lmdb.TxnFullError)):
        return True
    code = error.errno if isinstance(error, OSError) else getattr(error, "code", 0)
    return code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
