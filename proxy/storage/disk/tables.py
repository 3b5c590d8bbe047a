"""The map (LMDB) and what stands in it: one table for each question that is asked."""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Iterable
from struct import Struct as Layout
from typing import TypeAlias
from zlib import crc32

import lmdb
import msgspec

from proxy.storage.disk.record import NOWHERE, NUMBER, sealed, unsealed
from proxy.storage.disk.shared import Shared

Buffer: TypeAlias = bytes | memoryview
Table: TypeAlias = "lmdb._Database"
Transaction: TypeAlias = "lmdb.Transaction[bytes | memoryview]"

PAGE = min(mmap.PAGESIZE, 0x8000)
"""Bytes of a page of the map: the system's, as LMDB has it."""

TABLES = 24
READERS = 1024
"""How many look-ups may be under way at one moment in all processes together."""

_RESERVE = 16
_NOT_COUNTED = 16
_SMALL_FILES = 128 << 10
_PER_GHOST = 4096
_MOST_GHOSTS = 1 << 21

_COUNTERS = Layout("<QQQQQQQQQQQ?")
_FLOOR = Layout("<QQd")
_MARK = Layout("<QQQQd")


class Counters(msgspec.Struct):
    """What would take long to count. They stand in the map and change with what they count.

    `tick` is the next number for an entry or a change. `entries`, their `size` in bytes, of that `files`;
    `arriving` bytes are set aside for large contents on their way. `fresh` and `main` are the bytes in the
    queues of eviction, `place` the next place in the main one; it is `filling` until something had to go.
    What was invalidated before the tick `horizon` is not remembered any more.
    """

    tick: int = 1
    entries: int = 0
    size: int = 0
    files: int = 0
    arriving: int = 0
    evicted: int = 0
    expired: int = 0
    fresh: int = 0
    main: int = 0
    place: int = 1
    horizon: int = 0
    filling: bool = True

    @classmethod
    def unpack(cls, block: Buffer | None) -> Counters:
        """Raises `Damaged`."""
        return cls(*_COUNTERS.unpack(unsealed(block))) if block is not None else cls()

    def pack(self) -> bytes:
        return sealed(_COUNTERS.pack(*msgspec.structs.astuple(self)))


class Floor(msgspec.Struct):
    """What holds for all entries: those numbered below `since` are invalid.

    Those numbered below `older` count as stale from `soft` on (seconds since the epoch).
    """

    since: int = 0
    older: int = 0
    soft: float = 0.0

    @classmethod
    def unpack(cls, block: Buffer | None) -> Floor:
        """Raises `Damaged`."""
        return cls(*_FLOOR.unpack(unsealed(block))) if block is not None else cls()

    def pack(self) -> bytes:
        return sealed(_FLOOR.pack(self.since, self.older, self.soft))


class Mark(msgspec.Struct):
    """What holds for a label, or for a key that was invalidated.

    Entries numbered below `since` are invalid; `count` others carry the label. Those numbered below `older`
    count as stale from `soft` on (seconds since the epoch). `touched` is the tick of the last of either.
    """

    since: int = 0
    touched: int = 0
    count: int = 0
    older: int = 0
    soft: float = 0.0

    @classmethod
    def unpack(cls, block: Buffer) -> Mark:
        """Raises `Damaged`."""
        return cls(*_MARK.unpack(unsealed(block)))

    def pack(self) -> bytes:
        return sealed(_MARK.pack(self.since, self.touched, self.count, self.older, self.soft))


def identity(folder: str) -> list[tuple[int, int]]:
    """What tells a map's file and its lock from others that stand in their places. Raises OSError."""
    found = [os.stat(os.path.join(folder, name)) for name in ("data.mdb", "lock.mdb")]
    return [(one.st_dev, one.st_ino) for one in found]


