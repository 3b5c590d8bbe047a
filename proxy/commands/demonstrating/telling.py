"""How the story is told: beside the records on a terminal, line by line elsewhere."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_MOST, _WIDE = 22, 110
"""Rows at most, and columns at least, of what is shown side by side."""


class Teller(ABC):
    """Tells what happens. `pace` is the seconds that a watcher is given after each step."""

    def __init__(self, console: Console, pace: float) -> None:
        self.console = console
        self.pace = pace

    @abstractmethod
    def act(self, title: str, sentence: str) -> None:
        """A new act begins."""

    @abstractmethod
    def say(self, text: str, style: str = "") -> None:
        """Something happens."""

    @abstractmethod
    def record(self, line: str, *, cached: bool) -> None:
        """The proxy has written a record."""

    def pause(self, times: float = 1.0) -> None:
        """Let the watcher read."""
        if self.pace:
            time.sleep(self.pace * times)

    @abstractmethod
    def close(self) -> None:
        """The last act is over."""

    def table(self, table: RenderableType) -> None:
        """What came of it all."""
        self.console.print()
        self.console.print(table)


class Lines(Teller):
    """One line after another, for whoever isn't a terminal."""

    def act(self, title: str, sentence: str) -> None:
        self.console.print(f"\n{title}\n{sentence}")

    def say(self, text: str, style: str = "") -> None:
        self.console.print(f"  {text}")

    def record(self, line: str, *, cached: bool) -> None:
        self.console.print(f"      | {line}")

    def close(self) -> None:
        pass


class Beside(Teller):
    """The story on the left, the records on the right."""

    def __init__(self, console: Console, pace: float) -> None:
        super().__init__(console, pace)
        self._title = self._sentence = ""
        self._rows = max(8, min(_MOST, console.height - 4))
        self._said: deque[Text] = deque()
        self._records: deque[Text] = deque(maxlen=self._rows)
        self._live: Live | None = None

    def act(self, title: str, sentence: str) -> None:
        self.close()
        self._said.clear()
        self._records.clear()
        self._title, self._sentence = title, sentence
        self._live = Live(self._drawn(), console=self.console, refresh_per_second=12)
        self._live.start()

    def say(self, text: str, style: str = "") -> None:
        self._said.append(Text(text, style=style, overflow="fold"))
        width = self.console.width // 2 - 4
        while sum(1 + len(one) // width for one in self._said) > self._rows - 2:
            self._said.popleft()
        self._draw()

    def record(self, line: str, *, cached: bool) -> None:
        self._records.append(
            Text(line, style="green" if cached else "blue", no_wrap=True, overflow="ellipsis")
        )
        self._draw()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(self._drawn())

    def _drawn(self) -> RenderableType:
        grid = Table.grid(expand=True)
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        story = Text("\n").join((Text(self._sentence, style="dim"), *self._said))
        grid.add_row(
            Panel(story, title=Text(self._title, style="bold"), title_align="left", height=self._rows + 2),
            Panel(
                Text("\n", no_wrap=True, overflow="ellipsis").join(self._records),
                title=Text("What the proxy writes down", style="dim"),
                title_align="left",
                height=self._rows + 2,
            ),
        )
        return grid


@contextlib.contextmanager
def telling(console: Console, pace: float | None) -> Iterator[Teller]:
    """By what the console is; by itself slow enough to be watched on a terminal, and at once elsewhere."""
    teller: Teller
    if console.is_terminal and console.width >= _WIDE:
        teller = Beside(console, 0.35 if pace is None else pace)
    else:
        teller = Lines(console, (0.35 if console.is_terminal else 0.0) if pace is None else pace)
    try:
        yield teller
    finally:
        teller.close()
