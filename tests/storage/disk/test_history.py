"""Random histories in several processes, some of which are killed: nobody finds what was let go before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.storage.disk.history import NAMES

ROOT = Path(__file__).parents[3]


def begun(folder: Path, seed: int, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.storage.disk.history", str(folder), str(seed), str(seconds)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def test_nobody_finds_what_any_process_has_let_go(tmp_path: Path) -> None:
    (tmp_path / "floors").write_bytes(bytes(8 * len(NAMES)))
    doomed = begun(tmp_path, 1, 60)
    others = [begun(tmp_path, seed, 1.5) for seed in (2, 3)]
    assert doomed.stdout is not None
    assert doomed.stdout.readline() == "ready\n"
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    doomed.kill()
    assert doomed.communicate()[1] == ""
    accounts = [other.communicate(timeout=60) for other in others]
    assert [errors for _, errors in accounts] == ["", ""]
    assert all(int(account) > 20 for account, _ in accounts)
