"""The shoppers' process, seen from the measurement."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from proxy.commands.comparing.children import Child
from proxy.commands.comparing.state.shopping.outcome import Outcome, Plan

_MODULE = "proxy.commands.comparing.state.shopping.process"
_PATIENCE = 120.0


class Shoppers:
    """A process that can carry out one plan after another."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def begin(self, plan: Plan) -> None:
        """Have them go shopping. Raises ComparisonError."""
        self._child.send(msgspec.json.encode(plan).decode())
        self._child.receive()
        self._child.send("go")

    def stop(self) -> None:
        """Close the shop, where the plan is to wait for that. Raises ComparisonError."""
        self._child.send("stop")

    def end(self, plan: Plan) -> Outcome:
        """Wait until they are done. Raises ComparisonError."""
        return msgspec.json.decode(self._child.receive(plan.seconds + _PATIENCE), type=Outcome)

    def run(self, plan: Plan) -> Outcome:
        """Both. Raises ComparisonError."""
        self.begin(plan)
        return self.end(plan)


@contextlib.contextmanager
def shoppers(folder: Path, cores: tuple[int, ...]) -> Iterator[Shoppers]:
    """The process, until the end of the block. Raises ComparisonError."""
    with Child("shoppers", [sys.executable, "-m", _MODULE], folder, cores=cores, pipes=True) as child:
        yield Shoppers(child)
        child.dismiss()
