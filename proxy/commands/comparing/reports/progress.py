"""What is seen while a comparison runs: a bar on a terminal, a line for each workload elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from proxy.commands.comparing.running import Told


@contextlib.contextmanager
def progress(console: Console | None = None) -> Iterator[tuple[Told, Callable[[int], None]]]:
    """What to tell of each step, and how many there will be."""
    console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        yield _lines(), lambda steps: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as bar:
        task = bar.add_task("Getting ready", total=None)

        def told(title: str, step: str) -> None:
            bar.update(task, description=f"{title}: {step}", advance="round" in step)

        yield told, lambda steps: bar.update(task, total=steps)


def _lines() -> Told:
    seen: set[str] = set()

    def told(title: str, step: str) -> None:
        if title not in seen:
            seen.add(title)
            print(title, file=sys.stderr, flush=True)

    return told
