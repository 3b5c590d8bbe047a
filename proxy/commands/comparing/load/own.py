"""The load generator of ours, seen from the comparison: a process for each load."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from proxy.commands.comparing.children import Child
from proxy.commands.comparing.load.outcome import Outcome, Plan

_MODULE = "proxy.commands.comparing.load.generator"
_PATIENCE = 90.0


class Generator:
    """A generator whose connections are open."""

    def __init__(self, child: Child, seconds: float) -> None:
        self._child = child
        self._seconds = seconds

    def run(self) -> Outcome:
        """Ask, and say what came of it; the connections stay open. Raises ComparisonError."""
        self._child.send("go")
        return msgspec.json.decode(self._child.receive(self._seconds + _PATIENCE), type=Outcome)


@contextlib.contextmanager
def generator(plan: Plan, folder: Path, cores: tuple[int, ...]) -> Iterator[Generator]:
    """A generator with open connections, which are closed at the end. Raises ComparisonError."""
    command = [sys.executable, "-m", _MODULE]
    with Child("load", command, folder, cores=cores, pipes=True) as child:
        child.send(msgspec.json.encode(plan).decode())
        child.receive(_PATIENCE)
        yield Generator(child, plan.seconds)
        child.dismiss()
