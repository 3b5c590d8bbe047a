"""Where a comparison's report goes, and in which form."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from proxy.message.errors import ConfigurationError

FORMS = ("text", "json", "html", "markdown")
_SUFFIXES = {".json": "json", ".html": "html", ".htm": "html", ".md": "markdown"}


def form_of(form: str | None, output: str | None) -> str:
    """The form that is asked for, or that a file's name tells; else text."""
    return form or _SUFFIXES.get(Path(output or "").suffix.lower(), "text")


def names(given: str | None) -> tuple[str, ...]:
    """What an option lists, with commas between."""
    return tuple(name.strip() for name in (given or "").split(",") if name.strip())


def require_place(output: str | None) -> None:
    """Raises ConfigurationError at once where the report could not be written in the end."""
    if output is None:
        return
    path = Path(output)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigurationError("the report can't be written there", evidence=output)


def read(path: str) -> bytes:
    """An earlier report. Raises ConfigurationError."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError("can't be read", evidence=f"{path} ({error.strerror})") from error


def write(text: str, output: str | None) -> None:
    """Write the report; to standard output where the file can't be written after all."""
    if output is not None:
        try:
            Path(output).write_text(text, encoding="utf-8")
            return
        except OSError as error:
            print(f"pellucid: {output} can't be written ({error.strerror})", file=sys.stderr)
    sys.stdout.write(text)
    sys.stdout.flush()