class Tables:
    """An opened map.

    `meta`: the counters and the floor. `entries`: blocks by number, of those in the fresh queue; `proven`:
    by place, of those in the main one. So who leaves together stands together, and gives back whole pages:
    a page with one block left on it takes as much room as a full one. `keys`: numbers by the key's name,
    oldest first. `fresh` and `main`: the queues of eviction, of small ones and of large ones; `places`:
    credit and place of those that have any. `marks`: by the name of a label or key; `members`: a label's name
    and a number; `doomed`: labels with entries that have to be let go. `due`: deadline and number. `changes`
    and `wide`: what was invalidated, by tick. `files`: the number of the entry by its file; `arriving`: the
    bytes set aside for one on its way. `answers`: by place, the oldest first; `named`: places by name.
    """

    def __init__(self, folder: str, budget: int, most: int) -> None:
        """Open the map in `folder`; it may grow to `most` bytes. Raises lmdb.Error and OSError."""
        self.folder = folder
        self._base = crc32(folder.encode()) << 40
        self.cap = most - most // _RESERVE - (1 << 18)
        self.shared = Shared(os.path.join(folder, "shared"), min(budget // _PER_GHOST, _MOST_GHOSTS))
        # Not synchronous: see `proxy.storage.disk.folder`. Not a writable map: a full disk would then end the
        # process, and a stray pointer could reach it.
        self.env = env = lmdb.open(
            folder,
            map_size=most,
            max_dbs=TABLES,
            max_readers=READERS,
            sync=False,
            metasync=False,
            readahead=False,
            mode=0o600,
        )
        self.identity = identity(folder)
        self.length = 0  # of the map's file, when it was looked at last
        self.meta = env.open_db(b"meta")
        self.entries = env.open_db(b"entries")
        self.proven = env.open_db(b"proven")
        self.keys = env.open_db(b"keys")
        self.fresh = env.open_db(b"fresh"), env.open_db(b"fresh, large")
        self.main = env.open_db(b"main"), env.open_db(b"main, large")
        self.places = env.open_db(b"places")
        self.marks = env.open_db(b"marks")
        self.members = env.open_db(b"members")
        self.doomed = env.open_db(b"doomed")
        self.due = env.open_db(b"due")
        self.changes = env.open_db(b"changes")
        self.wide = env.open_db(b"wide")
        self.files = env.open_db(b"files")
        self.arriving = env.open_db(b"arriving")
        self.answers = env.open_db(b"answers")
        self.named = env.open_db(b"named")
        self.all = (
            self.meta, self.entries, self.proven, self.keys, *self.fresh, *self.main, self.places, self.marks,
            self.members, self.doomed, self.due, self.changes, self.wide, self.files, self.arriving,
            self.answers, self.named,
        )  # fmt: skip
        self._heavy = {self.entries, self.proven, self.answers}
        self._slight = self._until_counted = 0

    @property
    def retired(self) -> bool:
        """Whether the folder was given up, by whichever process."""
        return self.shared.retired

    @property
    def number(self) -> int:
        """The number of the last transaction: another one as soon as any process has changed anything."""
        return self.env.info()["last_txnid"]

    @property
    def epoch(self) -> int:
        """A number that moves with each change, and is another one in each folder."""
        return self._base + self.number

    @property
    def fixed(self) -> int:
        """The bytes of the small files beside the map."""
        return self.shared.size + _SMALL_FILES

    def height(self) -> int:
        """The bytes of the map's file: it never becomes smaller."""
        return (self.env.info()["last_pgno"] + 1) * PAGE

    def used(self, txn: Transaction) -> int:
        """The bytes of the map that are in use, about: what changes by little is counted now and then."""
        if self._until_counted == 0:
            self._until_counted, self._slight = _NOT_COUNTED, _pages(txn, set(self.all) - self._heavy)
        self._until_counted -= 1
        return (self._slight + _pages(txn, self._heavy)) * PAGE

    def where(self, txn: Transaction, number: int) -> tuple[Table, bytes]:
        """The table and the key of an entry's block."""
        key = number.to_bytes(NUMBER, "big")
        place = txn.get(key, None, self.places)
        at = NOWHERE if place is None else bytes(place[1:9])
        return (self.entries, key) if at == NOWHERE else (self.proven, at)

    def block(self, txn: Transaction, number: int) -> Buffer | None:
        """An entry's block, as it stands in the map."""
        table, key = self.where(txn, number)
        return txn.get(key, db=table)

    def counters(self, txn: Transaction) -> Counters:
        """Raises `Damaged`."""
        return Counters.unpack(txn.get(b"counters", db=self.meta))

    def floor(self, txn: Transaction) -> Floor:
        """Raises `Damaged`."""
        return Floor.unpack(txn.get(b"floor", db=self.meta))

    def mark(self, txn: Transaction, name: bytes) -> Mark | None:
        """Raises `Damaged`."""
        block = txn.get(name, db=self.marks)
        return None if block is None else Mark.unpack(block)

    def path_of(self, file: int) -> str:
        """Where a large content stands."""
        name = f"{file:016x}"
        return os.path.join(self.folder, "contents", name[:2], name)

    def unlink(self, file: int) -> None:
        """Take a large content away; who reads it still can."""
        with contextlib.suppress(OSError):
            os.unlink(self.path_of(file))

    def close(self) -> None:
        """Nobody uses it any more."""
        self.env.close()
        self.shared.close()


def _pages(txn: Transaction, tables: Iterable[Table]) -> int:
    stats = [txn.stat(table) for table in tables]
    return sum(one["branch_pages"] + one["leaf_pages"] + one["overflow_pages"] for one in stats)
