"""Answers that are kept beside the entries they were made from, in the map.

Nothing takes one away when what it was made from changes: it names the entries that there were under its key,
with the revision of each, and counts only where the map has just these. So whatever is stored, freshened,
purged or let go by any process, an answer from before it is not found any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct as Layout
from zlib import crc32

from proxy.storage.contract import Kept
from proxy.storage.disk.change import Change
from proxy.storage.disk.order import make_room
from proxy.storage.disk.record import (
    NAME,
    NUMBER,
    Record,
    name_of_key,
    name_of_label,
    numbers,
    packed,
    unpack,
)
from proxy.storage.disk.tables import PAGE, Floor, Tables, Transaction
from proxy.storage.head import unpack as stored_in

LONGEST = 8 << 10
"""Bytes of an answer that is kept, at most."""

MOST_ENTRIES = 8
"""Entries under one key whose answers are kept, at most: all of them are looked at each time."""

_SHARE = 8
_WHOLE_NAME = 32
_AT_ONCE = 16

_HEADER = Layout(f"<I{_WHOLE_NAME}s{NAME}sBB")
_STAMP = Layout("<Qdd")
_NO_FLOOR = Floor()

Stamp = tuple[int, float, float]
"""What an entry was when the answer was made: its revision, when it was asked for, from when on it was stale.

A soft purge at a moment before the second, or not before the third, changes nothing in it.
"""


def _stamp(record: Record) -> bytes:
    """That of an entry as it stands in the map."""
    stored = stored_in(record.head)[0]
    stale_from = float("inf") if stored.stale_from is None else stored.stale_from
    return _STAMP.pack(record.revision, stored.request_time, stale_from)


def find(tables: Tables, txn: Transaction, name: bytes) -> Kept | None:
    """The answer called `name`, where all under its key is as it was. Raises lmdb.Error and `Damaged`."""
    place = txn.get(name[:NAME], None, tables.named)
    held = None if place is None else txn.get(place, None, tables.answers)
    if held is None or not _HEADER.size <= len(held) <= 2 * LONGEST:
        return None
    block = bytes(held)
    checksum, own, key_name, count, source = _HEADER.unpack_from(block)
    stamps = _HEADER.size + count * NUMBER
    end = stamps + count * _STAMP.size
    if own != name or not source < count or end > len(block) or crc32(held[4:]) != checksum:
        return None
    under = block[_HEADER.size : stamps]
    listed = txn.get(key_name, None, tables.keys)
    if listed is None or listed != under:
        return None
    held = txn.get(b"floor", None, tables.meta)
    floor = _NO_FLOOR if held is None else Floor.unpack(held)
    records = []
    for at in range(count):
        number = int.from_bytes(under[at * NUMBER : (at + 1) * NUMBER], "big")
        stamp = _STAMP.unpack_from(block, stamps + at * _STAMP.size)
        record = _unchanged(tables, txn, number, stamp, floor)
        if record is None:
            return None
        records.append(record)
    of = records[source]
    heads = (of.head,) if count == 1 else tuple([record.head for record in records])
    return Kept(block[end:], None if of.file else of.content, of.key, heads, of.number)


def _unchanged(tables: Tables, txn: Transaction, number: int, stamp: Stamp, floor: Floor) -> Record | None:
    """The entry, where it is there, valid and as it was. Raises `Damaged`."""
    if number < floor.since or (number < floor.older and _softens(floor.soft, stamp)):
        return None
    block = tables.block(txn, number)
    if block is None:
        return None
    record = unpack(memoryview(block), number)
    if record.revision != stamp[0]:
        return None
    for label in record.labels:
        mark = tables.mark(txn, name_of_label(label))
        if mark is None or number < mark.since or (number < mark.older and _softens(mark.soft, stamp)):
            return None
    return record


def _softens(soft: float, stamp: Stamp) -> bool:
    """Whether a soft purge at that moment changes anything in it: see `StoredResponse.softened`."""
    _, asked, stale_from = stamp
    return not (asked > soft or stale_from <= soft)


def keep(
    change: Change, name: bytes, key: bytes, seen: Sequence[tuple[int, int]], source: int, answer: bytes
) -> bool:
    """Keep an answer under its name, where under `key` there are just the entries that were `seen`.

    These are numbers and revisions; the answer is from the one numbered `source`. Raises lmdb.Error.
    """
    txn, tables = change.txn, change.tables
    key_name = name_of_key(key)
    order = change.under(key_name)
    revisions = dict(seen)
    if set(order) != revisions.keys() or len(order) > MOST_ENTRIES or len(answer) > LONGEST:
        return False
    stamps = []
    for number in order:
        record = change.record(number)
        if record is None or record.revision != revisions[number] or not change.usable(record):
            return False
        stamps.append(_stamp(record))
    header = _HEADER.pack(0, name, key_name, len(order), order.index(source))
    rest = b"".join((header[4:], packed(order), *stamps, answer))
    _forget(change, name)
    if not _fits(change, len(rest)):
        return False
    place = packed((_next(change),))
    txn.put(place, crc32(rest).to_bytes(4, "little") + rest, append=True, db=tables.answers)
    txn.put(name[:NAME], place, db=tables.named)
    return True


def _fits(change: Change, size: int) -> bool:
    """Make room: the oldest answers go where all of them take their share, and else what is worth least."""
    tables = change.tables
    for _ in range(_AT_ONCE):
        stats = [change.txn.stat(table) for table in (tables.answers, tables.named)]
        pages = sum(one["branch_pages"] + one["leaf_pages"] + one["overflow_pages"] for one in stats)
        if (pages + 1) * PAGE <= change.budget // _SHARE:
            break
        with change.txn.cursor(db=tables.answers) as cursor:
            if not cursor.first():
                return False
            held = cursor.value()
            name = bytes(held[4 : 4 + NAME])
            cursor.delete()
        change.txn.delete(name, db=tables.named)
    return make_room(change, size, 0)


def _next(change: Change) -> int:
    """The place behind all answers."""
    with change.txn.cursor(db=change.tables.answers) as cursor:
        return numbers(cursor.key())[0] + 1 if cursor.last() else 1


def _forget(change: Change, name: bytes) -> None:
    """Let go of what was kept under that name."""
    place = change.take(name[:NAME], change.tables.named)
    if place is not None and len(place) == NUMBER:
        change.txn.delete(place, db=change.tables.answers)
