"""What tests of the log share: where it says what, and the lines that it has written."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from proxy.server.log.records import RecordLog
from proxy.visibility.record import Redaction, decode

REDACTION = Redaction()
Open = Callable[..., RecordLog]
"""Opens a log that tries again at once; it is closed with the test."""


class Said(list[str]):
    """What was said on standard error."""

    def wait(self, text: str) -> str:
        until(lambda: any(text in line for line in self))
        return next(line for line in self if text in line)


def until(true: Callable[[], object]) -> None:
    """Wait until it is so; fails after long."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.002)


def ids(path: Path) -> list[str]:
    """The ids of the records in a file, every line of which has to be one."""
    return [decode(line).id for line in path.read_bytes().splitlines()]


def start(script: str, *arguments: str, **how: object) -> subprocess.Popen[bytes]:
    """Another process that runs a script."""
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    return subprocess.Popen(command, cwd=Path(__file__).parents[3], **how)  # type: ignore[call-overload]
