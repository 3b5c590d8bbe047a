"""A disk without room: what comes is not kept, all else goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
