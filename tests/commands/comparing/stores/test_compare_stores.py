"""`pellucid compare stores` as a person meets it: what it refuses, and small real runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from proxy.cli import main
from proxy.commands.comparing.results import Report
from proxy.commands.comparing.stores import purging, restarting
from proxy.commands.comparing.stores.comparison import FORMAT
from tests.commands.calling import refused

TINY = ["--seconds", "0.1", "--repeats", "1", "--connections", "4", "--load", "own"]


def run(*arguments: str) -> int:
    """The exit status."""
    with pytest.raises(SystemExit) as ended:
        main(["compare", "stores", *arguments])
    return int(str(ended.value.code))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--only", "disk,ram"], "ram"),
        (["--repeats", "0"], "--repeats"),
        (["--seconds", "inf"], "--seconds"),
        (["--format", "pdf"], "pdf"),
        (["-o", "/no/such/folder/report.html"], "/no/such/folder/report.html"),
        (["--from", __file__], "not the JSON of a comparison"),
    ],
)
def test_what_can_t_be_done_is_said_in_one_line(arguments: list[str], complaint: str) -> None:
    refused("compare", "stores", *arguments, about=complaint)


def test_hits_are_measured_and_shown_in_each_form(tmp_path: Path) -> None:
    kept = tmp_path / "report.json"
    command = [sys.executable, "-m", "proxy", "compare", "stores", "--only", "lane", *TINY, "-o", str(kept)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr
    report = msgspec.json.decode(kept.read_bytes(), type=Report)
    assert report.format == FORMAT
    lane = report.workloads[0]
    measured = {row.contender: row.measures["requests_per_second"].median for row in lane.rows if row.runs}
    assert set(measured) >= {"memory", "memory-2", "disk", "disk-2"}
    assert all(rate > 0 for rate in measured.values())
    assert all(not row.measures["errors"].median for row in lane.rows if row.runs)
    ratio = lane.row("disk-2")
    assert ratio is not None
    assert ratio.measures["processor_microseconds"].ratio is not None

    page, text, table = (tmp_path / name for name in ("report.html", "report.txt", "report.md"))
    for place in (page, text, table):
        assert run("--from", str(kept), "-o", str(place)) == 0
    assert "<h1>Stores compared</h1>" in page.read_text()
    assert "pellucid compare stores --only lane" in page.read_text()
    assert "Stores compared" in text.read_text()
    assert "hits by 2 workers to 1" in table.read_text()


def test_restarts_and_purges_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for module, name, value in (
        (restarting, "ITEMS", 5),
        (restarting, "WARM", 50),
        (restarting, "WINDOW", 50),
        (purging, "ENTRIES", 50),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(purging.Purge, "tries", 3)
    kept = tmp_path / "report.json"
    assert run("--only", "restart,purge,tag", *TINY, "-o", str(kept)) == 0, capfd.readouterr().err
    report = msgspec.json.decode(kept.read_bytes(), type=Report)
    figures = {one.name: one.value for one in report.figures}
    assert figures["purge"] == figures["purge/memory"] == 0
    found = {result.workload: result for result in report.workloads}
    assert not [run.complaints for result in report.workloads for row in result.rows for run in row.runs[1:]]
    for row in found["restart"].rows:
        assert row.failed is None
        assert row.measures["hit_ratio_after"].median == 1
    assert found["tag"].rows[0].measures["purged_entries"].median == 50
