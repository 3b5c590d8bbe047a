"""The JSON Schema of a report. `python -m proxy.commands.comparing.state.schema` writes it to its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from proxy.commands.comparing.state.results import FORMAT, Report

FILE = Path(__file__).with_name("report.schema.json")
"""The schema as it is delivered with the package."""


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) that every report follows."""
    generated: dict[str, Any] = msgspec.json.schema(Report)
    for shape in generated["$defs"].values():
        if "description" in shape:
            shape["description"] = " ".join(shape["description"].split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{FORMAT.replace('/', ':')}",
        "title": f"What statelessness buys and what it costs, {FORMAT}",
        **generated,
    }


def render() -> str:
    """The text of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
