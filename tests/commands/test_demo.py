"""`pellucid demo`: the story in its short form, and what it refuses."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from proxy.commands.comparing.state.variants import VARIANTS
from proxy.commands.demonstrating.story import Result, summary
from proxy.commands.demonstrating.telling import Beside, Lines, telling
from proxy.commands.demonstrating.watching import Seen, Watch, line_of
from tests.commands.breaking_off import break_off
from tests.commands.calling import refused

COMMAND = [sys.executable, "-m", "proxy", "demo"]
HIT = Seen("GET", "/products/P0001", 200, "hit", "fresh", "")
MISS = Seen("POST", "/cart/items?" + "x" * 60, 200, "forwarded", "written-through", "127.0.0.1:2")


def test_a_record_is_one_short_line() -> None:
    assert line_of(HIT, ["127.0.0.1:1"]).split() == ["GET", "/products/P0001", "200", "the", "cache", "fresh"]
    told = line_of(MISS, ["127.0.0.1:1", "127.0.0.1:2"])
    assert "replica 2  written-through" in told
    assert "…" in told
    assert (HIT.from_cache, MISS.from_cache) == (True, False)


def test_a_log_is_read_as_far_as_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    watch = Watch(log)
    assert watch.news() == []
    log.write_bytes(b'not a record\n{"half')
    assert watch.news() == []


def test_the_summary_says_what_became_of_the_carts() -> None:
    console = Console(file=io.StringIO(), width=120)
    lost = Result(VARIANTS["sessions-sticky"], carts=3, kept=2, logged_in=3, still=2, requests=40, cached=2)
    with console.capture() as captured:
        console.print(summary([lost, Result(VARIANTS["resources"], carts=3, kept=3)]))
    told = captured.get()
    assert "2 of 3" in told
    assert "3 of 3" in told
    assert "5%" in told


def test_a_terminal_shows_the_records_beside_the_story() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    with telling(console, 0.0) as teller:
        assert isinstance(teller, Beside)
        teller.act("An act", "What it is about.")
        teller.say("Something happens.", "red")
        teller.record("GET / 200", cached=True)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "Something happens." in told
    assert "GET / 200" in told
    with telling(Console(file=io.StringIO()), None) as plain:
        assert isinstance(plain, Lines)
        assert plain.pace == 0.0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--styles", "cookies"], "cookies"), (["--pace", "-1"], "--pace"), (["--pace", "nan"], "--pace")],
)
def test_what_can_t_be_done_is_said_in_one_line(arguments: list[str], complaint: str) -> None:
    refused("demo", *arguments, about=complaint)


@pytest.mark.timeout(300)
def test_the_story_in_its_short_form(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [*COMMAND, "--styles", "sessions-sticky,resources"],
        capture_output=True,
        text=True,
        check=False,
        env=env,
    )
    assert (done.returncode, done.stderr) == (0, "")
    sessions, resources = done.stdout.split("\nResources\n")
    assert "Ann's cart is gone." in sessions
    assert "Ann can't order: the shop doesn't know who this is." in sessions
    assert "Ann's cart is there: 3 pieces." in resources
    assert resources.count("listed once") == 3
    assert "| GET  /products/P0003" in resources
    assert "\x1b" not in done.stdout
    assert os.listdir(tmp_path) == []


@pytest.mark.timeout(300)
async def test_broken_off_it_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [*COMMAND, "--pace", "5", "--styles", "tokens-signed"]
    await break_off(command, tmp_path, 5)  # itself, replicas, the proxy
