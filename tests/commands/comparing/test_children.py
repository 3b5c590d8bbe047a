"""Processes that are started and ended: what they say, and that none stays behind."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.commands.comparing.children import Child
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.procfs import processes

PYTHON = sys.executable


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return any(one.pid == pid for one in processes()) and b"Z" not in state(pid)
    return False


def state(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    return b"Z"


def test_a_program_that_is_not_there(tmp_path: Path, cores: tuple[int, ...]) -> None:
    with pytest.raises(ComparisonError, match=r"server can't be started.*/no/such/program"):
        Child("server", ["/no/such/program"], tmp_path, cores=cores)


def test_who_ends_at_once_is_reported_in_its_own_words(tmp_path: Path, cores: tuple[int, ...]) -> None:
    program = "import sys; print('config', file=sys.stderr); sys.exit('no such directive')"
    with (
        Child("server", [PYTHON, "-c", program], tmp_path, cores=cores) as child,
        pytest.raises(ComparisonError, match=r"status 1.*config \| no such directive"),
    ):
        child.wait_until(lambda: False)


def test_who_is_never_ready(tmp_path: Path, cores: tuple[int, ...]) -> None:
    with (
        Child("server", [PYTHON, "-c", "input()"], tmp_path, cores=cores, pipes=True) as child,
        pytest.raises(ComparisonError, match=r"not ready after 0\.1 s"),
    ):
        child.wait_until(lambda: False, patience=0.1)


def test_who_says_nothing(tmp_path: Path, cores: tuple[int, ...]) -> None:
    with (
        Child("server", [PYTHON, "-c", "input()"], tmp_path, cores=cores, pipes=True) as child,
        pytest.raises(ComparisonError, match="says nothing"),
    ):
        child.receive(patience=0.1)


def test_lines_in_and_out(tmp_path: Path, cores: tuple[int, ...]) -> None:
    program = "print(input().upper(), flush=True); print(input().upper(), flush=True)"
    with Child("server", [PYTHON, "-c", program], tmp_path, cores=cores, pipes=True) as child:
        child.send("one")
        assert child.receive() == "ONE"
        child.send("two")
        assert child.receive() == "TWO"
        with pytest.raises(ComparisonError, match="before it was done"):
            child.receive()


def test_a_whole_output(tmp_path: Path, cores: tuple[int, ...]) -> None:
    with Child("load", [PYTHON, "-c", "print('counted')"], tmp_path, cores=cores, pipes=True) as child:
        assert child.finish(30) == "counted\n"
    with (
        Child("load", [PYTHON, "-c", "raise SystemExit(3)"], tmp_path, cores=cores, pipes=True) as child,
        pytest.raises(ComparisonError, match="status 3"),
    ):
        child.finish(30)


def test_it_runs_where_it_is_told_to(tmp_path: Path, cores: tuple[int, ...]) -> None:
    program = "import os; print(sorted(os.sched_getaffinity(0)), os.environ.get('A'), os.environ.get('HOME'))"
    env = {"A": "b", "HOME": None}
    with Child("one", [PYTHON, "-c", program], tmp_path, cores=cores[:1], env=env, pipes=True) as child:
        assert child.finish(30) == f"[{cores[0]}] b None\n"
    assert tuple(os.sched_getaffinity(0)) == cores


def test_neither_it_nor_its_children_stay_behind(tmp_path: Path, cores: tuple[int, ...]) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    program = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {stubborn!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
input()
"""
    with Child("server", [PYTHON, "-c", program], tmp_path, cores=cores, pipes=True) as child:
        grandchild = int(child.receive())
        assert lives(child.pid)
        assert lives(grandchild)
    assert not lives(child.pid)
    until = time.monotonic() + 10
    while lives(grandchild) and time.monotonic() < until:
        time.sleep(0.01)
    assert not lives(grandchild)
    child.end()


def test_an_exception_ends_it_too(tmp_path: Path, cores: tuple[int, ...]) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        Child("server", [PYTHON, "-c", "input()"], tmp_path, cores=cores, pipes=True) as child,
    ):
        raise KeyboardInterrupt
    assert not lives(child.pid)
