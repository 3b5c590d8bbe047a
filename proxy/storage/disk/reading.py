"""Looking up in the map: what is there and valid, checked before it is given to anybody."""

from __future__ import annotations

from typing import NamedTuple

from proxy.storage.disk.change import Change
from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.invalidating import count_directly
from proxy.storage.disk.record import NAME, Record, name_of_key, name_of_label, numbers, packed, unpack
from proxy.storage.disk.tables import Counters, Floor, Tables, Transaction
from proxy.storage.head import soften
from proxy.storage.selection import Selection


class Found(NamedTuple):
    """An entry, with its head as soft purges have left it."""

    record: Record
    head: bytes


class Reading:
    """One read transaction. Its methods raise lmdb.Error, and `Damaged` where the floor can't be read.

    `damaged` are the numbers of entries that can't be read, which are to be let go.
    """

    __slots__ = ("_floor", "_tables", "_txn", "damaged")

    def __init__(self, tables: Tables, txn: Transaction) -> None:
        self._tables = tables
        self._txn = txn
        self._floor: Floor = tables.floor(txn)
        self.damaged: list[int] = []

    def look_up(self, key: bytes) -> list[Found]:
        """The valid entries under `key`, newest first."""
        held = self._txn.get(name_of_key(key), db=self._tables.keys)
        if held is None:
            return []
        found = []
        for number in reversed(numbers(held)):
            one = self.entry(number)
            if one is not None and one.record.key == key:
                found.append(one)
        return found

    def labelled(self, label: bytes, limit: int) -> list[Found]:
        """At most `limit` valid entries that carry `label`, the newest first."""
        name = name_of_label(label)
        found: list[Found] = []
        with self._txn.cursor(db=self._tables.members) as cursor:
            more = cursor.set_range(name + b"\xff" * 8)
            more = cursor.prev() if more else cursor.last()
            while more and len(found) < limit:
                key = bytes(cursor.key())
                if key[:NAME] != name:
                    break
                one = self.entry(numbers(key[NAME:])[0])
                if one is None:
                    # Those before it are older: where one is invalid, they may all be, a million of them.
                    if self._doomed(name, key):
                        break
                elif label in one.record.labels:
                    found.append(one)
                more = cursor.prev()
        return found

    def entry(self, number: int) -> Found | None:
        """The entry, where it is there, valid and whole."""
        if number < self._floor.since:
            return None
        block = self._tables.block(self._txn, number)
        if block is None:
            return None
        try:
            record = unpack(memoryview(block), number)
            head = record.head
            for label in record.labels:
                mark = self._tables.mark(self._txn, name_of_label(label))
                if mark is None or number < mark.since:
                    return None
                if number < mark.older:
                    head = soften(head, mark.soft)
        except (Damaged, ValueError):
            self.damaged.append(number)
            return None
        if number < self._floor.older:
            head = soften(head, self._floor.soft)
        return Found(record, head)

    def meant(self, wanted: Selection, at: int, end: int, limit: int) -> tuple[list[int], int]:
        """The valid ones that are `wanted` of `limit` entries numbered from `at` to `end`; where to go on."""
        some = self._numbers(at, end, limit)
        found = []
        for number in some:
            one = self.entry(number)
            if one is not None and wanted.meant(one.record.key, one.record.labels):
                found.append(number)
        return found, some[-1] + 1 if len(some) == limit else end

    @property
    def invalid(self) -> bool:
        """Whether there may be entries that are invalid and still held."""
        if self._txn.stat(self._tables.doomed)["entries"]:
            return True
        return self._floor.since > 0 and bool(self._numbers(0, self._floor.since, 1))

    def counters(self) -> Counters:
        """What is counted."""
        return self._tables.counters(self._txn)

    def count(self, wanted: Selection, budget: int) -> int:
        """How many are wanted by key or label."""
        return count_directly(Change(self._tables, self._txn, budget), wanted)

    def _numbers(self, at: int, end: int, limit: int) -> list[int]:
        """The lowest that entries have from `at` on and before `end`, at most so many."""
        found: set[int] = set()
        for table in (self._tables.entries, self._tables.places):
            with self._txn.cursor(db=table) as cursor:
                more = cursor.set_range(packed((at,)))
                for _ in range(limit):
                    if not more or (number := numbers(cursor.key())[0]) >= end:
                        break
                    found.add(number)
                    more = cursor.next()
        return sorted(found)[:limit]

    def _doomed(self, name: bytes, key: bytes) -> bool:
        mark = self._tables.mark(self._txn, name)
        return mark is None or numbers(key[NAME:])[0] < mark.since
