"""A disk without room: what comes is not kept, all else goes on."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from proxy.storage.disk.store import DiskStore
from tests.storage.putting import put

ROOT = Path(__file__).parents[3]


def test_a_full_disk_holds_what_it_held_and_takes_more_when_it_can(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.storage.disk.load", "filled", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *said, account = done.stdout.splitlines()
    assert said[0] == f"said: there is no room in {tmp_path}: what comes is not kept on disk"
    assert all(line.startswith("said: ") for line in said)
    assert account == "True False [] True 0 True"


def test_what_does_not_fit_into_memory_goes_in_and_comes_out_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.storage.disk.load", "stream", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    kept, mebibytes, memory = done.stdout.split()
    assert (kept, mebibytes) == ("True", "200")
    assert int(memory) < 40 << 10


async def test_it_holds_as_much_once_others_had_to_go_as_before(tmp_path: Path) -> None:
    said: list[str] = []
    store = DiskStore(tmp_path, 1 << 20, 1 << 20, say=said.append)
    chance = random.Random(7)
    most = 0
    for number in range(1500):
        for key in (b"%d" % chance.randrange(150), b"passing %d" % number):
            found = store.at_hand(key)
            if found:
                store.touch(found[0])
            else:
                await put(store, key, bytes(900))
        most = max(most, store.figures().entries)
    figures = store.figures()
    assert figures.evicted > 1000
    assert figures.entries > 0.85 * most
    assert said == []
    await store.close()
