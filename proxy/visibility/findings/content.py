"""What the content of a response tells of itself, where it is at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import msgspec

from proxy.visibility.observation import Held, Observation, Part

_KEPT = 65_536
_FAILED = re.compile(r"(?i)error|fail|failure|failed|exception|unauthorized|forbidden|denied")
_HTML = re.compile(rb"(?i)\s*(?:<!doctype html|<html|<head|<body)")


@dataclass(frozen=True, slots=True)
class Content:
    """What content is, by the look of it. `error` is the member of a JSON object that tells of an error."""

    looks: Literal["json", "html", "other"]
    parses: bool | None = None
    error: str = ""


def content_of(observation: Observation, held: Held) -> Content | None:
    """What the content of the response tells; None where it is not at hand, encoded or empty."""
    data = observation.content
    if not data or Part.CONTENT not in held.parts or not observation.complete:
        return None
    whole = len(data) < _KEPT and observation.response_bytes in (-1, len(data))
    return _recent(data, whole) if len(data) < 4096 else _look(data, whole)


def _look(data: bytes, whole: bool) -> Content:
    if _HTML.match(data):
        return Content("html", parses=False)
    try:
        data.decode("utf-8") if whole else None
        found: Any = msgspec.json.decode(data) if whole else None
    except (UnicodeDecodeError, msgspec.MsgspecError, ValueError, RecursionError):
        return Content("json" if data.lstrip()[:1] in (b"{", b"[") else "other", parses=False)
    if not whole:
        return Content("json" if data.lstrip()[:1] in (b"{", b"[") else "other")
    if isinstance(found, dict | list):
        return Content("json", True, _error(found) if isinstance(found, dict) else "")
    return Content("other", True)


def _error(found: dict[str, Any]) -> str:
    """The member that says that the request failed, and its value where that is but a word."""
    for name in ("error", "errors", "exception", "fault"):
        value = found.get(name)
        if value not in (None, False, "", 0, [], {}) and value != "null":
            return name
    for name in ("success", "ok", "succeeded"):
        if found.get(name) is False:
            return f"{name}: false"
    for name in ("status", "result", "state"):
        value = found.get(name)
        if isinstance(value, str) and _FAILED.fullmatch(value):
            return f"{name}: {value}"
    for name in ("code", "status", "statusCode", "status_code"):
        value = found.get(name)
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and 400 <= value <= 599
            and "message" in found
        ):
            return f"{name}: {value}"
    return ""


_recent = lru_cache(512)(_look)
