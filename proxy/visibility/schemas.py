"""JSON Schemas (2020-12) of the forms that msgspec reads and writes; docstrings become descriptions."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def schema_of(form: type[msgspec.Struct], title: str, version: str) -> dict[str, Any]:
    """The schema that whatever is encoded from `form` follows; `version` names it, as `pellucid-record/1`."""
    generated: dict[str, Any] = msgspec.json.schema(form)
    for shape in generated["$defs"].values():
        if "description" in shape:
            shape["description"] = " ".join(shape["description"].split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{version.replace('/', ':')}",
        "title": f"{title}, {version}",
        **generated,
    }


def text_of(schema: dict[str, Any]) -> str:
    """The text of a schema's file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
