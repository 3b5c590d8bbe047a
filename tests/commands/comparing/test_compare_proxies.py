"""`pellucid compare proxies` as a person meets it: what it refuses, and a whole run of the smallest kind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from proxy.cli import main
from proxy.commands.comparing import comparison, output
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.results import Report
from proxy.message.errors import ConfigurationError
from tests.commands.breaking_off import break_off
from tests.commands.calling import refused

COMMAND = [sys.executable, "-m", "proxy", "compare", "proxies"]
TINY = ["--seconds", "0.1", "--repeats", "1", "--connections", "4", "--load", "own"]


def run(*arguments: str) -> int:
    """The exit status."""
    with pytest.raises(SystemExit) as left:
        main(["compare", "proxies", *arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--only", "ngnix"], "ngnix"),
        (["--workloads", "hot,cold"], "cold"),
        (["--repeats", "0"], "--repeats"),
        (["--seconds", "-1"], "--seconds"),
        (["--seconds", "nan"], "--seconds"),
        (["--format", "pdf"], "pdf"),
        (["--load", "ab"], "ab"),
        (["-o", "/no/such/folder/report.html"], "/no/such/folder/report.html"),
        (["-o", "/"], "can't be written"),
        (["--from", "/no/such/file.json"], "/no/such/file.json"),
        (["--from", __file__], "not the JSON of a comparison"),
        (["more"], "more"),
    ],
)
def test_what_can_t_be_done_is_said_in_one_line(arguments: list[str], complaint: str) -> None:
    refused("compare", "proxies", *arguments, about=complaint)


def test_wrk_that_is_wanted_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> None:
        raise ComparisonError("wrk is not installed")

    monkeypatch.setattr(comparison, "find_wrk", nowhere)
    assert comparison.find_load("") is None
    assert comparison.find_load("own") is None
    with pytest.raises(ConfigurationError, match="--load own"):
        comparison.find_load("wrk")


def test_a_report_is_shown_again_in_each_form(
    report: Report, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    json, page = tmp_path / "report.json", tmp_path / "report.html"
    json.write_bytes(msgspec.json.encode(report))
    assert run("--from", str(json), "-o", str(page)) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert run("--from", str(json), "-o", str(tmp_path / "again.json")) == 0
    assert msgspec.json.decode((tmp_path / "again.json").read_bytes(), type=Report) == report
    assert capfd.readouterr().out == ""
    assert run("--from", str(json)) == 0
    assert "Proxies compared" in capfd.readouterr().out
    assert run("--from", str(json), "--format", "markdown") == 0
    assert "| figure |" in capfd.readouterr().out


def test_a_report_is_not_lost_where_its_file_can_t_be_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output.write("the report\n", str(tmp_path / "gone" / "report.html"))
    said = capfd.readouterr()
    assert said.out == "the report\n"
    assert "can't be written" in said.err


@pytest.mark.timeout(300)  # a handful of processes one after another, on a machine that may be busy
def test_a_whole_run(tmp_path: Path) -> None:
    json, temporary = tmp_path / "report.json", tmp_path / "temporary"
    temporary.mkdir()
    measured = ["--only", "pellucid,aiohttp", "--workloads", "hot,start", "-o", str(json)]
    env = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run([*COMMAND, *TINY, *measured], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["One hot object", "From start to first answer"]
    assert list(temporary.iterdir()) == []
    report = msgspec.json.decode(json.read_bytes(), type=Report)
    assert [one.workload for one in report.workloads] == ["hot", "start"]
    assert [one.name for one in report.contenders] == ["pellucid", "aiohttp"]
    for result in report.workloads:
        for row in result.rows:
            assert row.failed is None
            assert result.main in row.measures
    assert all(row.measures["errors"].high == 0 for row in report.workloads[0].rows)
    assert {one.name: one.value for one in report.figures}["start"] is not None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_everything(number: signal.Signals, tmp_path: Path) -> None:
    wanted = ["--only", "pellucid", "--workloads", "hot", "--seconds", "60"]
    await break_off([*COMMAND, *TINY, *wanted], tmp_path, 4, number)  # itself, the origin, Pellucid, the load
