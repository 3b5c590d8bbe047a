"""What is printed with Rich, as text: for a terminal as it is, and for what isn't one, such as a file."""

from __future__ import annotations

from io import StringIO

from rich.console import Console, RenderableType


def text_of(body: RenderableType, width: int, console: Console | None = None, *, colors: bool = True) -> str:
    """`body` in the colours and as wide as `console` (standard output), where that is a terminal.

    Elsewhere, and where no colours are wanted: plain, and `width` columns wide. No line ends with spaces.
    """
    console = console or Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal or not colors:
        console = Console(
            file=StringIO(), width=width, force_terminal=False, highlight=False, markup=False, emoji=False
        )
    with console.capture() as captured:
        console.print(body)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
