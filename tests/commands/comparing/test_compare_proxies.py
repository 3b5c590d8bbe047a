"""`pellucid compare proxies` as a person meets it: what it refuses, and a whole run of the smallest kind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from proxy.commands.comparing.procfs import family
from proxy.commands.comparing.results import Report

COMMAND = [sys.executable, "-m", "proxy", "compare", "proxies"]
TINY = ["--seconds", "0.1", "--repeats", "1", "--connections", "4", "--load", "own"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, env=env, timeout=100
    )


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
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("pellucid: ")
    assert complaint in done.stderr


def test_wrk_that_is_wanted_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from proxy.commands.comparing import comparison
    from proxy.commands.comparing.errors import ComparisonError
    from proxy.message.errors import ConfigurationError

    def nowhere() -> None:
        raise ComparisonError("wrk is not installed")

    monkeypatch.setattr(comparison, "find_wrk", nowhere)
    assert comparison._load("") is None
    assert comparison._load("own") is None
    with pytest.raises(ConfigurationError, match="--load own"):
        comparison._load("wrk")


def test_a_whole_run_and_each_form_of_its_report(tmp_path: Path) -> None:
    json, temporary = tmp_path / "report.json", tmp_path / "temporary"
    temporary.mkdir()
    measured = ["--only", "pellucid,aiohttp", "--workloads", "hot,passing,start"]
    done = run(*TINY, *measured, "-o", str(json), TMPDIR=str(temporary))
    assert done.returncode == 0, done.stderr
    assert list(temporary.iterdir()) == []
    report = msgspec.json.decode(json.read_bytes(), type=Report)
    assert [one.workload for one in report.workloads] == ["hot", "passing", "start"]
    assert [one.name for one in report.contenders] == ["pellucid", "aiohttp"]
    for result in report.workloads:
        for row in result.rows:
            assert row.failed is None
            assert row.measures[result.main].median > 0
            assert row.measures.get("errors") is None or row.measures["errors"].high == 0
    assert {one.name: one.value for one in report.figures}["start"] is not None

    page = tmp_path / "report.html"
    assert run("--from", str(json), "-o", str(page)).returncode == 0
    assert page.read_text().startswith("<!doctype html>")
    shown = run("--from", str(json)).stdout
    assert "Proxies compared" in shown
    assert "Passing through" in shown
    assert "| figure |" in run("--from", str(json), "--format", "markdown").stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_everything(number: signal.Signals, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *TINY, "--only", "pellucid", "--workloads", "hot", "--seconds", "60",
        env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while len(family([process.pid])) < 4:  # noqa: ASYNC110 - itself, the origin, Pellucid, the load
                await asyncio.sleep(0.02)
            children = {one.identity for one in family([process.pid])}
            process.send_signal(number)
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 128 + number
    assert b"Traceback" not in said
    assert os.listdir(tmp_path) == []
    left = {one.identity for one in family([pid for pid, _ in children])} & children
    assert left == set()
