"""Invalidating and purging in the map: by key, by label in constant time, and everything."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from proxy.storage.disk.change import Change
from proxy.storage.disk.record import NAME, name_of_key, name_of_label, numbers, packed, sealed
from proxy.storage.disk.tables import Mark
from proxy.storage.head import soften
from proxy.storage.selection import Selection

AT_ONCE = 256
"""How many entries are let go in one change."""

_COUNTED = 10_000
_REMEMBERED = 100_000
_TRIMMED = 64


def invalidate(change: Change, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
    """Remove all entries under these keys or with these labels; how many. Raises lmdb.Error.

    The entries of a label are invalid from now on, however many they are; their room is given back a few at a
    time. Until then one that carries several labels may be counted with each.
    """
    count = 0
    for key in dict.fromkeys(keys):
        name = name_of_key(key)
        for number in change.under(name):
            record = change.record(number)
            if record is not None:
                count += change.usable(record)
                change.drop(record)
        _touch(change, name, hard=True)
        change.changed.add(key)
    for label in dict.fromkeys(labels):
        count += _touch(change, name_of_label(label), hard=True)
        reap(change, AT_ONCE)
    _trim(change)
    return count


def invalidate_everything(change: Change) -> int:
    """Remove all entries, in constant time; how many. Raises lmdb.Error."""
    count = change.counters.entries
    change.floor.since = change.tick()
    change.txn.put(b"floor", change.floor.pack(), db=change.tables.meta)
    reap(change, AT_ONCE)
    return count


def soften_directly(change: Change, wanted: Selection, soft: float) -> int:
    """Have what is wanted by key or label count as stale from `soft` on; how many. Raises lmdb.Error."""
    count = count_directly(change, wanted)
    for key in dict.fromkeys(wanted.keys):
        name = name_of_key(key)
        for number in change.under(name):
            soften_one(change, number, soft)
        _touch(change, name, soft=soft)
    for label in dict.fromkeys(wanted.labels):
        _touch(change, name_of_label(label), soft=soft)
    _trim(change)
    return count


def soften_one(change: Change, number: int, soft: float) -> None:
    """Have one entry count as stale from `soft` on. Raises lmdb.Error."""
    record = change.record(number)
    if record is not None:
        head = soften(record.head, soft)
        if head is not record.head:
            record.head, record.revision = head, change.tick()
            change.put(record)


def count_directly(change: Change, wanted: Selection) -> int:
    """How many are wanted by key or label; of a great many, one may be counted with each of its labels."""
    names = [name_of_label(label) for label in dict.fromkeys(wanted.labels)]
    marks = [(name, mark) for name in names if (mark := change.mark(name)) is not None]
    count = sum(mark.count for _, mark in marks)
    if len(marks) > 1 and count <= _COUNTED:
        count = len({number for name, mark in marks for number in _members(change, name, mark.since)})
    for key in dict.fromkeys(wanted.keys):
        for number in change.under(name_of_key(key)):
            record = change.record(number)
            if record is not None and change.usable(record):
                count += not any(label in wanted.labels for label in record.labels)
    return count


def note_wide(change: Change, wanted: Selection, soft: float | None) -> int:
    """Have what is on its way know of a purge by other things than keys and labels; its tick."""
    tick = change.tick()
    block = sealed(msgspec.msgpack.encode((wanted, soft)))
    change.txn.put(packed((tick,)), block, db=change.tables.wide)
    change.txn.put(packed((tick,)), b"", db=change.tables.changes)
    if wanted.everything and soft is not None:
        change.floor.older, change.floor.soft = tick, soft
        change.txn.put(b"floor", change.floor.pack(), db=change.tables.meta)
    _trim(change)
    return tick


def reap(change: Change, limit: int) -> int:
    """Let at most `limit` of the invalid entries go; how many. Raises lmdb.Error."""
    count = 0
    while count < limit and (number := _invalid(change)) is not None:
        record = change.record(number)
        if record is not None:
            change.drop(record)
        else:
            change.unqueue(number)
        count += 1
    return count


def expire(change: Change, now: float, limit: int) -> int:
    """Let at most `limit` entries go whose deadline was before `now`; how many. Raises lmdb.Error."""
    count = 0
    while count < limit:
        with change.txn.cursor(db=change.tables.due) as cursor:
            if not cursor.first():
                break
            key = bytes(cursor.key())
        deadline, number = numbers(key)
        if not deadline < now:
            break
        change.txn.delete(key, db=change.tables.due)
        record = change.record(number)
        if record is not None and record.deadline == deadline:
            change.drop(record)
            count += 1
    change.counters.expired += count
    return count


def _invalid(change: Change) -> int | None:
    """One entry that is invalid and still held."""
    txn, tables = change.txn, change.tables
    if change.floor.since:
        for table in (tables.entries, tables.places):
            with txn.cursor(db=table) as cursor:
                if cursor.first() and (number := numbers(cursor.key())[0]) < change.floor.since:
                    return number
    with txn.cursor(db=tables.doomed) as cursor:
        name = bytes(cursor.key()) if cursor.first() else None
    while name is not None:
        mark = change.mark(name)
        if mark is not None:
            first = _members(change, name, 0, 1)
            if first and (number := first[0]) < mark.since:
                txn.delete(name + packed((number,)), db=tables.members)
                return number
        txn.delete(name, db=tables.doomed)
        if mark is not None:
            change.put_mark(name, mark)
        with txn.cursor(db=tables.doomed) as cursor:
            name = bytes(cursor.key()) if cursor.first() else None
    return None


def _members(change: Change, name: bytes, since: int, most: int = _COUNTED) -> list[int]:
    """The numbers from `since` on that carry a label, oldest first, at most so many."""
    found: list[int] = []
    with change.txn.cursor(db=change.tables.members) as cursor:
        more = cursor.set_range(name + packed((since,)))
        while more and len(found) < most and (key := bytes(cursor.key()))[:NAME] == name:
            found.append(numbers(key[NAME:])[0])
            more = cursor.next()
    return found


def _touch(change: Change, name: bytes, *, hard: bool = False, soft: float = 0.0) -> int:
    """Note that a key or label was invalidated or softened; how many carry the label."""
    mark = change.mark(name) or Mark()
    count, mark.touched = mark.count, change.tick()
    if hard:
        mark.since, mark.count = mark.touched, 0
        if count:
            change.txn.put(name, b"", db=change.tables.doomed)
    else:
        mark.older, mark.soft = mark.touched, soft
    change.txn.put(name, mark.pack(), db=change.tables.marks)
    change.txn.put(packed((mark.touched,)), name, append=True, db=change.tables.changes)
    return count


def _trim(change: Change) -> None:
    """Forget the oldest changes, so that they take little room: what was begun before them is not kept."""
    txn, tables = change.txn, change.tables
    most = min(_REMEMBERED, change.budget >> 12)
    surplus = min(_TRIMMED, txn.stat(tables.changes)["entries"] - most)
    for _ in range(surplus):
        with txn.cursor(db=tables.changes) as cursor:
            if not cursor.first():
                return
            tick, name = numbers(cursor.key())[0], bytes(cursor.value())
        txn.delete(packed((tick,)), db=tables.changes)
        change.counters.horizon = tick + 1
        if not name:
            txn.delete(packed((tick,)), db=tables.wide)
        elif (mark := change.mark(name)) is not None and mark.touched == tick:
            change.put_mark(name, mark)
