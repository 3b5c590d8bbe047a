"""The JSON Schema of a report. `python -m proxy.commands.comparing.state.schema` writes it to its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proxy.commands.comparing.state.results import FORMAT, Report
from proxy.visibility.schemas import schema_of, text_of

FILE = Path(__file__).with_name("report.schema.json")
"""The schema as it is delivered with the package."""


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) that every report follows."""
    return schema_of(Report, "What statelessness buys and what it costs", FORMAT)


def render() -> str:
    """The text of the file."""
    return text_of(schema())


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
