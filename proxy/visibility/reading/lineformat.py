"""What reads the lines of one format."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from proxy.visibility.observation import Held, Observation, Part
from proxy.visibility.reading.columns import Columns
from proxy.visibility.reading.hiding import Hiding
from proxy.visibility.reading.roles import NOTHING, Role, held

NOT_READ = "it is not written in the format of the log"


Quick = Callable[[str, int], Sequence[Sequence[str]] | None]
"""Gives the columns of lines that are all of a usual form, else None, faster than a regular expression."""


class NotRead(Exception):  # noqa: N818 - it says what is the matter, and never leaves this package
    """Lines that are not, or not all, of this format; the message says why of the first, without its text."""


class LineFormat(Protocol):
    """Reads lines. `name` is that by which `open_source` finds it again."""

    name: str

    @property
    def held(self) -> Held:
        """What the lines read so far hold."""
        ...

    def read(self, lines: bytes, count: int) -> list[Observation]:
        """`count` lines, each with its end except perhaps the last. Raises NotRead if one can't be read."""
        ...


class TextFormat:
    """Lines that one regular expression matches whole, most of which `quick` may read."""

    def __init__(
        self,
        name: str,
        pattern: re.Pattern[str],
        roles: Sequence[Role],
        hiding: Hiding,
        further: Part = NOTHING,
        quick: Quick | None = None,
    ) -> None:
        self.name = name
        self.held = held(name, roles, further)
        self._pattern = pattern
        self._quick = quick
        self._columns = Columns(roles, hiding)

    def read(self, lines: bytes, count: int) -> list[Observation]:
        """As LineFormat says."""
        text = lines.decode("latin-1")
        columns = self._quick(text, count) if self._quick is not None else None
        if columns is None:
            columns = self._columns_of(text, count)
        try:
            return self._columns.of_columns(columns, count)
        except ValueError as error:
            raise NotRead(_why(error)) from error

    def _columns_of(self, text: str, count: int) -> Sequence[Sequence[str]]:
        rows = self._pattern.findall(text)
        if len(rows) != count:
            raise NotRead(NOT_READ)
        return [rows] if self._pattern.groups == 1 else list(zip(*rows, strict=True))


def _why(error: ValueError) -> str:
    """Only what this package itself says: other messages quote the line."""
    text = str(error)
    return text if text == "the time can't be read" else "a number in it can't be read"
