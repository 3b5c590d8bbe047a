"""Several processes that write to one thing: whole lines, whoever is killed, stopped or moved away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.message.errors import ConfigurationError
from proxy.server.log import file
from proxy.server.log.file import LogFile
from proxy.server.log.turn import Turn

WRITER = """
import json, sys
from proxy.server.log.file import LogFile
from proxy.server.log.turn import Turn
turn = Turn.__new__(Turn)
turn._file = int(sys.argv[1])
log = LogFile(sys.argv[2], turn=turn)
mine, times, size = sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
for number in range(times):
    line = json.dumps({"who": mine, "number": number, "more": "x" * size}).encode() + b"\\n"
    left = [line]
    while left:
        del left[: log.write(left)]
log.close()
"""


@pytest.fixture
def turn() -> Iterator[Turn]:
    turn = Turn()
    yield turn
    turn.close()


def writer(turn: Turn, path: str, name: str, times: int, size: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(turn._file), path, name, str(times), str(size)]
    return subprocess.Popen(command, pass_fds=[turn._file], stdout=subprocess.PIPE)


def account(lines: list[str]) -> Counter[str]:
    return Counter(json.loads(line)["who"] for line in lines)


@pytest.mark.parametrize("size", [10, 20_000])
def test_lines_of_several_are_whole_in_a_file(tmp_path: Path, turn: Turn, size: int) -> None:
    log = tmp_path / "log"
    writers = [writer(turn, str(log), name, 50, size) for name in "abc"]
    for one in writers:
        one.communicate()
    assert account(log.read_text().splitlines()) == {"a": 50, "b": 50, "c": 50}


def test_lines_longer_than_a_pipe_takes_at_once_are_whole(tmp_path: Path, turn: Turn) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDWR)  # so that there is always somebody who writes
    writers = [writer(turn, str(fifo), name, 20, 20_000) for name in "abc"]
    with os.fdopen(reading, "r") as pipe:
        lines = [pipe.readline() for _ in range(60)]
    for one in writers:
        one.communicate()
    assert account(lines) == {"a": 20, "b": 20, "c": 20}


def test_the_next_one_ends_a_line_that_was_cut_off(tmp_path: Path, turn: Turn) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"whole":1}\n')
    log = LogFile(str(path), turn=turn)
    with path.open("ab") as other, turn.taken(1.0):
        turn.torn = True
        other.write(b'{"half')  # killed here
    assert log.write([b'{"whole":2}\n']) == 1
    log.close()
    assert path.read_bytes() == b'{"whole":1}\n{"half\n{"whole":2}\n'


def test_who_was_killed_before_it_wrote_leaves_no_empty_line(tmp_path: Path, turn: Turn) -> None:
    log = LogFile(str(tmp_path / "log"), turn=turn)
    log.write([b"one\n"])
    turn.torn = True
    assert log.write([b"two\n"]) == 1
    log.close()
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"


def test_who_hangs_with_the_turn_holds_nobody_up_for_long(
    tmp_path: Path, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "PATIENCE", 0.05)
    log = LogFile(str(tmp_path / "log"), turn=turn)
    holding = "import fcntl, sys; fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX, 1); print('held', flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", holding + "; input()", str(turn._file)],
        pass_fds=[turn._file],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    ) as hanging:
        assert hanging.stdout is not None
        assert hanging.stdout.readline() == b"held\n"
        assert log.write([b"late\n"]) == 0
        assert isinstance(log.trouble, TimeoutError)
        with pytest.raises(ConfigurationError):
            LogFile(str(tmp_path / "other"), turn=turn)
        hanging.send_signal(signal.SIGKILL)
    assert log.write([b"late\n"]) == 1
    log.close()
    assert (tmp_path / "log").read_bytes() == b"late\n"
