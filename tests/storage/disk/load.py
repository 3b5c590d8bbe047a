"""Other processes on the same folder: `python -m tests.storage.disk.load WHAT FOLDER`.

A content tells its key and a number, over and over, so that a torn one, or one of another key, shows.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import sys
import time

from proxy.storage.disk.errors import Damaged
from proxy.storage.disk.store import DiskStore
from tests.storage.putting import DIGEST, response

BUDGET = 8 << 20
SIZES = (10, 1000, 5000, 15_000, 40_000, 300_000)


def content(key: bytes, number: int, size: int) -> bytes:
    line = b"%s %d\n" % (key, number)
    return (line * (size // len(line) + 1))[:size]


def right(key: bytes, found: bytes) -> bool:
    """Whether all of it is one content of this key."""
    number = found.removeprefix(key + b" ").partition(b"\n")[0]
    return found.startswith(key + b" ") and found == content(key, int(number or 0), len(found))


async def read_all(store: DiskStore, key: bytes) -> list[bytes]:
    """The contents under a key; one that is broken off is none, but it may not be passed off as whole."""
    found = []
    for entry in store.at_hand(key):
        try:
            found.append(b"".join([piece async for piece in entry.read(0, entry.stored.length - 1)]))
        except Damaged:
            continue
    return found


async def keep(store: DiskStore, key: bytes, body: bytes, labels: tuple[bytes, ...] = ()) -> bool:
    writer = store.begin(key, labels, store.at_hand(key), len(body))
    if writer is None:
        return False
    for at in range(0, len(body), 50_000):
        if not writer.write(body[at : at + 50_000]):
            return False
        await asyncio.sleep(0)
    return await writer.commit(response(len(body)), DIGEST) is not None


async def wild(store: DiskStore, seed: int) -> None:
    """Everything at random, several at a time, until it is killed."""
    rng = random.Random(seed)

    async def once() -> None:
        key, label = b"k%d" % rng.randrange(60), b"l%d" % rng.randrange(3)
        choice = rng.random()
        if choice < 0.5:
            await keep(store, key, content(key, rng.randrange(1000), rng.choice(SIZES)), (label,))
        elif choice < 0.6:
            await store.invalidate([key], [])
        elif choice < 0.63:
            await store.invalidate([], [label])
        else:
            for found in await read_all(store, key):
                assert right(key, found), (key, found[:40])

    print(os.getpid(), flush=True)
    while True:
        await asyncio.gather(*(once() for _ in range(8)))


def begin_many(folder: str) -> None:
    """A process with a random load for each line on the input, which is its seed; each says its number."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while line := sys.stdin.readline():
        if os.fork() == 0:
            asyncio.run(main("wild", folder, line.strip()))


async def told(store: DiskStore) -> None:
    """Does what it is told by lines on its input, and answers each with a line."""
    loop = asyncio.get_running_loop()
    writers = {}
    print("ready", flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.buffer.readline)).split():
        what, *of = line
        if what == b"put":
            answer: object = await keep(store, of[0], content(of[0], 1, int(of[1])), tuple(of[2:]))
        elif what == b"begin":
            writers[of[0]] = store.begin(of[0], tuple(of[1:]), (), 1)
            answer = writers[of[0]].write(b"x")
        elif what == b"commit":
            answer = await writers[of[0]].commit(response(1), DIGEST) is not None
        elif what == b"invalidate":
            answer = await store.invalidate([], of)
        elif what == b"hold":
            with store._mapped.tables.env.begin(write=True):
                print("held", flush=True)
                time.sleep(600)  # noqa: ASYNC251 - until it is killed
        else:
            answer = all([right(of[0], found) for found in await read_all(store, of[0])] or [False])
        print(answer, flush=True)


async def filled(store: DiskStore) -> None:
    """Stores more than the system lets it write, then tells how that went."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
    kept = [await keep(store, b"%d" % one, content(b"%d" % one, 1, 2000), (b"l",)) for one in range(600)]
    large = await keep(store, b"large", content(b"large", 1, 700_000))
    wrong = [
        one
        for one in range(600)
        for found in await read_all(store, b"%d" % one)
        if not right(b"%d" % one, found)
    ]
    gone = await store.invalidate([b"0"], [b"l"])
    left = sum(len(store.at_hand(b"%d" % one)) for one in range(600))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    again = await keep(store, b"again", content(b"again", 1, 2000)) and await read_all(store, b"again") != []
    print(kept.count(True) > 100, large, wrong, gone > 0, left, again)


async def stream(store: DiskStore) -> None:
    """A content of 200 MiB goes in and comes out again; tells what memory that took, in KiB."""
    piece = random.Random(1).randbytes(64 << 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    writer = store.begin(b"key", (), (), 200 << 20)
    kept = writer is not None
    for _ in range(3200):
        kept = kept and writer is not None and writer.write(piece)
    entry = await writer.commit(response(200 << 20), DIGEST) if writer is not None else None
    count = 0
    if entry is not None:
        async for part in entry.read(0, (200 << 20) - 1):
            whole = [bytes(part[at : at + len(piece)]) == piece for at in range(0, len(part), len(piece))]
            count += len(part) if all(whole) else 0
    print(kept, count >> 20, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


async def main(what: str, folder: str, *more: str) -> None:
    budget, limit = (BUDGET, 2 << 20) if what != "stream" else (1 << 30, 256 << 20)
    store = DiskStore(folder, budget, limit, say=lambda line: print("said:", line, flush=True))
    if what == "wild":
        await wild(store, int(more[0]))
    elif what == "told":
        await told(store)
    elif what == "stream":
        await stream(store)
    else:
        await filled(store)
    await store.close()


if __name__ == "__main__":
    if sys.argv[1] == "many":
        begin_many(sys.argv[2])
    else:
        asyncio.run(main(*sys.argv[1:]))
