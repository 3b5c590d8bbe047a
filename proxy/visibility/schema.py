"""The JSON Schema of a record. `python -m proxy.visibility.schema` writes it to its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from proxy.visibility.shape import FORMAT, Record

FILE = Path(__file__).with_name("record.schema.json")
"""The schema as it is delivered with the package."""


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) that every line of the log follows."""
    generated: dict[str, Any] = msgspec.json.schema(Record)
    for shape in generated["$defs"].values():
        shape["description"] = " ".join(shape["description"].split())  # as the docstring, on one line
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{FORMAT.replace('/', ':')}",
        "title": f"A line of the log of exchanges, {FORMAT}",
        **generated,
    }


def render() -> str:
    """The text of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
