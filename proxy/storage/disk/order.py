"""Which entry on disk to let go when there is no room: S3-FIFO, as in memory, with its queues in the map."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from proxy.storage.disk.change import Change
from proxy.storage.disk.record import NOWHERE, Record, copied, name_of_key, numbers, packed
from proxy.storage.memory.eviction import MOST, USE, price

_SHARE = 10
_WINDOW = 0.9
_STEPS = 64
_AT_MOST = 256


class Lack(Enum):
    """What there is too little of: of the budget, room in the map's file, or room for files beside it."""

    BUDGET = "budget"
    MAP = "map"
    FILES = "files"


_KINDS = {Lack.BUDGET: (False, True), Lack.MAP: (False,), Lack.FILES: (True,)}


class _Place(NamedTuple):
    """Who stands at the end of a queue: `at` is its place in the main one, 0 in the fresh one."""

    number: int
    at: int
    size: int
    large: bool


def enqueue(change: Change, record: Record) -> None:
    """Give a new entry its place: in the main queue where it is back soon, or nothing had to go so far."""
    counters, large = change.counters, record.file > 0
    within = int(_WINDOW * counters.entries) + 1
    back = change.tables.shared.recall(name_of_key(record.key), within)
    if back or (counters.filling and counters.fresh * _SHARE >= change.budget):
        _into_main(change, _Place(record.number, 0, record.size, large), 0)
        return
    key, value = packed((record.number,)), packed((record.size,))
    change.txn.put(key, value, append=True, db=change.tables.fresh[large])
    counters.fresh += record.size


def note_uses(change: Change, uses: list[tuple[int, int]]) -> None:
    """Give credit for what was used, by number; nothing for those that have gone meanwhile."""
    txn, tables = change.txn, change.tables
    for number, times in uses:
        key = packed((number,))
        place = txn.get(key, db=tables.places)
        if place is None and all(txn.get(key, db=fresh) is None for fresh in tables.fresh):
            continue
        credit = min(MOST, USE * times + (0 if place is None else place[0]))
        if place is None or place[0] != credit:
            at = NOWHERE if place is None else copied(place)[1:]
            txn.put(key, bytes((credit,)) + at, db=tables.places)


def make_room(change: Change, block: int, file: int) -> bool:
    """Let entries go until `block` more bytes fit into the map and `file` beside it; whether they do."""
    for _ in range(_AT_MOST):
        lack = _lack(change, block, file)
        if lack is None:
            return True
        if not _evict(change, lack):
            break
    return _lack(change, block, file) is None


def evict_some(change: Change, count: int, lack: Lack) -> None:
    """Let those go that have stood longest, whatever they are worth: it takes the least room to do."""
    for _ in range(count):
        if not _evict(change, lack, 0):
            return


def _lack(change: Change, block: int, file: int) -> Lack | None:
    counters, budget, tables = change.counters, change.budget, change.tables
    beside = counters.files + counters.arriving + tables.fixed
    if counters.size + counters.arriving + block + file > budget:
        return Lack.BUDGET
    if file and max(tables.height(), tables.used(change.txn)) + beside + file > budget:
        return Lack.FILES
    if block and tables.used(change.txn) + block > min(tables.cap, budget - beside):
        return Lack.MAP
    return None


def _evict(change: Change, lack: Lack, steps: int = _STEPS) -> bool:
    """Let the entry go that is worth least, of those whose leaving helps; False where there is none.

    At most so many `steps` are made among those that are worth more.
    """
    change.counters.filling = False
    while True:
        place = _next(change, _KINDS[lack])
        if place is None:
            return False
        credit, cost = _credit(change, place.number), price(place.size, _average(change), place.at > 0)
        record = change.record(place.number) if credit < cost or not steps else None
        if credit < cost and record is not None:
            credit = min(MOST, credit + USE * change.asks(record.key, record.number))
        if credit < cost or not steps:
            break
        steps -= 1
        _leave(change, place)
        _into_main(change, place, credit - cost if place.at else 0)
    if record is not None:
        change.drop(record)
    else:
        _leave(change, place)
    change.counters.evicted += 1
    return True


def _next(change: Change, kinds: tuple[bool, ...]) -> _Place | None:
    """The oldest of the fresh queue while that has its share, of the main queue otherwise."""
    fresh, main, counters = _oldest(change, kinds, False), _oldest(change, kinds, True), change.counters
    if fresh is None or main is None:
        return fresh or main
    return fresh if counters.fresh * _SHARE >= counters.size else main


def _oldest(change: Change, kinds: tuple[bool, ...], main: bool) -> _Place | None:
    """Who has stood longest in the fresh or the main queue, of the large ones and of the small ones."""
    oldest: tuple[int, _Place] | None = None
    for large in kinds:
        table = (change.tables.main if main else change.tables.fresh)[large]
        with change.txn.cursor(db=table) as cursor:
            if cursor.first():
                at, value = numbers(cursor.key())[0], numbers(cursor.value())
                if oldest is None or at < oldest[0]:
                    place = _Place(value[0], at, value[1], large) if main else _Place(at, 0, value[0], large)
                    oldest = at, place
    return None if oldest is None else oldest[1]


def _credit(change: Change, number: int) -> int:
    place = change.txn.get(packed((number,)), db=change.tables.places)
    return 0 if place is None else place[0]


def _average(change: Change) -> float:
    return change.counters.size / max(1, change.counters.entries) or 1


def _leave(change: Change, place: _Place) -> None:
    """Take it from its place in a queue."""
    counters, tables = change.counters, change.tables
    if place.at:
        change.txn.delete(packed((place.at,)), db=tables.main[place.large])
        counters.main = max(0, counters.main - place.size)
    else:
        change.txn.delete(packed((place.number,)), db=tables.fresh[place.large])
        counters.fresh = max(0, counters.fresh - place.size)


def _into_main(change: Change, place: _Place, credit: int) -> None:
    """Put it at the beginning of the main queue, and its block behind all others."""
    txn, counters, tables = change.txn, change.counters, change.tables
    at = packed((counters.place,))
    counters.place += 1
    counters.main += place.size
    table, key = tables.where(txn, place.number)
    if (block := change.take(key, table)) is not None:
        txn.put(at, block, append=True, db=tables.proven)
    txn.put(at, packed((place.number, place.size)), append=True, db=tables.main[place.large])
    txn.put(packed((place.number,)), bytes((credit,)) + at, db=tables.places)
