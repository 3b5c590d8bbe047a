"""Storing and freshening in the map, by the order of what was invalidated meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from proxy.caching.stored import StoredResponse
from proxy.storage.disk.change import Change
from proxy.storage.disk.invalidating import reap
from proxy.storage.disk.order import enqueue, make_room
from proxy.storage.disk.record import (
    LARGEST,
    Record,
    name_of_key,
    name_of_label,
    numbers,
    on_disk,
    packed,
    unsealed,
)
from proxy.storage.disk.tables import Mark
from proxy.storage.head import pack, unpack
from proxy.storage.selection import Selection

_EACH_TIME = 4
_LATEST = 1 << 53

selection_decoder = msgspec.msgpack.Decoder(tuple[Selection, float | None])


@dataclass(frozen=True, slots=True)
class Arrived:
    """A content that has come, with all that is to be stored with it.

    `begun` is the tick at which it was begun.
    """

    key: bytes
    labels: tuple[bytes, ...]
    replaces: tuple[int, ...]
    begun: int
    stored: StoredResponse
    digest: str
    expires: float | None
    content: bytes = b""
    file: int = 0
    sums: bytes = b""


def keep(change: Change, arrived: Arrived, variants: int) -> Record | None:
    """Make it findable; None where it doesn't fit, or was invalidated meanwhile. Raises lmdb.Error."""
    if arrived.file:
        release(change, arrived.file)
    stored = _outlived(change, arrived)
    if stored is None:
        return None
    reap(change, _EACH_TIME)
    record = Record(
        change.tick(),
        0,
        deadline_of(arrived.expires),
        arrived.file,
        stored.length,
        arrived.key,
        tuple(dict.fromkeys(arrived.labels)),
        pack(stored, arrived.digest),
        arrived.sums,
        arrived.content,
    )
    record.revision = record.number
    if len(record.pack()) > LARGEST:
        return None
    for number in arrived.replaces:
        old = change.record(number)
        if old is not None:
            change.drop(old)
    name = name_of_key(record.key)
    _trim(change, name, variants)
    if not make_room(
        change, record.size - record.length if record.file else record.size, record.file and record.length
    ):
        return None
    _enter(change, name, record)
    return record


def freshen(
    change: Change, number: int, stored: StoredResponse, digest: str, expires: float | None
) -> Record | None:
    """Replace what is known of an entry; None where it has left. Raises lmdb.Error."""
    record = change.record(number)
    if record is None or not change.usable(record):
        return None
    stale_from = unpack(record.head)[0].stale_from
    if stale_from is not None:
        stored = stored.softened(stale_from)
    return rewrite(change, record, pack(stored, digest), deadline_of(expires))


def rewrite(change: Change, record: Record, head: bytes, deadline: int) -> Record | None:
    """Give an entry another head and deadline; None where it had to go for want of room."""
    before = record.size
    txn, due = change.txn, change.tables.due
    if record.deadline != deadline:
        if record.deadline:
            txn.delete(packed((record.deadline, record.number)), db=due)
        if deadline:
            txn.put(packed((deadline, record.number)), b"", db=due)
    record.deadline, record.head, record.revision = deadline, head, change.tick()
    change.put(record)
    change.counters.size += record.size - before
    if record.size > before and not make_room(change, 1, 0):
        change.drop(record)
        return None
    return record if change.tables.block(change.txn, record.number) is not None else None


def reserve(change: Change, file: int, more: int) -> bool:
    """Set bytes aside for a large content on its way, and let others go for it; False where that can't be."""
    if not make_room(change, 0, more):
        return False
    change.counters.arriving += more
    key = packed((file,))
    held = change.txn.get(key, db=change.tables.arriving)
    before = 0 if held is None else numbers(held)[0]
    change.txn.put(key, packed((before + more,)), db=change.tables.arriving)
    return True


def release(change: Change, file: int) -> None:
    """Nothing is set aside any more for what was on its way."""
    held = change.take(packed((file,)), change.tables.arriving)
    if held is not None:
        change.counters.arriving = max(0, change.counters.arriving - numbers(held)[0])


def forget_arriving(change: Change) -> None:
    """Nothing is on its way: give back what was set aside. Raises lmdb.Error."""
    change.txn.drop(change.tables.arriving, delete=False)
    change.counters.arriving = 0


def deadline_of(expires: float | None) -> int:
    """Whole seconds, not before `expires`; 0 where that never comes."""
    return 0 if expires is None or not expires < _LATEST else max(1, math.ceil(expires))


def _outlived(change: Change, arrived: Arrived) -> StoredResponse | None:
    """What is to be stored, as softly purged meanwhile; None where it was invalidated since it was begun."""
    stored, begun = arrived.stored, arrived.begun
    if begun < change.counters.horizon or begun <= change.floor.since:
        return None
    names = [name_of_key(arrived.key), *map(name_of_label, arrived.labels)]
    for name in names:
        mark = change.mark(name)
        if mark is not None and mark.since >= begun:
            return None
        if mark is not None and mark.older >= begun:
            stored = stored.softened(mark.soft)
    with change.txn.cursor(db=change.tables.wide) as cursor:
        if cursor.set_range(packed((begun,))):
            for block in cursor.iternext(keys=False, values=True):
                wanted, soft = selection_decoder.decode(unsealed(block))
                if wanted.meant(arrived.key, arrived.labels):
                    if soft is None:
                        return None
                    stored = stored.softened(soft)
    return stored.softened(change.floor.soft) if change.floor.older >= begun else stored


def _trim(change: Change, name: bytes, variants: int) -> None:
    """Let the oldest under a key go, so that there is a place for one more."""
    held = change.under(name)
    for number in held[: max(0, len(held) - variants + 1)]:
        old = change.record(number)
        if old is not None:
            change.drop(old)
            change.counters.evicted += 1


def _enter(change: Change, name: bytes, record: Record) -> None:
    """Put a new entry into all tables."""
    txn, tables, counters = change.txn, change.tables, change.counters
    number = packed((record.number,))
    enqueue(change, record)
    change.put(record)
    txn.put(name, packed((*change.under(name), record.number)), db=tables.keys)
    if record.deadline:
        txn.put(packed((record.deadline, record.number)), b"", db=tables.due)
    for label in record.labels:
        carried = name_of_label(label)
        txn.put(carried + number, b"", db=tables.members)
        mark = change.mark(carried) or Mark()
        mark.count += 1
        txn.put(carried, mark.pack(), db=tables.marks)
    if record.file:
        txn.put(packed((record.file,)), number, db=tables.files)
        counters.files += on_disk(record.length)
    counters.entries += 1
    counters.size += record.size
