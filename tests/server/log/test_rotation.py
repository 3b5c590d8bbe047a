"""A log whose file is moved, removed or replaced: each line is in one that can be found."""

from __future__ import annotations

from pathlib import Path

from proxy.server.log.records import RecordLog
from tests.server.log.written import Open, Said, ids, until
from tests.visibility.exchanges import account


def begun(open_log: Open, path: Path, **how: object) -> RecordLog:
    """A log in which there is a line."""
    log = open_log(path, **how)
    log.put(account(id="before"))
    until(lambda: path.read_bytes().endswith(b"\n"))
    return log


def test_a_file_that_is_moved_away_is_followed_by_a_new_one(tmp_path: Path, open_log: Open) -> None:
    path = tmp_path / "log"
    log = begun(open_log, path)
    path.rename(tmp_path / "log.1")
    log.put(account(id="after"))
    until(path.exists)
    log.close()
    assert ids(tmp_path / "log.1") == ["before"]
    assert ids(path) == ["after"]


def test_a_file_that_is_removed_is_made_again(tmp_path: Path, open_log: Open) -> None:
    path = tmp_path / "log"
    log = open_log(path)
    path.unlink()
    log.put(account(id="after"))
    log.close()
    assert ids(path) == ["after"]


def test_no_line_goes_into_a_file_that_nobody_can_find(tmp_path: Path, open_log: Open) -> None:
    path = tmp_path / "log"
    log = begun(open_log, path, check=3600.0)
    path.unlink()
    log.put(account(id="after"))
    log.close()
    assert ids(path) == ["after"]


def test_one_that_takes_its_place_is_used(tmp_path: Path, open_log: Open) -> None:
    path = tmp_path / "log"
    log = open_log(path)
    (tmp_path / "other").write_bytes(b"")
    (tmp_path / "other").rename(path)
    log.put(account(id="after"))
    log.close()
    assert ids(path) == ["after"]


def test_reopen_needs_no_line_and_no_check(tmp_path: Path, open_log: Open) -> None:
    path = tmp_path / "log"
    log = begun(open_log, path, check=3600.0)
    path.rename(tmp_path / "log.1")
    log.reopen()
    until(path.exists)
    log.put(account(id="after"))
    log.close()
    assert (ids(tmp_path / "log.1"), ids(path)) == (["before"], ["after"])


def test_between_two_checks_lines_go_where_the_file_went(tmp_path: Path, open_log: Open) -> None:
    path = tmp_path / "log"
    log = open_log(path, check=3600.0)
    path.rename(tmp_path / "log.1")
    log.put(account(id="late"))
    log.close()
    assert ids(tmp_path / "log.1") == ["late"]
    assert not path.exists()


def test_while_the_directory_is_gone_lines_wait(tmp_path: Path, open_log: Open, said: Said) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    log = open_log(directory / "log")
    (directory / "log").unlink()
    directory.rmdir()
    log.put(account(id="waits"))
    assert "No such file or directory" in said.wait("can't be written")
    directory.mkdir()
    said.wait("can be written again")
    log.close()
    assert ids(directory / "log") == ["waits"]
    assert log.lost == 0


def test_where_the_path_can_not_be_opened_again_lines_go_on_into_the_moved_file(
    tmp_path: Path, open_log: Open, said: Said
) -> None:
    directory = tmp_path / "logs"
    directory.mkdir()
    log = open_log(directory / "log")
    directory.rename(tmp_path / "moved")
    log.put(account(id="goes on"))
    assert "No such file or directory" in said.wait("can't be opened again")
    log.close()
    assert ids(tmp_path / "moved" / "log") == ["goes on"]
