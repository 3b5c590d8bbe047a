"""What happens to the log of a running proxy: it goes on serving, and every line that is there is whole."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.attack.test_telling import answered
from tests.real.running import free_port


@contextmanager
def proxy(log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A proxy without an origin, which writes its log there, and its address."""
    address = f"127.0.0.1:{free_port()}"
    command = f"-m proxy serve --upstream http://127.0.0.1:1 --listen {address} --log {log}"
    with subprocess.Popen([sys.executable, *command.split()], stdout=-3, stderr=subprocess.PIPE) as process:
        try:
            yield process, address
        finally:
            process.terminate()
            process.communicate(timeout=20)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.01)


def ask(address: str) -> None:
    """One exchange, which is recorded as any other: nobody is behind the proxy."""
    assert asyncio.run(answered(address)).startswith(b"HTTP/1.1 502 ")


def records(path: Path) -> int:
    """The number of records in a log; each line has to be one, but for those that were torn on purpose."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    found = 0
    for line in lines:
        if not line.startswith(b"TORN"):
            assert line.endswith(b"\n")
            assert json.loads(line)["response"]["status"] == 502
            found += 1
    return found


def test_a_log_is_moved_removed_and_cut_while_it_is_written(tmp_path: Path) -> None:
    log, moved = tmp_path / "log", tmp_path / "moved"
    with proxy(log) as (process, address):
        ask(address)
        until(lambda: records(log) == 1)
        log.rename(moved)
        process.send_signal(signal.SIGHUP)
        until(log.exists)
        ask(address)
        until(lambda: records(log) == 1)
        assert records(moved) == 1
        os.truncate(log, 0)
        ask(address)
        until(lambda: records(log) == 1)
        log.unlink()
        process.send_signal(signal.SIGHUP)
        until(log.exists)
        ask(address)
        until(lambda: records(log) == 1)
        assert process.poll() is None


def test_a_full_disk_holds_up_nobody_and_what_waited_is_written_when_there_is_room(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with proxy(log) as (process, address):
        ask(address)
        until(lambda: records(log) == 1)
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, -1))
        for _ in range(5):
            ask(address)
        time.sleep(0.2)  # the log gathers lines for a while before it writes them
        assert records(log) == 1
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        until(lambda: records(log) == 6)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=20)[1]
    assert b"can't be written (File too large)" in said
    assert b"can be written again: 0 lines lost" in said


def test_after_a_kill_the_next_record_begins_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with proxy(log) as (process, address):
        ask(address)
        until(lambda: records(log) == 1)
        process.kill()
        process.wait(20)
    with log.open("ab") as file:
        file.write(b'TORN {"format": "pell')  # as a machine that went down in the middle of a write leaves it
    with proxy(log) as (_, address):
        ask(address)
        until(lambda: records(log) == 2)
