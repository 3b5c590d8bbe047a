"""What `pellucid serve` takes into memory before it answers: only what it serves with."""

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
