"""`pellucid compare state` as a person meets it: what it refuses, a whole run of the smallest kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from proxy.cli import main
from proxy.commands.comparing.state.results import Report
from tests.commands.breaking_off import break_off
from tests.commands.calling import refused

COMMAND = [sys.executable, "-m", "proxy", "compare", "state"]


def run(*arguments: str) -> int:
    """The exit status."""
    with pytest.raises(SystemExit) as left:
        main(["compare", "state", *arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--styles", "cookies"], "cookies"),
        (["--only", "visibility,speed"], "speed"),
        (["--only", "scalability", "--styles", "tokens-encrypted"], "none of these styles takes part"),
        (["--repeats", "0"], "--repeats"),
        (["--seconds", "0.5"], "--seconds"),
        (["--seconds", "nan"], "--seconds"),
        (["--seed", "x"], "--seed"),
        (["--format", "markdown"], "markdown"),
        (["-o", "report.md"], "no such form"),
        (["-o", "/no/such/folder/report.html"], "/no/such/folder/report.html"),
        (["-o", "/"], "can't be written"),
        (["--from", "/no/such/file.json"], "/no/such/file.json"),
        (["--from", __file__], "not the JSON of this measurement"),
        (["more"], "more"),
    ],
)
def test_what_can_t_be_done_is_said_in_one_line(arguments: list[str], complaint: str) -> None:
    refused("compare", "state", *arguments, about=complaint)


def test_a_report_is_shown_again_in_each_form(
    report: Report, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    json, page = tmp_path / "report.json", tmp_path / "report.html"
    json.write_bytes(msgspec.json.encode(report))
    assert run("--from", str(json), "-o", str(page)) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert run("--from", str(json)) == 0
    assert "What statelessness buys" in capfd.readouterr().out
    assert run("--from", str(json), "--format", "json") == 0
    assert msgspec.json.decode(capfd.readouterr().out, type=Report) == report


def test_an_account_that_does_not_balance_is_an_error(report: Report, tmp_path: Path) -> None:
    report.runs[0].faults.append("2 carts begun, but 1 ordered")
    json = tmp_path / "report.json"
    json.write_bytes(msgspec.json.encode(report))
    assert run("--from", str(json), "-o", str(tmp_path / "again.json")) == 1


@pytest.mark.timeout(300)  # real processes, one after another, on a machine that may be busy
def test_a_whole_run(tmp_path: Path) -> None:
    json, temporary = tmp_path / "report.json", tmp_path / "temporary"
    temporary.mkdir()
    wanted = ["--quick", "--only", "visibility", "--styles", "sessions-one,tokens-signed", "-o", str(json)]
    env = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run([*COMMAND, *wanted], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr.splitlines()) == ("", ["Visibility"])
    assert list(temporary.iterdir()) == []
    report = msgspec.json.decode(json.read_bytes(), type=Report)
    assert report.complaints == []
    assert [run.faults for run in report.runs] == [[], []]
    assert len({run.account.sent for run in report.runs}) == 1, (
        "the same shoppers want the same in each style"
    )
    decidable, hits = report.figure("decidable"), report.figure("hit_requests")
    assert decidable is not None
    assert hits is not None
    for figure in (decidable, hits):
        sessions, tokens = figure.row("sessions-one"), figure.row("tokens-signed")
        assert sessions is not None
        assert tokens is not None
        assert sessions.median < tokens.median
    assert any("sid: server-held" in told for told in report.hidden[0].credentials)
    assert any("shop: client-held" in told for told in report.hidden[1].credentials)


@pytest.mark.timeout(300)
async def test_interrupted_it_ends_everything_and_reports_what_it_has(tmp_path: Path) -> None:
    json, temporary = tmp_path / "report.json", tmp_path / "temporary"
    temporary.mkdir()
    wanted = ["--only", "reliability", "--styles", "tokens-signed", "--repeats", "9", "-o", str(json)]
    await break_off([*COMMAND, *wanted], temporary, 7)  # itself, the store, replicas, the relay, the proxy
    assert msgspec.json.decode(json.read_bytes(), type=Report).interrupted
