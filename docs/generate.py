"""Writes the documents that are made from the code: `python -m docs.generate`, or `make docs`.

With `--check` nothing is written, and the exit status is 1 where a document isn't up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from docs.pages import configuration, exchange, explain, findings, reasons

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- diagram -->", "<!-- /diagram -->"
"""Between these the diagram of the exchange stands in README.md."""


def documents() -> Iterator[tuple[Path, str]]:
    """Every document's file, and the text that it should have."""
    folder = ROOT / "docs"
    yield folder / "reasons.md", reasons.page()
    yield folder / "exchange.md", exchange.page()
    yield folder / "configuration.md", configuration.page()
    yield folder / "explain.md", explain.page()
    yield folder / "findings.md", findings.page()
    yield folder / "explain.schema.json", explain.schema_text()
    readme = ROOT / "README.md"
    if readme.exists():
        yield readme, with_diagram(readme.read_text(encoding="utf-8"))


def with_diagram(text: str) -> str:
    """A text with the diagram between the markers, unchanged where it has none. Raises ValueError for one."""
    if BEGIN not in text and END not in text:
        return text
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"only one of {BEGIN} and {END}, or the wrong one first")
    return f"{before}{BEGIN}\n{exchange.drawing()}\n{END}{after}"


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


def main(arguments: list[str]) -> int:
    """Write the documents, or check them; the exit status."""
    try:
        found = list(documents())
    except LookupError as error:  # something in the code that the documents don't know yet
        print(f"docs: {error.args[0]}", file=sys.stderr)
        return 1
    old = {path for path, text in found if _differs(path, text)}
    for path, text in found:
        if path not in old:
            continue
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not up to date: run python -m docs.generate", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
