"""The log of exchanges: lines are whole, hold up no exchange, and where some are lost, that is said."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from proxy.message.errors import ConfigurationError
from proxy.server.log import records as log_module
from proxy.server.log.records import RecordLog
from proxy.visibility.account import Account
from proxy.visibility.record import decode, encode, to_record
from tests.server.log.written import REDACTION, Open, Said, ids, start, until
from tests.visibility.exchanges import account


class TestWriting:
    def test_one_line_for_each_exchange(self, tmp_path: Path, open_log: Open, said: Said) -> None:
        path = tmp_path / "log"
        log = open_log(path)
        for number in range(2000):
            log.put(account(id=f"{number}"))
        log.close()
        assert ids(path) == [f"{number}" for number in range(2000)]
        assert decode(path.read_bytes().splitlines()[0]) == to_record(account(id="0"), REDACTION)
        assert (log.lost, said) == (0, [])

    def test_takes_accounts_records_and_lines(self, tmp_path: Path, open_log: Open) -> None:
        log = open_log(tmp_path / "log")
        log.put(account(id="account"))
        log.put(to_record(account(id="record"), REDACTION))
        log.put(encode(to_record(account(id="line"), REDACTION)))
        log.close()
        assert ids(tmp_path / "log") == ["account", "record", "line"]

    def test_lines_are_there_without_a_close(self, tmp_path: Path, open_log: Open) -> None:
        log = open_log(tmp_path / "log")
        for number in range(3):
            log.put(account(id=f"{number}"))
            until(lambda: len(ids(tmp_path / "log")) == number + 1)  # noqa: B023

    def test_goes_on_after_what_was_there(self, tmp_path: Path, open_log: Open) -> None:
        for name in ("one", "two"):
            log = open_log(tmp_path / "log")
            log.put(account(id=name))
            log.close()
        assert ids(tmp_path / "log") == ["one", "two"]

    def test_a_line_that_a_crash_left_half_written_is_ended_first(
        self, tmp_path: Path, open_log: Open
    ) -> None:
        path = tmp_path / "log"
        path.write_bytes(b'{"format":"pellu')
        log = open_log(path)
        log.put(account(id="next"))
        log.close()
        first, second = path.read_bytes().splitlines()
        assert first == b'{"format":"pellu'
        assert decode(second).id == "next"

    def test_others_can_not_read_it(self, tmp_path: Path, open_log: Open) -> None:
        before = os.umask(0)
        try:
            open_log(tmp_path / "log")
        finally:
            os.umask(before)
        assert (tmp_path / "log").stat().st_mode & 0o777 == 0o640

    def test_several_processes_can_write_one_file(self, tmp_path: Path) -> None:
        path = tmp_path / "log"
        script = """
            import sys
            from proxy.server.log.records import RecordLog
            from proxy.visibility.redaction import Redaction
            from tests.visibility.exchanges import account
            log = RecordLog(sys.argv[1], Redaction())
            for number in range(1000):
                log.put(account(id=f"{sys.argv[2]}-{number}", error="x" * (number % 7 * 1000)))
            log.close()
            sys.exit(log.lost)
        """
        running = [start(script, str(path), name) for name in ("a", "b")]
        assert [process.wait(60) for process in running] == [0, 0]
        assert sorted(ids(path)) == sorted(f"{name}-{number}" for name in "ab" for number in range(1000))

    def test_what_can_not_be_recorded_is_counted_and_said_and_raises_nothing(
        self, tmp_path: Path, open_log: Open, said: Said
    ) -> None:
        log = open_log(tmp_path / "log")
        log.put(account(received="not a request"))
        log.put(account(id="fine"))
        log.close()
        assert ids(tmp_path / "log") == ["fine"]
        assert log.lost == 1
        assert said == ["exchange 0f3a can't be recorded (AttributeError): 1 line lost so far"]

    def test_after_close_nothing_is_written_and_nothing_raised(self, tmp_path: Path, open_log: Open) -> None:
        log = open_log(tmp_path / "log")
        log.close()
        log.put(account())
        log.close()
        assert (tmp_path / "log").read_bytes() == b""
        assert log.lost == 1


class TestOpening:
    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("missing/log", "No such file or directory"),
            (".", "Is a directory"),
            ("file/log", "Not a directory"),
            ("nul\0", "null"),
            ("fifo", "No such device"),
        ],
    )
    def test_what_can_not_be_opened_is_told_in_one_line(self, tmp_path: Path, name: str, why: str) -> None:
        (tmp_path / "file").touch()
        os.mkfifo(tmp_path / "fifo")  # which nobody reads
        with pytest.raises(ConfigurationError, match=why) as caught:
            RecordLog(f"{tmp_path}/{name}", REDACTION)
        assert name.rstrip("\0") in str(caught.value)
        assert "\n" not in str(caught.value)


class TestFullDisk:
    def test_lines_wait_and_those_beyond_the_bound_are_lost_and_it_is_said_once(
        self, open_log: Open, said: Said
    ) -> None:
        log = open_log("/dev/full", capacity=5000)
        for number in range(20):
            log.put(account(id=f"{number}"))
        told = said.wait("can't be written")
        assert told.startswith("the log /dev/full can't be written (No space left on device): ")
        assert told.endswith(" lost so far")
        lost = log.lost
        assert 10 < lost < 20
        log.close()
        assert log.lost == 20
        assert said[1:] == ["the log /dev/full lacks 20 lines"]

    def test_it_is_said_again_from_time_to_time(
        self, open_log: Open, said: Said, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(log_module, "SAY_AGAIN", 0.05)
        log = open_log("/dev/full", capacity=1500)
        log.put(account())
        log.put(account())
        until(lambda: len(said) > 3)
        told = "the log /dev/full can't be written (No space left on device)"
        assert set(said[1:]) == {f"{told}: 1 line lost so far"}

    def test_a_real_limit_that_is_lifted(self, tmp_path: Path) -> None:
        """The kernel cuts a write short in the middle of a line; every line is there once in the end."""
        script = """
            import resource, sys, time
            from pathlib import Path
            from proxy.server.log.records import RecordLog
            from proxy.visibility.redaction import Redaction
            from tests.visibility.exchanges import account
            path, said = Path(sys.argv[1]), []
            log = RecordLog(str(path), Redaction(), retry=0.01, say=said.append)
            limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit))
            for number in range(50):
                log.put(account(id=f"{number}"))
            while not said or path.stat().st_size < 10_000:
                time.sleep(0.01)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            log.close()
            print(*said, sep="\\n")
            sys.exit(log.lost)
        """
        path = tmp_path / "log"
        process = start(script, str(path), stdout=subprocess.PIPE)
        told = process.communicate(timeout=60)[0].decode().splitlines()
        assert process.returncode == 0
        assert told == [
            f"the log {path} can't be written (File too large): 0 lines lost so far",
            f"the log {path} can be written again: 0 lines lost",
        ]
        found = []
        torn = 0
        for line in path.read_bytes().splitlines():
            try:
                found.append(json.loads(line)["id"])
            except json.JSONDecodeError:
                torn += 1
        assert found == [f"{number}" for number in range(50)]
        assert torn == 1


def test_the_account_is_not_kept(tmp_path: Path, open_log: Open) -> None:
    """What is logged is what was known when it was put."""
    log = open_log(tmp_path / "log")
    exchange: Account = account(id="first")
    log.put(exchange)
    exchange.id = "changed"
    log.close()
    assert ids(tmp_path / "log") == ["first"]
