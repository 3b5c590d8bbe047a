"""One of several processes with a random history: `python -m tests.storage.disk.history FOLDER SEED SECONDS`.

A content tells when it was begun. Of each key and label all processes share when the last invalidation that
has ended began: what was begun before that may not be found by who looks afterwards.
"""

from __future__ import annotations

import asyncio
import mmap
import random
import sys
import time
from pathlib import Path

from proxy.storage.disk.entry import DiskEntry
from proxy.storage.disk.store import DiskStore
from proxy.storage.selection import Selection
from tests.storage.disk.load import BUDGET, read_all
from tests.storage.putting import DIGEST, response

KEYS = [b"GET http://a/k%d" % number for number in range(12)]
LABELS = [b"l%d" % number for number in range(3)]
NAMES = [*KEYS, *LABELS]


class History:
    """What one process does, and what it found wrong."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.store = DiskStore(folder / "cache", BUDGET, 1 << 20)
        self.rng = random.Random(seed)
        with (folder / "floors").open("r+b") as file:
            self.floors = memoryview(mmap.mmap(file.fileno(), 8 * len(NAMES))).cast("Q")
        self.held: list[DiskEntry] = []
        self.reads = 0

    def floor(self, key: bytes) -> int:
        """What is found under `key` from now on was begun after this."""
        return max(self.floors[NAMES.index(name)] for name in (key, self.label(key)))

    def label(self, key: bytes) -> bytes:
        return LABELS[KEYS.index(key) % len(LABELS)]

    async def keep(self, key: bytes) -> None:
        writer = self.store.begin(key, (self.label(key),), self.store.at_hand(key), None)
        if writer is not None:
            line = b"%s %d\n" % (key, time.monotonic_ns())
            size = self.rng.choice((40, 2000, 30_000, 200_000))
            writer.write((line * (size // len(line) + 1))[:size])
            await asyncio.sleep(self.rng.random() * 0.01)
            await writer.commit(response(size), DIGEST)

    async def let_go(self, *names: bytes) -> None:
        began = time.monotonic_ns()
        keys = [name for name in names if name in KEYS]
        labels = [name for name in names if name in LABELS]
        choice = self.rng.random()
        if choice < 0.8 or labels:
            await self.store.invalidate(keys, labels)
        elif choice < 0.9:
            await self.store.purge(Selection(prefixes=(b"http://a/",)))
            names = tuple(NAMES)
        else:
            await self.store.purge(Selection(everything=True))
            names = tuple(NAMES)
        for name in names:
            at = NAMES.index(name)
            self.floors[at] = max(self.floors[at], began)

    async def read(self, key: bytes) -> None:
        floor = self.floor(key)
        for found in await read_all(self.store, key):
            line = found.partition(b"\n")[0] + b"\n"
            begun = int(line.removeprefix(key + b" "))
            assert begun > floor, f"{key!r} was invalidated {(floor - begun) / 1e6:.1f} ms after it was begun"
            assert found == (line * (len(found) // len(line) + 1))[: len(found)], "torn"
            self.reads += 1
        self.held = [*self.held, *self.store.at_hand(key)][-20:]

    def look_again(self) -> None:
        """What was found before says by its state whether it still holds."""
        for entry in self.held:
            floor = self.floor(entry.key)
            if entry.state is not None and entry.content is not None:
                begun = int(entry.content.partition(b"\n")[0].removeprefix(entry.key + b" "))
                assert begun > floor, "the state of what was invalidated"

    async def step(self) -> None:
        key, choice = self.rng.choice(KEYS), self.rng.random()
        if choice < 0.35:
            await self.keep(key)
        elif choice < 0.4:
            await self.let_go(key)
        elif choice < 0.42:
            await self.let_go(self.label(key))
        elif choice < 0.5:
            self.look_again()
        else:
            await self.read(key)


async def main(folder: str, seed: str, seconds: str) -> None:
    history = History(Path(folder), int(seed))
    print("ready", flush=True)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        await asyncio.gather(*(history.step() for _ in range(6)))
    await history.store.close()
    print(history.reads)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
