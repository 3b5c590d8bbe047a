"""What was left out of a log: counted, the first few kept."""

from __future__ import annotations

from proxy.visibility.observation import Fault

FEW = 20
"""How many are kept of one source."""


class Faults:
    """Gathers faults until they are handed on."""

    def __init__(self) -> None:
        self._few: list[Fault] = []
        self._kept = 0
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, line: int, why: str) -> None:
        """A line that could not be read."""
        self._count += 1
        if self._kept < FEW:
            self._kept += 1
            self._few.append(Fault(line, why))

    def take(self) -> tuple[tuple[Fault, ...], int]:
        """Those kept since the last call, and how many there were."""
        few, count = tuple(self._few), self._count
        self._few, self._count = [], 0
        return few, count
