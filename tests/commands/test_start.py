"""How `pellucid` starts, with only what a command needs, and how it ends."""

from __future__ import annotations

import subprocess
import sys

OTHERS_USE = ("httplint", "itsdangerous", "jinja2", "rich", "sqlite3", "multiprocessing", "unittest", "xml")
"""Packages that other commands need, and that take a good part of the time in which `serve` has started."""


def test_serve_starts_without_what_other_commands_need() -> None:
    told = "import sys, proxy.cli, proxy.commands.serve; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "proxy.server.app" in modules
    assert not {module.partition(".")[0] for module in modules} & set(OTHERS_USE)
    ours = {module.split(".")[2] for module in modules if module.startswith("proxy.commands.")}
    assert ours == {"serve", "serving"}
    assert not any(module.startswith("proxy.server.workers") for module in modules)  # one process needs none


def ended(command: str) -> tuple[int, str]:
    """The status of a shell's command, where `pellucid` is ours, and what is said on standard error."""
    ours = f'pellucid() {{ {sys.executable} -m proxy "$@"; }}; {command}'
    done = subprocess.run(["sh", "-c", ours], stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


def test_what_can_not_be_written_is_said_in_one_line() -> None:
    status, told = ended("pellucid --version > /dev/full")
    assert (status, told) == (1, "pellucid: [Errno 28] No space left on device\n")


def test_nor_does_it_matter_that_this_can_not_be_said() -> None:
    assert ended("pellucid nonsense 2> /dev/full")[0] == 2


def test_who_reads_no_further_has_seen_enough() -> None:
    assert ended("pellucid --help | true") == (0, "")
