"""The JSON Schema of a record. `python -m proxy.visibility.schema` writes it to its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proxy.visibility.schemas import schema_of, text_of
from proxy.visibility.shape import FORMAT, Record

FILE = Path(__file__).with_name("record.schema.json")
"""The schema as it is delivered with the package."""


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) that every line of the log follows."""
    return schema_of(Record, "A line of the log of exchanges", FORMAT)


def render() -> str:
    """The text of the file."""
    return text_of(schema())


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
