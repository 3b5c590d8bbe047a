"""`pellucid inspect` as a person meets it: files in, a report out, clear words where something is wrong."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from proxy.cli import main
from proxy.commands.inspecting import running
from proxy.visibility.account import Account
from proxy.visibility.inspecting.schema import schema
from proxy.visibility.record import Redaction, encode, to_record
from tests.visibility.exchanges import account

COMBINED = (
    '192.0.2.7 - - [23/Nov/2026:07:{minute:02}:00 +0000] "GET {target} HTTP/1.1" {status} 512 "-" "curl/8"\n'
)


def combined(count: int = 60) -> str:
    return "".join(
        COMBINED.format(minute=at % 60, target=f"/users/{at}?page={at % 3}", status=200 if at % 10 else 404)
        for at in range(count)
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text(combined())
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["inspect", *arguments])
    out, error = capsys.readouterr()
    return int(ended.value.code or 0), out, error


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    status, out, error = run(capsys, *arguments, "--format", "json")
    assert (status, error) == (0, "")
    found = json.loads(out)
    jsonschema.Draft202012Validator(schema()).validate(found)
    return found


def test_the_text_fits_80_columns_and_has_no_colours(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, error = run(capsys, str(log))
    assert (status, error) == (0, "")
    assert out.splitlines()[0] == "60 exchanges, 2026-11-23 07:00:00 to 2026-11-23 07:59:00 UTC"
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert "/users/{id}" in out
    assert "the response field Cache-Control" in out


def test_json_follows_its_schema(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = inspected(capsys, str(log))
    assert found["summary"]["figures"]["exchanges"] == 60
    (source,) = found["sources"]
    assert (source["format"], source["exchanges"], source["left_out"]) == ("combined", 60, 0)


def test_html_is_one_page(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, error = run(capsys, str(log), "--format", "html")
    assert (status, error) == (0, "")
    assert out.lstrip().lower().startswith("<!doctype html>")
    assert "/users/{id}" in out
    assert 'src="http' not in out


def test_the_name_of_the_output_says_its_form(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, begin in (("r.json", "{"), ("r.html", "<!"), ("r.txt", "60 exchanges")):
        status, out, _ = run(capsys, str(log), "-o", str(tmp_path / name))
        assert (status, out) == (0, "")
        assert (tmp_path / name).read_text().lstrip().startswith(begin)


def test_an_output_that_cannot_be_written(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, error = run(capsys, str(log), "-o", str(tmp_path / "no" / "r.json"))
    assert status == 2
    assert error.startswith("pellucid: can't write")


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "access.log"
    path.write_text(combined(5) + "nonsense\n" + combined(5) + "\x00\xff\n")
    found = inspected(capsys, str(path))
    (source,) = found["sources"]
    assert (source["exchanges"], source["left_out"]) == (10, 2)
    assert [one["line"] for one in source["faults"]] == [6, 12]
    _, text, _ = run(capsys, str(path))
    assert "2 lines left out" in text
    assert "line 6:" in text


def test_compressed_and_several_files(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = tmp_path / "access.log.gz"
    packed.write_bytes(gzip.compress(combined(30).encode()))
    found = inspected(capsys, str(log), str(packed))
    assert found["summary"]["figures"]["exchanges"] == 90
    assert len(found["sources"]) == 2


def test_standard_input() -> None:
    command = [sys.executable, "-m", "proxy", "inspect", "-", "--format", "json"]
    ended = subprocess.run(command, input=combined(7).encode(), capture_output=True, check=True)
    assert ended.stderr == b""
    assert json.loads(ended.stdout)["summary"]["figures"]["exchanges"] == 7


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--status", "404"], 6),
        (["--status", "4xx"], 6),
        (["--status", "200-299"], 54),
        (["--status", "200", "--status", "404"], 60),
        (["--endpoint", "/users/{id}"], 60),
        (["--endpoint", "/users/1*"], 11),
        (["--endpoint", "/orders/{id}"], 0),
        (["--since", "2026-11-23T07:30:00Z"], 30),
        (["--until", "2026-11-23T07:30:00"], 30),
        (["--since", "2026-11-23T07:10:00Z", "--until", "2026-11-23T07:20:00Z"], 10),
        (["--where", 'request.parameters.page == "1"'], 20),
        (["--where", "status == 404", "--where", 'query contains "page=0"'], 2),
        (["--reason", "private"], 0),
    ],
)
def test_only_what_was_asked_for(
    arguments: list[str], count: int, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = inspected(capsys, str(log), *arguments)
    assert found["summary"]["figures"]["exchanges"] == count
    assert len(found["filters"]) == len(arguments) // 2


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (["--where", "status >"], "at character 9"),
        (["--status", "abc"], "a status is written"),
        (["--since", "yesterday"], "neither a time"),
        (["--log-format", "no-such-format"], ""),
        (["--workers", "0"], "workers"),
        (["--format", "pdf"], "format"),
    ],
)
def test_what_was_asked_wrongly(
    arguments: list[str], about: str, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, error = run(capsys, str(log), *arguments)
    assert (status, out) == (2, "")
    assert error.startswith("pellucid: ")
    assert len(error.splitlines()) == 1
    assert about in error


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, error = run(capsys, str(tmp_path / "none.log"))
    assert (status, out) == (1, "")
    assert "none.log" in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"\x00\xff\xfe" * 1_000,
        b"{" * 50_000,
        b"x" * 3_000_000,
        b'{"log": {"entries": [',
        b"\xef\xbb\xbf\n",
    ],
)
def test_junk_is_reported_not_feared(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "junk"
    path.write_bytes(content)
    status, out, error = run(capsys, str(path))
    assert status in (0, 1)
    assert "Traceback" not in out + error
    if status == 0:
        assert out.startswith("0 exchanges")


def records(path: Path, accounts: list[Account]) -> None:
    redaction = Redaction()
    path.write_bytes(b"".join(encode(to_record(one, redaction)) + b"\n" for one in accounts))


def test_records_of_our_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "exchanges.jsonl"
    records(path, [account() for _ in range(5)])
    found = inspected(capsys, str(path))
    assert found["summary"]["figures"]["exchanges"] == 5
    assert found["sources"][0]["format"] == "pellucid"
    assert found["lacking"] == []


def test_several_processes_report_what_one_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "access.log"
    path.write_text(combined(900) + "nonsense\n" + combined(300))
    monkeypatch.setattr(running, "WORTH_SPLITTING", 1_000)
    one = inspected(capsys, str(path), "--workers", "1")
    two = inspected(capsys, str(path), "--workers", "2")
    assert one == two
    assert one["sources"][0]["faults"][0]["line"] == 901


def test_what_moves_a_cursor_is_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "access.log"
    line = '{"time": 1795417200, "method": "GET", "target": "/\\u001b[31mred\\u202e", "status": 500}\n'
    path.write_text(combined(3) + line)
    for form in ("text", "json", "html"):
        _, out, _ = run(capsys, str(path), "--format", form)
        assert "\x1b" not in out


def test_whoever_reads_may_stop(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("".join(COMBINED.format(minute=0, target=f"/w{n}x/a", status=200) for n in range(30)))
    command = f"{sys.executable} -m proxy inspect {path} --format json | head -1"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"{\n", b"")


def test_a_log_is_not_written_over(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = log.read_bytes()
    status, out, error = run(capsys, str(log), "-o", str(log))
    assert (status, out) == (2, "")
    assert "over the log" in error
    assert log.read_bytes() == before


def test_a_time_that_no_calendar_has(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, error = run(capsys, str(log), "--since", "99999999999d")
    assert status == 2
    assert "too far away" in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_in_one_line(log: Path) -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "proxy", "inspect", str(log)]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert ended.returncode == 2
    assert ended.stderr == "pellucid: can't write standard output (No space left on device)\n"
