"""A bar on standard error for those who wait at a terminal; nothing for anybody else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


class Bar:
    """How far reading has come, in bytes."""

    def advance(self, size: int) -> None:
        """So many more bytes have been read."""

    def reckon(self) -> None:
        """All has been read; the report is being made."""


@contextmanager
def bar(paths: Sequence[str]) -> Iterator[Bar]:
    """A bar for the reading of some files, where standard error is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=_size(paths))

        class Shown(Bar):
            def advance(self, size: int) -> None:
                progress.advance(task, size)

            def reckon(self) -> None:
                progress.update(task, description="reckoning", total=None)

        yield Shown()


def _size(paths: Sequence[str]) -> int | None:
    """All bytes that are to be read, None where that can't be told."""
    total = 0
    for path in paths:
        if path == "-":
            return None
        with suppress(OSError):
            total += os.path.getsize(path)
    return total or None
