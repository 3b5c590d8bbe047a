"""A log that goes to a pipe or to standard output: who reads it may stop, and come back."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest

from proxy.server.log import file as logfile
from proxy.server.log import records as log_module
from proxy.visibility.record import decode
from tests.server.log.written import Open, Said, start, until
from tests.visibility.exchanges import account


def test_a_reader_that_is_killed_and_one_that_comes_after(tmp_path: Path, open_log: Open, said: Said) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = open_log(path)
    log.put(account(id="one"))
    until(lambda: said or _readable(reader))
    assert decode(os.read(reader, 100_000)).id == "one"
    os.close(reader)
    log.put(account(id="two"))
    assert "Broken pipe" in said.wait("can't be written")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        said.wait("can be written again")
        assert decode(os.read(reader, 100_000)).id == "two"
    finally:
        os.close(reader)
    assert log.lost == 0


def test_a_reader_that_does_not_read_holds_nothing_up(
    tmp_path: Path, open_log: Open, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "PATIENCE", 0.01)
    monkeypatch.setattr(log_module, "SAY_AGAIN", 0.0)
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = open_log(path, capacity=50_000)
        put = 0
        while not any("its reader does not keep up" in line for line in said):
            log.put(account(id=f"{put}", error="x" * (put % 5 * 1500)))
            put += 1
        found = b""
        while not any("can be written again" in line for line in said):
            found += os.read(reader, 100_000) if _readable(reader) else b""
        log.close(20)
        while data := os.read(reader, 100_000):
            found += data
    finally:
        os.close(reader)
    whole = [line for line in found.splitlines() if line.endswith(b"}") and line.startswith(b"{")]
    numbers = [int(decode(line).id) for line in whole]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == put - log.lost


def test_standard_output() -> None:
    script = """
        from proxy.server.log.records import RecordLog
        from proxy.visibility.redaction import Redaction
        from tests.visibility.exchanges import account
        log = RecordLog("-", Redaction())
        for number in range(300):
            log.put(account(id=f"{number}"))
        log.close()
        print("still open")
    """
    told = start(script, stdout=subprocess.PIPE).communicate(timeout=60)[0].splitlines()
    assert [decode(line).id for line in told[:-1]] == [f"{number}" for number in range(300)]
    assert told[-1] == b"still open"


def test_standard_output_that_nobody_reads_any_more() -> None:
    script = """
        import sys, time
        from proxy.server.log.records import RecordLog
        from proxy.visibility.redaction import Redaction
        from tests.visibility.exchanges import account
        log = RecordLog("-", Redaction(), retry=0.01)
        sys.stdin.readline()
        log.put(account())
        log.close()
    """
    process = start(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    told = process.communicate(b"\n", timeout=60)[1].decode().splitlines()
    assert process.returncode == 0
    assert told == [
        "pellucid: the log standard output can't be written (Broken pipe): 0 lines lost so far",
        "pellucid: the log standard output lacks 1 line",
    ]


def _readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0.005)[0])
