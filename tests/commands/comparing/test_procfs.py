"""Processor time and memory of real processes, read from /proc."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from proxy.commands.comparing.procfs import (
    TICK,
    Process,
    family,
    machine_seconds,
    parse_stat,
    processor_seconds,
    resident_bytes,
    settled_seconds,
)

BURN = """
import time
def burn(seconds):
    while time.process_time() < seconds: pass
"""


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    """A Python program that has printed its first line."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["nginx", "a) b (c", "((", "x 1 2 3 4 5"])
def test_a_name_may_contain_anything(name: str) -> None:
    line = f"42 ({name}) S 7 42 9 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 12345 6 7"
    assert parse_stat(line) == Process(
        pid=42, parent=7, session=9, cpu=200 * TICK, reaped=50 * TICK, began=12345
    )


def test_a_line_that_is_none() -> None:
    with pytest.raises(ValueError, match="not found"):
        parse_stat("nonsense")


def test_what_a_process_burns_is_counted() -> None:
    with running(BURN + "burn(0.3); print('done', flush=True); input()") as process:
        assert processor_seconds([process.pid]) >= 0.3 - 2 * TICK
        assert settled_seconds([process.pid]) >= 0.3 - 2 * TICK


def test_so_is_what_its_children_burn_while_they_live_and_afterwards() -> None:
    child = BURN + "burn(0.2); print(flush=True); input()"
    program = f"""
import subprocess, sys
pipe = subprocess.PIPE
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdin=pipe, stdout=pipe, text=True)
child.stdout.readline()
print("burnt", flush=True)
input()
child.communicate("")
print("ended", flush=True)
input()
"""
    with running(program) as process:
        assert len(family([process.pid])) == 2
        assert processor_seconds([process.pid]) >= 0.2
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        assert len(family([process.pid])) == 1
        assert processor_seconds([process.pid]) >= 0.2


def test_a_family_is_found_by_parents_and_by_sessions() -> None:
    def made(pid: int, parent: int, session: int) -> Process:
        return Process(pid, parent, session, 0.0, 0.0, 0)

    leader, child, grandchild = made(10, 1, 10), made(11, 10, 10), made(12, 11, 99)
    left_behind, stranger = made(13, 1, 10), made(20, 1, 20)
    found = family([10], [stranger, grandchild, left_behind, child, leader])
    assert {one.pid for one in found} == {10, 11, 12, 13}


def test_the_machine_has_spent_more_than_one_process() -> None:
    before = machine_seconds()
    with running(BURN + "burn(0.2); print(flush=True); input()"):
        assert machine_seconds() - before >= 0.2 - 2 * TICK


def test_memory_that_is_held_is_counted() -> None:
    size = 40 << 20
    with running(f"held = bytearray(b'x') * {size}; print(flush=True); input()") as process:
        assert resident_bytes([process.pid]) > size


def test_who_has_gone_takes_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert processor_seconds([process.pid]) == 0
    assert resident_bytes([process.pid]) == 0
    assert processor_seconds([os.getpid()]) > 0
